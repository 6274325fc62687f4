"""Faults on demand: which call is struck."""

from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeVar

from pydantic import Field

from infra.local.clock import Message
from infra.local.loopback import INFO_PATH

FAULTS_PATH: Final = f"{INFO_PATH}/faults"


class PlannedFault(Message):
    """Something that goes wrong for some calls.

    Attributes:
        after: Calls that go well before.
        times: Calls that go wrong then.
    """

    after: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] = 1


FaultT = TypeVar("FaultT", bound=PlannedFault)


def strike(faults: Iterable[FaultT], concerns: Callable[[FaultT], bool]) -> tuple[FaultT | None, tuple[FaultT, ...]]:
    """Counts a call, and returns the fault that strikes it, if any does, and the faults that are left.

    Args:
        faults: All that are still to come; the first that is due strikes.
        concerns: Whether a fault is one of the calls of this kind.
    """
    struck: FaultT | None = None
    left: list[FaultT] = []
    for fault in faults:
        if not concerns(fault):
            left.append(fault)
        elif fault.after:
            left.append(fault.model_copy(update={"after": fault.after - 1}))
        elif struck:
            left.append(fault)
        else:
            struck = fault
            if fault.times > 1:
                left.append(fault.model_copy(update={"times": fault.times - 1}))
    return struck, tuple(left)
