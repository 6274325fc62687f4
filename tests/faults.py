"""Faults at a chosen moment: before or after one of the calls that something makes to AWS."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from botocore.exceptions import ClientError, ReadTimeoutError

OnCall: TypeAlias = Callable[[str], None]


class Crash(BaseException):
    """The process is gone: nothing in it can catch this."""


def throttled(operation: str) -> Exception:
    return ClientError({"Error": {"Code": "SlowDown", "Message": "Please reduce your request rate."}}, operation)


def failed(operation: str) -> Exception:
    return ClientError({"Error": {"Code": "InternalError", "Message": "We encountered an internal error."}}, operation)


def timed_out(operation: str) -> Exception:
    return ReadTimeoutError(endpoint_url="https://aws.amazon.com")


FAULTS: dict[str, Callable[[str], BaseException]] = {
    "crash": Crash,
    "throttling": throttled,
    "500": failed,
    "time-out": timed_out,
}


@dataclass
class FaultAt:
    """Raises a fault at one of the moments, counted from 0, and counts them all."""

    moment: int | None = None
    fault: Callable[[str], BaseException] = Crash
    passed: list[str] = field(default_factory=list)

    def __call__(self, call: str) -> None:
        self.passed.append(call)
        if len(self.passed) - 1 == self.moment:
            raise self.fault(call.split()[1])


def tell_of_calls(on_call: OnCall, *clients: Any) -> None:
    """Lets clients tell of the moments before and after each of their calls."""
    for client in clients:
        for moment in ("before-call", "after-call"):
            client.meta.events.register(moment, lambda moment=moment, **told: on_call(f"{moment} {told['model'].name}"))
