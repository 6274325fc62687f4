"""Faults by the recovery that they allow. A fault that is neither of these counts as transient."""


class TransientError(Exception):
    """The same message may succeed later: it goes back to its queue."""


class PermanentError(Exception):
    """The same message can never succeed: it goes to the dead-letter queue with its diagnosis.

    Attributes:
        location: Where the fault is: an S3 key, a JSON path or both.
        sentence: What is wrong and what to do.
    """

    def __init__(self, location: str, sentence: str) -> None:
        super().__init__(f"{location}: {sentence}")
        self.location = location
        self.sentence = sentence
