"""Invokes the services' functions and reads their answers."""

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
    """Turns a refusal of a request made from the user's input into a usage error.

    Raises:
        UsageError: The request is invalid; says which part and why.
    """
    try:
        yield
    except ValidationError as fault:
        raise UsageError(f"Invalid request: {sentence_of(fault)}.") from None


def invoke(cloud: "Cloud", service: str, request: Request, answer: type[AnswerT]) -> AnswerT:
    """Invoke a service's function and wait for its answer.

    Raises:
        FailedError: It refuses or fails.
        ConsoleError: It is not deployed, or its answer cannot be read.
    """
    name = stack_name(cloud.environment, service)
    try:
        event = request.model_dump_json(by_alias=True, exclude_defaults=True)
        response = cloud.client("lambda").invoke(FunctionName=name, Payload=event.encode())
    except ClientError as fault:
        raise not_deployed(cloud, service, fault) from None
    body = response["Payload"].read()
    if response.get("FunctionError"):
        raise FailedError(f"{_reason(body)}. The log group of {name} is /aws/lambda/{name}.")
    try:
        return answer.model_validate_json(body)
    except ValidationError as fault:
        raise ConsoleError(
            f"The answer of {name} cannot be read, at {sentence_of(fault)}: it may have another version than this "
            f"console. Run `{cloud.command(f'deploy {service}')}`."
        ) from None


def not_deployed(cloud: "Cloud", service: str, fault: ClientError) -> Exception:
    """Returns what to raise of a refusal of Lambda's: what to do if the service's function is not there."""
    if fault.response["Error"]["Code"] != "ResourceNotFoundException":
        return fault
    return ConsoleError(
        f"There is no function {stack_name(cloud.environment, service)} at {cloud.address}: "
        f"run `{cloud.command(f'deploy {service}')}`."
    )


def _reason(body: bytes) -> str:
    """Returns the message of the error that ended a function."""
    text = body.decode(errors="replace")
    try:
        error = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return str(error.get("errorMessage", text)) if isinstance(error, dict) else text
