"""Finds out how to repair each gap: by a replay, a corrected document, or a person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from rich.markup import escape

from contracts.elements import UnreadableSnapshotError
from contracts.lists import read_list
from contracts.operations.audit import Gap, Mending
from contracts.operations.dead_letters import NO_DIAGNOSIS
from contracts.operations.redrive import LetterSummary
from contracts.snapshot import Provenance
from infra.cli import dlq
from infra.cli.cloud import Cloud
from infra.cli.contents import Bucket
from infra.cli.replay import Announcement
from infra.cli.screen import ConsoleError, err
from shared.lake import SnapshotKey

_TO_DO: Final[Mapping[Mending, str]] = {
    "replay": "{repair}",
    "catalog": "{repair}",
    "document": "correct the raw object, or remove it: {cause}",
    "code": "a replay did not repair it: {cause}",
    "person": "{cause}",
}
_ORPHANED: Final = "restore the raw object from an older version, or remove this one"


def what_to_do(gap: Gap, repair: str) -> str:
    """Says how to repair a gap.

    Args:
        gap: The gap.
        repair: The command that repairs gaps.
    """
    return _TO_DO[gap.mended_by].format(repair=repair, cause=gap.cause or _ORPHANED)


def announcements(gaps: Sequence[Gap]) -> list[Announcement]:
    """Returns the announcements that repair those gaps that a replay can repair, each once."""
    places = {(gap.raw_key, gap.table) for gap in gaps if gap.mended_by == "replay" and gap.raw_key and gap.table}
    return [Announcement(SnapshotKey.from_raw(raw_key), table) for raw_key, table in sorted(places)]


def with_documents(cloud: Cloud, gaps: Sequence[Gap]) -> list[Gap]:
    """Returns the gaps, marking those that a replay cannot repair because the raw document cannot be read."""
    replays = [gap for gap in gaps if gap.mended_by == "replay"]
    letters = _dead_letters(cloud, replays, lambda letter: letter.error_class != NO_DIAGNOSIS)
    bucket = Bucket(cloud.client("s3"), cloud.platform.bucket)
    documents = {key: _fault_of_document(bucket, key) for key in {gap.raw_key or "" for gap in replays}}

    def refined(gap: Gap) -> Gap:
        cause = letters.get(_raw_key_and_table(gap)) or documents.get(gap.raw_key or "")
        return gap.because_of(cause, mended_by="document") if cause and gap.mended_by == "replay" else gap

    return [refined(gap) for gap in gaps]


def _fault_of_document(bucket: Bucket, raw_key: str) -> str | None:
    """Returns why no worker can read a raw document, in its dead letter's words; None if it can be read."""
    key = SnapshotKey.from_raw(raw_key)
    body = bucket.body(raw_key)
    if body is None:
        return None
    try:
        for _ in read_list(key.kind.name, body, Provenance(key.list_id, key.snapshot_date)).entries:
            pass
    except UnreadableSnapshotError as fault:
        return f"{type(fault).__name__}: {fault.location} {fault.problem}"
    return None


def _dead_letters(
    cloud: Cloud, gaps: Iterable[Gap], is_wanted: Callable[[LetterSummary], bool]
) -> Mapping[tuple[str, str], str]:
    """Returns class and sentence of the gaps' dead letters by raw key and table, none older than the raw object."""
    found: dict[tuple[str, str], str] = {}
    for table in sorted({gap.table for gap in gaps if gap.table}):
        try:
            letters = dlq.show(cloud, table).messages
        except ConsoleError as fault:
            err.print(f"[yellow]earworm:[/] the dead letters of {table} are unknown: {escape(str(fault))}")
            continue
        for letter in filter(is_wanted, letters):
            # S3's times have seconds, SQS's milliseconds.
            sent_at = letter.sent_at.replace(microsecond=0)
            sentence = letter.attributes.get("sentence")
            for raw in letter.raw_objects:
                if raw.last_modified is not None and raw.last_modified < sent_at:
                    found[raw.key, table] = f"{letter.error_class}: {sentence}" if sentence else letter.error_class
    return found


def what_repair_left(
    cloud: Cloud, gaps: Sequence[Gap], replays: Sequence[Announcement], tables: Iterable[str]
) -> list[Gap]:
    """Returns the gaps, with the reason why those that a repair tried remain."""
    tried = {(each.key.raw, each.table) for each in replays}
    left = [gap for gap in gaps if gap.mended_by == "replay" and _raw_key_and_table(gap) in tried]
    letters = _dead_letters(cloud, left, lambda _: True)
    undeclared = set(tables)

    def refined(gap: Gap) -> Gap:
        if gap in left:
            return gap.because_of(_of_code(gap, letters.get(_raw_key_and_table(gap))), mended_by="code")
        if gap.mended_by == "catalog" and gap.table in undeclared:
            return gap.because_of(
                "its deployed stack declares the same: earworm deploy catalog analytics", mended_by="person"
            )
        return gap

    return [refined(gap) for gap in gaps]


def _raw_key_and_table(gap: Gap) -> tuple[str, str]:
    return gap.raw_key or "", gap.table or ""


def _of_code(gap: Gap, letter: str | None) -> str:
    if letter:
        return f"earworm dlq show {gap.table} ({letter})"
    return f"no dead letter says why, see earworm logs --service {gap.table}"
