"""Functions of the services, asked and understood."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from pydantic import ValidationError

from contracts.operations.payload import Payload, Request
from infra.cli.screen import ConsoleError, UsageError
from infra.deploying.stacks import stack_name
from shared.errors import sentence_of

if TYPE_CHECKING:
    from infra.cli.cloud import Cloud

AnswerT = TypeVar("AnswerT", bound=Payload)


class FailedError(ConsoleError):
    """A function refused its event, or failed."""


@contextmanager
def as_asked() -> Iterator[None]:
    """Around the making of a request of what somebody typed.

    Raises:
        UsageError: No function takes it; says which part and why.
    """
    try:
        yield
    except ValidationError as fault:
        raise UsageError(f"That cannot be asked for: {sentence_of(fault)}.") from None


def invoke(cloud: "Cloud", service: str, request: Request, answer: type[AnswerT]) -> AnswerT:
    """Invoke a service's function and wait for its answer.

    Raises:
        FailedError: It refuses or fails.
        ConsoleError: It is not deployed, or its answer is not one.
    """
    name = stack_name(cloud.environment, service)
    try:
        event = request.model_dump_json(by_alias=True, exclude_defaults=True)
        response = cloud.client("lambda").invoke(FunctionName=name, Payload=event.encode())
    except ClientError as fault:
        if fault.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise ConsoleError(
            f"There is no function {name} at {cloud.address}: run `{cloud.command(f'deploy {service}')}`."
        ) from None
    body = response["Payload"].read()
    if response.get("FunctionError"):
        raise FailedError(f"{_reason(body)}. The log group of {name} is /aws/lambda/{name}.")
    try:
        return answer.model_validate_json(body)
    except ValidationError as fault:
        raise ConsoleError(
            f"The answer of {name} cannot be read, at {sentence_of(fault)}: it may be of another version than this "
            f"console. Run `{cloud.command(f'deploy {service}')}`."
        ) from None


def _reason(body: bytes) -> str:
    """What Lambda tells of the fault that ended a function."""
    text = body.decode(errors="replace")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return str(told.get("errorMessage", text)) if isinstance(told, dict) else text
