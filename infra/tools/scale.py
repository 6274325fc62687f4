"""Computes the load of many playlists a day from stated assumptions, for `infra/SCALE.md`.

`python -m infra.tools.scale` rewrites the text between the two markers there. Quotas are those that the services
publish:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
"""

import re
from dataclasses import dataclass

from contracts.tables import of_kind
from infra.deploying.stacks import ROOT
from infra.tools.cost import listed

PAGE = ROOT / "infra/SCALE.md"
_MARKED = re.compile(r"(?<=<!-- scale -->\n).*?(?=<!-- end of the scale -->)", re.DOTALL)
_PLAYLISTS = (20, 500, 1_000, 10_000)

CONCURRENCY = 5
"""Functions of a table that Lambda begins with. While messages wait it adds up to 300 a minute, which is left out here,
so that the times are the most that it takes.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
_TABLES = of_kind("playlists")
_DAY = 86_400
_DAYS_OF_A_MONTH = 30
_DAYS_OF_A_WEEK = 7
_CALLS_OF_A_PLAYLIST = 15
_CALL_BUDGET = 500
_EXTRACTION_SECONDS = 20
"""Per playlist of 50 entries: its calls to Spotify and ReccoBeats with their pauses."""
_TRANSFORMATION_SECONDS = 0.3
"""Per snapshot and table, warm: hundredths of a second of CPU, and nine calls to S3 one after the other."""
_READS_OF_A_TRANSFORMATION = 7
_WRITES_OF_A_TRANSFORMATION = 2
_AUDITED_DAYS = 8
_DAYS_OF_A_YEAR = 365
_QUERIES_A_YEAR = 2_600
"""Each of half a year of a table, as the cost of a year assumes."""
_REQUESTS_OF_A_FILE = 3
_DOLLARS_A_REQUEST = 0.4e-6
_AUDIT_SECONDS = 5 / 50
"""Per snapshot, as measured."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Snapshots that arrive evenly over some seconds, and functions that turn them into a table.

    Attributes:
        snapshots: How many arrive.
        window: Seconds over which they arrive.
        concurrency: How many functions of the table work at once.
        seconds_each: Seconds that a function takes for a snapshot.
    """

    snapshots: int
    window: float
    concurrency: int = CONCURRENCY
    seconds_each: float = _TRANSFORMATION_SECONDS

    @property
    def work(self) -> float:
        """Seconds of function time in all."""
        return self.snapshots * self.seconds_each / self.concurrency

    @property
    def done_after(self) -> float:
        """Seconds from the first snapshot until the table has all of them."""
        return max(self.window, self.work)

    def concurrency_for(self, oldest: float) -> float:
        """Returns the concurrency at which no message waits longer than some seconds."""
        return self.snapshots * self.seconds_each / (self.window + oldest)


def markdown() -> str:
    """Returns the load of some numbers of playlists a day as a table."""
    columns = [_of_a_day(playlists) for playlists in _PLAYLISTS]
    head = " | ".join(f"{playlists:,}" for playlists in _PLAYLISTS)
    rows = [f"| {item} | " + " | ".join(f"{each[item]:,.{_digits(each[item])}f}" for each in columns) + " |"
            for item in columns[0]]  # fmt: skip
    return "\n".join([f"| playlists of 50 entries a day | {head} |", "|---|" + "--:|" * len(columns), *rows, ""])


def _digits(value: float) -> int:
    return 0 if value == int(value) or value >= 10 else 2


def _of_a_day(playlists: int) -> dict[str, float]:
    burst = Burst(playlists, window=0)
    rate = CONCURRENCY * len(_TABLES) / _TRANSFORMATION_SECONDS
    return {
        "Spotify: calls a day": playlists * _CALLS_OF_A_PLAYLIST,
        "Spotify: calls a second, spread over the day": playlists * _CALLS_OF_A_PLAYLIST / _DAY,
        "Spotify: runs of 500 calls": -(-playlists * _CALLS_OF_A_PLAYLIST // _CALL_BUDGET),
        "extractors at once, if they take all day": playlists * _EXTRACTION_SECONDS / _DAY,
        "SNS: messages in": playlists,
        "SQS: messages over all queues": playlists * len(_TABLES),
        "SQS: most in flight in a queue (120,000 may be)": playlists,
        "Lambda: transformers at once, to begin with (1,000 may be)": CONCURRENCY * len(_TABLES),
        "minutes until every table has them, all at once, at most": burst.done_after / 60,
        "transformers a table so that none waits for over 5 minutes": max(1.0, burst.concurrency_for(300)),
        "S3: writes a second, to begin with (3,500 a prefix may be)": rate * _WRITES_OF_A_TRANSFORMATION,
        "S3: reads a second, to begin with (5,500 a prefix may be)": rate * _READS_OF_A_TRANSFORMATION,
        "Athena: files a table and month": playlists * _DAYS_OF_A_MONTH,
        "Athena: files a table and month, compacted": 1,
        "audit: seconds for its eight days (900 may be)": playlists * _AUDITED_DAYS * _AUDIT_SECONDS,
        "US dollars a year, every transformer cold": sum(listed(playlists * _DAYS_OF_A_WEEK).values()),
        "of these for Athena's requests of files, 50 queries a week": (
            _QUERIES_A_YEAR * playlists * _DAYS_OF_A_YEAR / 2 * _REQUESTS_OF_A_FILE * _DOLLARS_A_REQUEST
        ),
    }


def with_scale(text: str) -> str:
    """Returns a text with the table between its markers."""
    return _MARKED.sub(lambda _: markdown(), text)


def main() -> None:
    """Rewrite the table in the page."""
    PAGE.write_text(with_scale(PAGE.read_text()))


if __name__ == "__main__":
    main()
