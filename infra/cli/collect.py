"""Runs of the collectors, and the wait until their snapshots are in every table."""

import json
import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from botocore.exceptions import ClientError
from rich.progress import Progress

from contracts.operations.chart_collection import ChartRequest, ChartRunSummary
from contracts.operations.extraction import ExtractionRequest, RunSummary
from contracts.playlists import playlist_ids_between_commas
from contracts.tables import of_kind
from contracts.tables.receipts import Receipt
from infra.cli.cloud import CONNECTIONS, STATE
from infra.cli.days import today
from infra.cli.functions import as_asked, invoke, not_deployed
from infra.cli.receipts import find_receipt
from infra.cli.screen import ConsoleError, err
from infra.deploying.stacks import stack_name
from infra.local.listenbrainz import client as listenbrainz
from infra.local.processes import exclusive
from infra.local.spotify.client import SimulatorClient, find_simulator
from infra.waiting import poll
from shared import objects
from shared.lake import PLAYLISTS, Place, SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from infra.cli.cloud import Cloud

_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
_HOUR_OF_THE_SCHEDULE = 6
_PATIENCE = 180.0
_PAUSE = 0.2
_MOST_NAMED = 5
_QUIET_WAIT = 5.0
_UNVERSIONED = "null"
"""The version of an object that was written while its bucket kept none."""


def stored(summary: RunSummary | ChartRunSummary) -> list[SnapshotKey]:
    """The snapshots of a run that are in the raw prefix."""
    lists = summary.playlists if isinstance(summary, RunSummary) else summary.charts
    return [SnapshotKey.from_raw(each.key) for each in lists if each.key]


class Landed(NamedTuple):
    """What a table's receipt of a snapshot counts."""

    entries: int
    rows: int
    rejected: int
    refused_values: int
    skipped: int
    gaps: tuple[int, ...]

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """What a receipt counts."""
        return cls(
            entries=receipt["entries"],
            rows=receipt["rows"],
            rejected=receipt["rejected"],
            refused_values=receipt["refused_values"] or 0,
            skipped=receipt["skipped_entries"],
            gaps=tuple(json.loads(receipt["gaps"] or "[]")),
        )


class IncompleteError(ConsoleError):
    """Tables did not become complete in time.

    Attributes:
        landed: What did.
        missing: What did not.
    """

    def __init__(self, text: str, landed: Mapping[Place, Landed], missing: Collection[Place]) -> None:
        super().__init__(text)
        self.landed = landed
        self.missing = missing


def mondays(weeks: int, until: date) -> list[date]:
    """The last so many Mondays up to a day, the oldest first."""
    last = until - timedelta(days=until.weekday())
    return [last - timedelta(weeks=back) for back in reversed(range(weeks))]


def extract(cloud: "Cloud", day: date, playlists: Sequence[str] = ()) -> RunSummary:
    """Invokes the extractor as its schedule would on a day: same target, same input.

    Raises:
        ConsoleError: The extractor is not deployed or failed, or Spotify cannot tell of that day.
    """
    with turned_to(cloud, day):
        return invoke_extractor(cloud, day, playlists)


def invoke_extractor(cloud: "Cloud", day: date, playlists: Sequence[str] = ()) -> RunSummary:
    """The same on whatever day Spotify shows.

    Raises:
        ConsoleError: The extractor is not deployed or failed.
    """
    event = _scheduled_event(cloud, "extractor", "weekly", day)
    with as_asked():
        request = ExtractionRequest.model_validate(event | ({"playlists": list(playlists)} if playlists else {}))
    return invoke(cloud, "extractor", request, RunSummary)


def collect_listenbrainz(cloud: "Cloud", day: date) -> ChartRunSummary:
    """Invokes the collector of ListenBrainz as its schedule would on a day.

    Raises:
        ConsoleError: It is not deployed or failed.
    """
    with as_asked():
        request = ChartRequest.model_validate(_scheduled_event(cloud, "listenbrainz", "listenbrainz", day))
    with _showing(listenbrainz.find_simulator(cloud.variables), day):
        return invoke(cloud, "listenbrainz", request, ChartRunSummary)


def missing_playlists(cloud: "Cloud", day: date, wanted: Iterable[str]) -> list[str]:
    """Those of the wanted playlists that have no raw snapshot of a day."""
    of_the_day = f"{PLAYLISTS.prefix('raw')}{day}/"
    found = objects.listed(cloud.client("s3"), cloud.platform.bucket, of_the_day)
    stored = {key.list_id for each in found if (key := SnapshotKey.find(each["Key"]))}
    return [playlist for playlist in wanted if playlist not in stored]


def await_tables(cloud: "Cloud", snapshots: Iterable[SnapshotKey], bar: Progress) -> dict[Place, Landed]:
    """Waits until every deployed table of a snapshot's kind has a receipt of it as it is now.

    Raises:
        IncompleteError: Nothing was completed for three minutes; names what is missing.
    """
    s3, bucket, tables = cloud.client("s3"), cloud.platform.bucket, cloud.tables()
    pending = {key.receipt(table): Place(table, key) for key in snapshots for table in of_kind(key.kind.name, tables)}
    landed: dict[Place, Landed] = {}
    seen: dict[str, str] = {}
    task = bar.add_task("tables complete", total=len(pending), note="")
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        versions = stored_versions(s3, bucket, {place.key for place in pending.values()})

        def look(receipt: str) -> Receipt | None:
            return find_receipt(s3, bucket, receipt)

        def is_current(key: SnapshotKey, receipt: Receipt) -> bool:
            """Whether a receipt was made from the raw object as it is now."""
            return (receipt["raw_version_id"] or receipt["raw_etag"]) == versions.get(key)

        def done() -> dict[str, Landed]:
            began = time.monotonic()
            there = dict(chain.from_iterable(pool.map(lambda prefix: _etags(s3, bucket, prefix), _folders(pending))))
            took = time.monotonic() - began
            changed = [key for key in pending if there.get(key) not in {None, seen.get(key)}]
            seen.update((key, there[key]) for key in changed)
            found = {key: receipt for key, receipt in zip(changed, pool.map(look, changed), strict=True) if receipt}
            if others := {pending[key].key for key, each in found.items() if not is_current(pending[key].key, each)}:
                versions.update(stored_versions(s3, bucket, others))  # another run may have replaced them meanwhile
            complete = {key: Landed.of(each) for key, each in found.items() if is_current(pending[key].key, each)}
            if len(complete) < len(pending):
                # Looking again costs whoever does the work as well where the cloud is this machine.
                time.sleep(4 * took)
            return complete

        while pending:
            complete = poll(done, pause=_PAUSE, patience=_PATIENCE)
            if not complete:
                raise IncompleteError(
                    f"Nothing was completed for {_PATIENCE:.0f} seconds; still missing: "
                    f"{missing(cloud, pending.values())}",
                    landed,
                    pending.values(),
                )
            landed |= {pending.pop(key): found for key, found in complete.items()}
            bar.advance(task, len(complete))
    return landed


def stored_versions(s3: "S3Client", bucket: str, keys: Collection[SnapshotKey]) -> dict[SnapshotKey, str]:
    """The version of each raw object that is there now, by listings: thousands of objects take a few calls."""
    wanted = {key.raw: key for key in keys}
    folders = {raw.rsplit("/", 2)[0] for raw in wanted}
    # Days, or months where the days are many.
    prefixes = {f"{each}/" for each in folders} if len(folders) <= CONNECTIONS else {each[:-2] for each in folders}
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        listed = chain.from_iterable(pool.map(lambda prefix: _versions(s3, bucket, prefix), sorted(prefixes)))
        return {wanted[key]: version for key, version in listed if key in wanted}


def _versions(s3: "S3Client", bucket: str, prefix: str) -> list[tuple[str, str]]:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    return [
        (found["Key"], found["ETag"].strip('"') if (version := found["VersionId"]) == _UNVERSIONED else version)
        for page in pages
        for found in page.get("Versions", ())
        if found["IsLatest"]
    ]


def configured_playlists(cloud: "Cloud") -> list[str]:
    """The playlists that the deployed extractor takes snapshots of."""
    name = stack_name(cloud.environment, "extractor")
    try:
        configuration = cloud.client("lambda").get_function_configuration(FunctionName=name)
    except ClientError as fault:
        raise not_deployed(cloud, "extractor", fault) from None
    try:
        return list(playlist_ids_between_commas(configuration["Environment"]["Variables"]["PLAYLIST_ID"]))
    except ValueError as fault:
        raise ConsoleError(
            f"PLAYLIST_ID of the deployed extractor: {fault}. Set PLAYLIST_ID, and run "
            f"`{cloud.command('deploy extractor')}`."
        ) from None


@contextmanager
def turned_to(cloud: "Cloud", day: date) -> Iterator[SimulatorClient | None]:
    """Lets Spotify show a day, and no other console turn the simulator to another one meanwhile.

    Yields:
        The simulator; None where Spotify is the real one.

    Raises:
        ConsoleError: The real Spotify is asked for another day than today.
    """
    simulator = find_simulator(cloud.variables)
    if simulator is None and day != today():
        raise ConsoleError(
            f"Spotify keeps no history: it would give today's playlist for {day}. Extract today's, load documents of "
            "that day with `earworm load`, or try the simulator with `earworm up`."
        )
    with _showing(simulator, day):
        yield simulator


class _Simulator(Protocol):
    def set_date(self, day: date) -> object: ...


@contextmanager
def _showing(simulator: _Simulator | None, day: date) -> Iterator[None]:
    if simulator is None:
        yield
        return
    this = f"`{' '.join(['earworm', *sys.argv[1:]])}`, process {os.getpid()}"
    with exclusive(STATE / "simulator.lock", note=this, told=_tell_of_the_wait, patience=_QUIET_WAIT):
        simulator.set_date(day)
        yield


def _tell_of_the_wait(holder: str) -> None:
    err.print(
        f"The simulator shows one day at a time, and {holder or 'another console'} takes snapshots of it: waiting.",
        soft_wrap=True,
        markup=False,
    )


def _scheduled_event(cloud: "Cloud", service: str, schedule: str, day: date) -> dict[str, Any]:
    """The event that a collector's schedule starts it with on a day."""
    name = f"earworm-{cloud.environment}-{schedule}"
    scheduler = cloud.client("scheduler")
    try:
        target = scheduler.get_schedule(Name=name)["Target"]
    except scheduler.exceptions.ResourceNotFoundException:
        raise ConsoleError(
            f"There is no schedule {name} at {cloud.address}: run `{cloud.command(f'deploy {service}')}`."
        ) from None
    moment = datetime.combine(day, time_of_day(_HOUR_OF_THE_SCHEDULE), UTC)
    event: dict[str, Any] = json.loads(target["Input"].replace(_SCHEDULED_TIME, f"{moment:%Y-%m-%dT%H:%M:%SZ}"))
    return event


def _folders(keys: Iterable[str]) -> set[str]:
    """What to list to see the keys: their days, or their months where the days are many."""
    days = {key.rpartition("/")[0] for key in keys}
    return {f"{day}/" for day in days} if len(days) <= CONNECTIONS else {f"{day.rpartition('/')[0]}/" for day in days}


def _etags(s3: "S3Client", bucket: str, prefix: str) -> list[tuple[str, str]]:
    return [(found["Key"], found["ETag"]) for found in objects.listed(s3, bucket, prefix)]


def written_since(s3: "S3Client", bucket: str, keys: Iterable[str], since: datetime) -> int:
    """How many objects were written since a moment, by listings."""
    wanted = frozenset(keys)
    return sum(
        found["Key"] in wanted and found["LastModified"] >= since
        for prefix in _folders(wanted)
        for found in objects.listed(s3, bucket, prefix)
    )


def missing(cloud: "Cloud", places: Collection[Place]) -> str:
    """Names places that nothing came to, or the first of many, and what tells why."""
    named = [
        f"{table} of {key.list_id} on {key.snapshot_date}"
        for table, key in sorted(places, key=lambda each: (each.table, each.key.raw))
    ]
    more = f"; and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return (
        f"{'; '.join(named[:_MOST_NAMED])}{more}. `{cloud.command('dlq')}` shows what was set aside, "
        f"`{cloud.command('failures')}` what failed."
    )
