"""Functions of the services, asked and understood."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError
from pydantic import TypeAdapter, ValidationError

from infra.cli.screen import ConsoleError
from infra.deploying.stacks import stack_name
from shared.errors import sentence_of

if TYPE_CHECKING:
    from infra.cli.cloud import Cloud

AnswerT = TypeVar("AnswerT")


class FailedError(ConsoleError):
    """A function refused its event, or failed."""


def invoke(cloud: "Cloud", service: str, event: Mapping[str, Any], answer: TypeAdapter[AnswerT]) -> AnswerT:
    """Invoke a service's function and wait for its answer.

    Raises:
        FailedError: It refuses or fails.
        ConsoleError: It is not deployed, or its answer is not one.
    """
    name = stack_name(cloud.environment, service)
    try:
        response = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
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
        return answer.validate_json(body)
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
