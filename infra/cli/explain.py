"""Finds where rows come from: the run, the raw object and its version, the entry, and the code."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from botocore.exceptions import ClientError
from rich.markup import escape
from rich.text import Text

from contracts.candidates import Candidate, Reject, Skip
from contracts.chart import read_raw_chart
from contracts.documents import decoded
from contracts.elements import UnreadableSnapshotError, parse_leniently
from contracts.layouts import text_of
from contracts.lists import ListSnapshot, read_list
from contracts.snapshot import Provenance
from contracts.tables import TABLES
from contracts.tables.receipts import Receipt
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.completion import one_of
from infra.cli.days import lists_of, read_day
from infra.cli.environment import Environment
from infra.cli.loads import find_load
from infra.cli.receipts import find_receipt, skipped_by_rule
from infra.cli.screen import ConsoleError, UsageError, in_one_line, out, printable
from services import transform_of
from shared.lake import CHARTS, ListKind, SnapshotKey, kind_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENTRY: Final = re.compile(r"\$.*?items\[\d+\]")
_IDS: Final = ("track_id", "spotify_track_id", "recording_mbid")
_LONGEST_ENTRY: Final = 2_000
_ASK_THE_AUDIT: Final = "`earworm audit` says whether it should exist."


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a table's rows of a snapshot.

    Attributes:
        receipt: The table's receipt.
        raw: The raw object as it was read then, JSON.
        snapshot: The same, parsed.
    """

    receipt: Receipt
    raw: Any
    snapshot: ListSnapshot


@dataclass(frozen=True, slots=True)
class Entry:
    """A location in the raw document that a row was made from.

    Attributes:
        location: JSON path of the value.
        position: The position of its entry in the playlist; None if it is not within an entry.
    """

    location: str
    position: int | None


def origin(s3: "S3Client", bucket: str, table: str, key: SnapshotKey) -> Origin:
    """Returns the origin of a table's rows of a snapshot, by the table's receipt.

    Raises:
        ConsoleError: The table has no receipt for it, or the version of the raw object is gone.
    """
    receipt = find_receipt(s3, bucket, key.receipt(table))
    if receipt is None:
        raise ConsoleError(
            f"{table} has no receipt for {key.list_id} on {key.snapshot_date}: {_ASK_THE_AUDIT} "
            f"{lists_of(key.snapshot_date)}"
        )
    version = receipt["raw_version_id"]
    try:
        found = (
            s3.get_object(Bucket=bucket, Key=receipt["raw_key"], VersionId=version)
            if version
            else s3.get_object(Bucket=bucket, Key=receipt["raw_key"], IfMatch=receipt["raw_etag"])
        )
    except ClientError as fault:
        raise _gone(fault, f"version {version or receipt['raw_etag']} of {receipt['raw_key']} is gone") from None
    raw = found["Body"].read()
    try:
        provenance = Provenance(key.list_id, key.snapshot_date, receipt["run_id"])
        return Origin(receipt, _document(raw, key.kind), read_list(key.kind.name, raw, provenance))
    except UnreadableSnapshotError as fault:
        raise ConsoleError(
            f"s3://{bucket}/{receipt['raw_key']} can no longer be read, {fault}: see `earworm audit`."
        ) from None


def _document(raw: bytes, kind: ListKind) -> Any:
    """Returns the content of a raw object, with a document in text as text."""
    document = parse_leniently(decoded(raw))
    if kind is CHARTS and document["encoding"] != "json":
        document["document"] = text_of(read_raw_chart(raw).document)
    return document


def entries(snapshot: ListSnapshot, table: str, name: str | None) -> list[Entry]:
    """Returns the locations that rows of a table were made from, in the order of the rows.

    Args:
        snapshot: The snapshot.
        table: The table.
        name: What identifies the row: an id, or the position of its entry; None for every row.
    """
    positions = {each.location: each.position for each in snapshot.entries if not isinstance(each, Skip | Reject)}
    named = {*TABLES[table].key, *_IDS}.difference(TABLES[table].snapshot)
    found = []
    for candidate in transform_of(table)(snapshot):
        if isinstance(candidate, Candidate):
            entry = _ENTRY.match(candidate.location)
            place = Entry(candidate.location, positions.get(entry[0] if entry else candidate.location))
            names = {str(place.position), *(str(candidate.row.get(column)) for column in named)}
            if name is None or name in names:
                found.append(place)
    return found


def value_at(document: Any, location: str) -> Any:
    """Returns the value in a raw document at a JSON path such as `$.playlist.tracks.items[3]`, or a line of a text."""
    path, _, line = location.partition(" line ")
    for step in path.removeprefix("$").replace("[", ".[").split("."):
        if step:
            document = document[int(step[1:-1])] if step.startswith("[") else document[step]
    return [*StringIO(document, newline="")][int(line) - 1] if line else document


def explain(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", autocompletion=one_of(lambda: TABLES), help=f"One of {', '.join(TABLES)}.")
    ],
    of: Annotated[
        str,
        typer.Option(
            "--playlist", "--chart", metavar="ID", help="Id of the playlist; of a chart, <source>-<chart id>."
        ),
    ],
    day: Annotated[date, typer.Option("--date", parser=read_day, metavar="DAY", help="Day of the snapshot.")],
    track: Annotated[
        str | None,
        typer.Option(help="Spotify id of the row's track (artist, album), or its position. [default: every row]"),
    ] = None,
    environment: Environment = "dev",
) -> None:
    """Show where rows come from: run, raw object and version, entry, code version and receipt."""
    if table not in TABLES:
        raise UsageError(f"There is no table {table!r}: choose one of {', '.join(TABLES)}.")
    cloud = find_cloud(environment)
    cloud.tables()
    key = SnapshotKey(day, of, kind_of(TABLES[table]))
    found = origin(cloud.client("s3"), cloud.platform.bucket, table, key)
    places = entries(found.snapshot, table, track)
    if not places:
        raise ConsoleError(_no_row(found, table, track, key.snapshot_date))
    receipt = found.receipt
    numbers = ", ".join(f"{receipt[n]} {n}" for n in ("entries", "rows", "rejected", "skipped_entries"))
    skipped = skipped_by_rule(receipt)
    bucket = cloud.platform.bucket
    for name, text in (
        ("run", receipt["run_id"] or "unknown: the raw object names none"),
        *_loaded(cloud, receipt),
        ("raw object", f"s3://{bucket}/{receipt['raw_key']}"),
        ("its version", f"{receipt['raw_version_id']}, ETag {receipt['raw_etag']}"),
        ("rows", f"s3://{bucket}/{receipt['parquet_key']}"),
        ("receipt", f"s3://{bucket}/{key.receipt(table)}"),
        ("", f"{numbers.replace('_entries', '')}{f' ({skipped})' if skipped else ''}"),
        ("code", f"{table} {receipt['service_version']}, contract version {receipt['contract_version']}"),
    ):
        out.print(Text.assemble((f"{name:<12} ", "cyan"), text), soft_wrap=True)
    for place in places:
        at = "" if place.position is None else f"  [dim]position {place.position}[/]"
        out.print(f"[cyan]{'entry':<12}[/] {escape(place.location)}{at}", soft_wrap=True)
        if track is not None:
            text = printable(json.dumps(value_at(found.raw, place.location), ensure_ascii=False, indent=2))
            out.print(Text(text[:_LONGEST_ENTRY] + ("…" if len(text) > _LONGEST_ENTRY else ""), "dim"))


def _loaded(cloud: Cloud, receipt: Receipt) -> Iterator[tuple[str, str]]:
    """The file that a document was loaded from, if a load noted it."""
    load = find_load(cloud.client("s3"), cloud.platform.bucket, receipt["run_id"] or "")
    for document in load.documents if load else ():
        if load and document.key == receipt["raw_key"]:
            yield "loaded from", f"{in_one_line(document.file)}, {load.began:%Y-%m-%d %H:%M} UTC"


def _no_row(found: Origin, table: str, name: str | None, day: date) -> str:
    return (
        f"{table} has no row {name or ''} of that list on {day}: its receipt counts {found.receipt['rows']} rows, "
        f"{found.receipt['rejected']} rejected and {skipped_by_rule(found.receipt) or 'none'} skipped."
    )


def _gone(fault: ClientError, sentence: str) -> Exception:
    if fault.response["Error"]["Code"] not in {"NoSuchKey", "NoSuchVersion", "PreconditionFailed"}:
        return fault
    return ConsoleError(f"{sentence}: {_ASK_THE_AUDIT}")
