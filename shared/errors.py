"""Errors by the recovery that they allow. Any other error counts as transient."""

from typing import Final

from pydantic import ValidationError

_PYDANTIC: Final = "Value error, "
"""pydantic's prefix to our own messages."""


class TransientError(Exception):
    """The same message may succeed later: it goes back to its queue."""


class PermanentError(Exception):
    """The same message can never succeed: it goes to the dead-letter queue with its diagnosis.

    Attributes:
        location: Where the fault is: an S3 key, a JSON path or both.
        sentence: What is wrong and what to do.
        run_id: The run that wrote the faulty object, if known.
    """

    def __init__(self, location: str, sentence: str, *, run_id: str | None = None) -> None:
        super().__init__(f"{location}: {sentence}")
        self.location = location
        self.sentence = sentence
        self.run_id = run_id


def sentence_of(fault: ValidationError) -> str:
    """Joins each refused field and its reason by semicolons; never the value, which may be a secret."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'the input'}: {each['msg'].removeprefix(_PYDANTIC)}"
        for each in fault.errors(include_url=False, include_input=False)
    )
