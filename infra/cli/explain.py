"""Where rows come from: the run, the raw object and its version, the entry, and the code that made them of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from botocore.exceptions import ClientError
from pydantic import TypeAdapter
from rich.markup import escape
from rich.text import Text

from contracts.snapshot import Provenance, Snapshot, TrackEntry, read_snapshot
from contracts.spotify import credits_of, field_of, sound
from contracts.tables import TABLES
from contracts.tables.receipts import Receipt
from infra.cli.cloud import find_cloud
from infra.cli.logs import Environment
from infra.cli.screen import ConsoleError, out
from shared.lake import SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LONGEST_ENTRY: Final = 2_000
_RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)


@dataclass(frozen=True, slots=True)
class Origin:
    """What rows of a table for a snapshot were made from.

    Attributes:
        receipt: The table's receipt.
        raw: The raw object as it was read then, JSON.
        snapshot: The same, read.
    """

    receipt: Receipt
    raw: Any
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the raw document that a row was made of.

    Attributes:
        location: JSON path of the value.
        position: Place of its entry in the playlist; None for the playlist itself.
    """

    location: str
    position: int | None


def origin(s3: "S3Client", bucket: str, table: str, key: SnapshotKey) -> Origin:
    """What the rows of a snapshot in a table were made from, by the table's receipt.

    Raises:
        ConsoleError: The table has no receipt of it, or the version of the raw object is gone.
    """
    try:
        body = s3.get_object(Bucket=bucket, Key=key.receipt(table))["Body"].read()
    except ClientError as fault:
        raise _gone(fault, f"{table} has no receipt of {key.playlist_id} on {key.snapshot_date}") from None
    receipt = _RECEIPT.validate_json(body)
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
    return Origin(
        receipt, json.loads(raw), read_snapshot(raw, Provenance(key.playlist_id, key.snapshot_date, receipt["run_id"]))
    )


def entries(snapshot: Snapshot, table: str, name: str | None) -> list[Entry]:
    """The places that rows of a table were made of, each at its first.

    Args:
        snapshot: The snapshot.
        table: The table.
        name: The Spotify id of the row's track, artist or album, or its position; None is every row.
    """
    seen: set[str] = set()
    found = []
    for row_id, entry in _rows(snapshot, table):
        is_wanted = name is None or name in {row_id, str(entry.position)}
        if is_wanted and (table == "songs" or row_id not in seen):
            found.append(entry)
        seen.add(row_id)
    return found


def value_at(document: Any, location: str) -> Any:
    """What a raw document holds at a JSON path such as `$.playlist.tracks.items[3]`."""
    for step in location.removeprefix("$").replace("[", ".[").split("."):
        if step:
            document = document[int(step[1:-1])] if step.startswith("[") else document[step]
    return document


def explain(
    table: Annotated[str, typer.Argument(help=f"One of {', '.join(TABLES)}.")],
    playlist: Annotated[str, typer.Option(help="Id of the playlist.")],
    day: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Day of the snapshot.")],
    track: Annotated[
        str | None,
        typer.Option(help="Spotify id of the row's track (artist, album), or its position. [default: every row]"),
    ] = None,
    environment: Environment = "dev",
) -> None:
    """Tell where rows come from: run, raw object and version, entry, code version and receipt."""
    if table not in TABLES:
        raise ConsoleError(f"There is no table {table!r}: choose among {', '.join(TABLES)}.")
    cloud = find_cloud(environment)
    key = SnapshotKey(day.date(), playlist)
    found = origin(cloud.client("s3"), cloud.platform.bucket, table, key)
    places = entries(found.snapshot, table, track)
    if not places:
        raise ConsoleError(_no_row(found, table, track, key.snapshot_date))
    receipt = found.receipt
    numbers = ", ".join(f"{receipt[n]} {n}" for n in ("entries", "rows", "rejected", "skipped_entries"))
    bucket = cloud.platform.bucket
    for name, text in (
        ("run", receipt["run_id"] or "none: the document was loaded"),
        ("raw object", f"s3://{bucket}/{receipt['raw_key']}"),
        ("its version", f"{receipt['raw_version_id']}, ETag {receipt['raw_etag']}"),
        ("rows", f"s3://{bucket}/{receipt['parquet_key']}"),
        ("receipt", f"s3://{bucket}/{key.receipt(table)}"),
        ("", f"{numbers.replace('_entries', '')} {receipt['skipped']}"),
        ("code", f"{table} {receipt['service_version']}, contract version {receipt['contract_version']}"),
    ):
        out.print(f"[cyan]{name:<12}[/] {escape(text)}", soft_wrap=True)
    for place in places:
        at = "" if place.position is None else f"  [dim]position {place.position}[/]"
        out.print(f"[cyan]{'entry':<12}[/] {escape(place.location)}{at}", soft_wrap=True)
        if track is not None:
            text = json.dumps(value_at(found.raw, place.location), ensure_ascii=False, indent=2)
            out.print(Text(text[:_LONGEST_ENTRY] + ("…" if len(text) > _LONGEST_ENTRY else ""), "dim"))


def _rows(snapshot: Snapshot, table: str) -> Iterator[tuple[str, Entry]]:
    """The id of each candidate that names one, and where it is, in the order of the playlist."""
    if table == "playlist_metadata":
        yield "", Entry("$", None)
        return
    for entry in snapshot.entries:
        if isinstance(entry, TrackEntry):
            yield from _rows_of(snapshot, table, entry)


def _rows_of(snapshot: Snapshot, table: str, entry: TrackEntry) -> Iterator[tuple[str, Entry]]:
    position, track = entry.position, entry.track
    match table:
        case "artists":
            for index, artist in credits_of(track):
                if artist_id := sound(field_of(artist, "id")):
                    yield artist_id, Entry(f"{entry.track_location}.artists[{index}]", position)
        case "albums":
            if album_id := sound(field_of(track.album, "id")):
                yield album_id, Entry(f"{entry.track_location}.album", position)
        case "track_features":
            sourced = snapshot.features_of(track)
            if sourced and (track_id := sound(track.id)):
                yield track_id, Entry(sourced.location, position)
        case _:
            yield str(sound(track.id)), Entry(entry.location, position)


def _no_row(found: Origin, table: str, name: str | None, day: date) -> str:
    return (
        f"{table} has no row {name or ''} of that playlist on {day}: its receipt counts {found.receipt['rows']} rows, "
        f"{found.receipt['rejected']} rejected and skipped {found.receipt['skipped']}."
    )


def _gone(fault: ClientError, sentence: str) -> Exception:
    if fault.response["Error"]["Code"] not in {"NoSuchKey", "NoSuchVersion", "PreconditionFailed"}:
        return fault
    return ConsoleError(f"{sentence}: `earworm audit` tells whether it should be there.")
