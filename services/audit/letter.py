"""The letter of the daily audit: what is wrong, since when, and the command that mends it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from contracts.operations.audit import Gap, Mending

MOST_DETAILS: Final = 10
"""The most lines below a finding; the command shows all."""

_END: Final = (
    "This letter comes each day until nothing is wrong; then there is none.\nWhat else to do is in infra/OPERATIONS.md."
)
_OF_GAPS: Final[Mapping[Mending, str]] = {
    "replay": "Outputs of snapshots that are missing, stale or altered",
    "catalog": "Differences between the catalog and what is declared",
    "person": "Gaps that somebody must decide about",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that somebody should look at.

    Attributes:
        what: What is wrong, as a sentence.
        command: The command that mends it, or shows how.
        since: When it began, if known.
        details: What it is about, a line each.
    """

    what: str
    command: str
    since: datetime | None = None
    details: Sequence[str] = ()


class Letter(NamedTuple):
    """A letter in plain text."""

    subject: str
    body: str


def findings_of(gaps: Iterable[Gap], environment: str) -> Iterator[Finding]:
    """Yields a finding for each way in which gaps are repaired."""
    by_mending: dict[Mending, list[Gap]] = defaultdict(list)
    for gap in gaps:
        by_mending[gap.mended_by].append(gap)
    for mending, found in by_mending.items():
        yield Finding(
            what=f"{_OF_GAPS.get(mending, 'Gaps')}: {len(found):,}.",
            command=f"earworm audit --env {environment}{'' if mending == 'person' else ' --repair'}",
            since=min((gap.since for gap in found if gap.since), default=None),
            details=_details_of(found),
        )


def _details_of(gaps: Iterable[Gap]) -> list[str]:
    """Returns a line for each fault of a snapshot, with all tables that have it."""
    tables: dict[tuple[str, str], list[str]] = defaultdict(list)
    for gap in gaps:
        snapshot = ", ".join(str(each) for each in (gap.playlist_id, gap.snapshot_date) if each)
        tables[snapshot, gap.what].append(gap.table or "")
    lines: list[str] = []
    for (snapshot, what), found in tables.items():
        named = ", ".join(filter(None, found))
        lines.append(": ".join(filter(None, (snapshot, what))) + (f" ({named})" if named else ""))
    return lines


def compose(findings: Sequence[Finding], environment: str, at: datetime) -> Letter:
    """Writes the letter about findings, of which there is one at least.

    Args:
        findings: What is wrong.
        environment: Where.
        at: When the audit began.
    """
    things = f"{len(findings)} {'things need' if len(findings) > 1 else 'thing needs'} attention"
    blocks = (
        f"Earworm looked at {environment} at {_minute(at)}: {things}.",
        *("\n".join(_lines(number, finding)) for number, finding in enumerate(findings, start=1)),
        _END,
    )
    return Letter(f"Earworm {environment}: {things}", "\n\n".join(blocks) + "\n")


def _lines(number: int, finding: Finding) -> Iterator[str]:
    yield f"{number}. {_on_one_line(finding.what)}"
    yield f"   since: {_minute(finding.since) if finding.since else 'unknown'}"
    yield f"   do:    {_on_one_line(finding.command)}"
    for detail in finding.details[:MOST_DETAILS]:
        yield f"   - {_on_one_line(detail)}"
    if len(finding.details) > MOST_DETAILS:
        yield f"   - and {len(finding.details) - MOST_DETAILS:,} more"


def _on_one_line(text: str) -> str:
    """Returns text from outside without what would end its line."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
