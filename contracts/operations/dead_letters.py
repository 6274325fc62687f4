"""The attributes that a worker adds to a message that it gives up."""

from typing import Final

from typing_extensions import TypedDict


class Diagnosis(TypedDict):
    """Why a message cannot succeed; None where it is not known.

    Attributes:
        error_class: The class of the fault.
        location: Where the fault is: an S3 key, a JSON path or both.
        sentence: What is wrong and what to do.
        raw_key: The raw object that the message announces.
        run_id: The run that wrote it.
        service_version: The code that gave it up.
    """

    error_class: str
    location: str
    sentence: str
    raw_key: str | None
    run_id: str | None
    service_version: str


NO_DIAGNOSIS: Final = "redriven by SQS"
"""The class of a message that no worker gave up: it was received too often, or could not be delivered."""
FAILED_RUN: Final = "failed three times"
"""The class of a run that Lambda gave up without naming the error."""
