"""What cannot be told this week: each reason once, with the lists that it concerns."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from analytics.report.answers import Answers
from analytics.report.lists import RecordingList
from analytics.wording import day

_ALL: Final = 99.5
"""Percent that are shown as all."""


class Caveat(NamedTuple):
    """A reason why something cannot be told.

    Attributes:
        what: What is missing, as a heading.
        lists: The lists that it concerns, each with its number or day; none, and it concerns all.
        consequence: What follows for the reader.
    """

    what: str
    lists: Sequence[tuple[RecordingList, str]]
    consequence: str


def caveats(answers: Answers, lists: Sequence[RecordingList]) -> list[Caveat]:
    """The reasons that there are, those that concern the most first."""
    current = [each for each in lists if each.is_current]
    playlists = [each for each in current if not each.is_chart]
    found = [
        Caveat(
            "No chart this week",
            [(each, f"last {day(each.row['seen_on'])}") for each in lists if not each.is_current],
            "They headline nothing; their pages show the last one.",
        ),
        Caveat(
            "Not complete this week",
            [(each, each.lacking) for each in current if not each.is_complete],
            "What is absent may only be unknown, so it counts as listed.",
        ),
        Caveat(
            "Seen for the first time this week",
            [(each, "") for each in current if each.is_new],
            "Nobody knows since when these lists have their recordings: none counts as new.",
        ),
        Caveat(
            "No chart the week before",
            [(each, _gap(each)) for each in current if not each.is_new and not each.is_comparable],
            "Their moves took more than a week and are left out of the movers.",
        ),
        Caveat(
            "Weeks without a chart in the year",
            [(each, str(each.row["weeks_missing"])) for each in current if each.row["weeks_missing"]],
            "Recordings may have come and gone in them; drawings leave them open.",
        ),
        Caveat(
            "Values that broke their contract this week",
            [(each, str(each.row["refused_values"])) for each in lists if each.row["refused_values"]],
            "They are left out as unknown.",
        ),
    ]
    unknown = (_unknown(playlists, what, part) for what, part in (("Genres", "genres"), ("Audio features", "features")))
    return [
        *_of_all(answers, lists),
        *(each for each in found if each.lists),
        *filter(None, unknown),
        *_of_charts(current),
    ]


def _of_all(answers: Answers, lists: Sequence[RecordingList]) -> Iterable[Caveat]:
    simulated = [each for each in lists if each.is_simulated]
    if simulated:
        yield Caveat(
            "Simulated",
            [] if len(simulated) == len(lists) else [(each, "") for each in simulated],
            "Tracks, artists, genres and audio features are real. Ranks, popularity, streams, listens, followers, "
            "labels and release dates are made up. No conclusion about music follows.",
        )
    if answers.absent:
        not_deployed = f"Not deployed: {', '.join(answers.absent)}"
        yield Caveat(not_deployed, (), "They know what they were told before; what came since is missing.")


def _of_charts(current: Sequence[RecordingList]) -> Iterable[Caveat]:
    if all(each.is_chart for each in current):
        yield Caveat("Genres and sound are not known", (), "Charts tell none; playlists do.")


def _gap(list_: RecordingList) -> str:
    before = min((age for age in list_.weeks if age), default=None)
    return "none in half a year" if before is None else f"{before} weeks apart"


def _unknown(lists: Sequence[RecordingList], what: str, part: str) -> Caveat | None:
    shares = [(each, each.row[part] or 0) for each in lists]
    lacking = [(each, f"{share:.0f} %") for each, share in shares if share < _ALL]
    if lists and all(share == 0 for _, share in shares):
        return Caveat(f"{what} are not known", (), "Nobody told any this week.")
    return Caveat(f"{what} are known of a part only", lacking, "Shares and averages are of that.") if lacking else None
