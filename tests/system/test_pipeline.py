"""The whole pipeline on the local cloud, driven as a user drives it: through the console."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from http import HTTPStatus
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests
from dateutil.relativedelta import relativedelta
from markupsafe import escape

from analytics.sql import queries, views
from contracts.operations.log_events import LogEvent
from contracts.tables import OPERATIONS, TABLES, of_kind
from infra.cli import collect, days, explain, logs, query, report, spans, trace
from infra.cli.screen import ConsoleError
from infra.demos import tiers
from infra.deploying.deploy import standing
from infra.deploying.stacks import COMPONENTS, OPTIONAL
from infra.local.spotify.admin import Fault
from infra.local.spotify.catalogue import load_catalogue
from infra.local.spotify.client import SimulatorClient
from infra.local.spotify.trending import ARCHIVE, TRENDING_COUNTRY, TRENDING_HIP_HOP, Trends
from infra.local.spotify.trending import PLAYLISTS as TRENDING
from shared.lake import SnapshotKey
from tests.charts import REGIONAL_WEEKLY, chart_file, track_id
from tests.documents import entry, playlist, track
from tests.system.pipeline import Pipeline
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("environment_of_the_pipeline")]

MONDAYS = [date(2026, 11, 16), date(2026, 11, 23)]
"""The weeks that are collected, in which the simulator's lists have something to tell for every query."""
TUESDAY = MONDAYS[-1] + timedelta(days=1)
PLAYLISTS = 2
PLAYLIST_TABLES = of_kind("playlists")
IDS = {
    "songs": "track_id",
    "artists": "artist_id",
    "albums": "album_id",
    "track_features": "track_id",
    "playlist_metadata": "playlist_id",
}

FIVE = [each.id for each in (*TRENDING, TRENDING_HIP_HOP, TRENDING_COUNTRY, ARCHIVE)]


@pytest.fixture(scope="module")
def pipeline(pipeline: Pipeline) -> Pipeline:
    for monday in MONDAYS:
        pipeline.earworm("run", "--date", str(monday))
    return pipeline


def test_every_snapshot_is_in_every_table_and_every_receipt_adds_up(pipeline: Pipeline) -> None:
    receipts = pipeline.ask("SELECT table_name, snapshot_date, entries, rows, rejected, skipped_entries FROM receipts")

    assert len(receipts) >= len(MONDAYS) * PLAYLISTS * len(PLAYLIST_TABLES)
    for receipt in receipts:
        entries, rows, rejected, skipped = (
            int(receipt[name] or 0) for name in ("entries", "rows", "rejected", "skipped_entries")
        )
        assert entries == rows + rejected + skipped
    for table in PLAYLIST_TABLES:
        receipted = sum(int(receipt["rows"] or 0) for receipt in receipts if receipt["table_name"] == table)
        assert pipeline.ask(f"SELECT count(*) AS rows FROM {table}") == [{"rows": str(receipted)}]
        assert len(pipeline.rows(table)) == receipted


def test_a_compacted_month_answers_the_same_queries_with_the_same_rows_from_one_file(pipeline: Pipeline) -> None:
    days = sorted({str(row["snapshot_date"]) for row in pipeline.rows("songs")})
    year, month, _ = days[-1].split("-")

    pipeline.earworm("compact", "--month", f"{year}-{month}", "--table", "songs", "--table", "albums")

    assert len(pipeline.etags("compacted/spotify/songs/")) == 1
    for table in ("songs", "albums"):
        of_month = f"WHERE year = '{year}' AND month = '{month}'"
        query = f"SELECT * FROM {table} {of_month}"
        columns = ", ".join(pipeline.ask(f"{query} LIMIT 1")[0])
        asked, answered = (f"SELECT {columns} FROM {name} {of_month}" for name in (table, f"{table}_compacted"))
        assert pipeline.ask(answered), table
        assert pipeline.ask(f"{asked} EXCEPT {answered}") == pipeline.ask(f"{answered} EXCEPT {asked}") == []
        assert pipeline.ask(f"SELECT count(*) AS n FROM {table} {of_month}") == pipeline.ask(
            f"SELECT count(*) AS n FROM {table}_compacted {of_month}"
        )


def test_the_simulated_weeks_are_complete_with_genres_features_and_popularity(pipeline: Pipeline) -> None:
    mondays = {str(day) for day in MONDAYS}
    simulated = [row for row in pipeline.rows("playlist_metadata") if row["snapshot_date"] in mondays]
    assert len(simulated) == len(MONDAYS) * PLAYLISTS
    for row in simulated:
        assert (row["track_entries"], row["outcome"], row["drift"]) == (50, "ok", "[]")
        assert (row["features_coverage"], row["popularity_coverage"], row["genres_coverage"]) == (1, 1, 1)


def test_collecting_again_changes_no_object(pipeline: Pipeline) -> None:
    pipeline.earworm("backfill", "--weeks", "2")
    before = pipeline.etags("raw/") | pipeline.etags("processed/") | pipeline.etags("receipts/")

    pipeline.earworm("backfill", "--weeks", "2")

    assert pipeline.etags("raw/") | pipeline.etags("processed/") | pipeline.etags("receipts/") == before


def test_a_repeated_run_of_a_day_replaces_its_snapshot_everywhere(pipeline: Pipeline) -> None:
    day = date(2025, 3, 3)

    of_one = ("--playlist", collect.configured_playlists(pipeline.cloud)[0])
    first, second = (pipeline.earworm("run", "--date", str(day), *of_one) for _ in range(2))

    runs = pipeline.ask(f"SELECT DISTINCT run_id FROM songs WHERE snapshot_date = '{day}'")
    assert len(runs) == 1
    assert str(runs[0]["run_id"]) in second
    assert str(runs[0]["run_id"]) not in first


def test_the_top_artists_are_those_of_a_direct_computation(pipeline: Pipeline, tmp_path: Path) -> None:
    # given songs of which some are older than six months and one has no popularity; each id is a recording of its own
    document = tmp_path / "unknown.json"
    document.write_text(json.dumps(playlist(entry(track("Unknown", id=None, popularity=0)), id=None)))
    pipeline.earworm("load", "--date", str(TUESDAY), "--playlist", "unknown", str(document))
    pipeline.earworm("run", "--date", str(TUESDAY - relativedelta(months=7)))

    # when Athena is asked on the console
    since = TUESDAY - relativedelta(months=6)
    plain = ("--credits", "first", "--recordings", "1", "--entries", "1")
    answer = json.loads(
        pipeline.earworm("query", "top_artists", *plain, "--from", str(since), f"--to={TUESDAY}", "--json")
    )

    # then it tells the averages over the real dates of the last six months, in order
    popularities: dict[tuple[str, str], list[int]] = {}
    for song in pipeline.rows("songs"):
        if song["popularity"] is not None and since <= date.fromisoformat(song["snapshot_date"]) <= TUESDAY:
            popularities.setdefault((song["artist_id"], song["artist_name"]), []).append(song["popularity"])
    ranked = sorted(
        ((round(sum(of) / len(of), 2), len(of), name) for (_, name), of in popularities.items()),
        key=lambda each: (-each[0], -each[1], each[2]),
    )
    assert [(row["average_popularity"], row["entries"], row["artist_name"]) for row in answer] == ranked[:10]


def test_every_view_and_every_named_query_answers(pipeline: Pipeline) -> None:
    # given what the stack put into Athena
    athena = pipeline.cloud.client("athena")
    workgroup = pipeline.cloud.platform.workgroup
    ids = athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
    stored = {
        each["Name"]: each["QueryString"] for each in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]
    }

    # then it is what the folder holds
    assert {name: text.split() for name, text in stored.items()} == {n: q.text.split() for n, q in queries().items()}

    # and views have the rows of their tables, queries those of the simulated weeks
    counted = {view.name: int(pipeline.ask(f"SELECT count(*) AS n FROM {view.name}")[0]["n"] or 0) for view in views()}
    songs = len(pipeline.rows("songs"))
    (of_the_charts,) = pipeline.ask("SELECT count(*) AS n FROM charts")
    assert counted["spotify_tracks"] == songs < counted["song_artists"]
    assert 0 < counted["weekly_chart"] == counted["chart_entries"] <= songs + int(of_the_charts["n"] or 0)
    assert counted["artist_genres"] > 0
    of_charts = {"chart_coverage", "label_share_by_streams", "playlist_to_chart", "streams_gained_and_lost"}
    for name in queries():
        _, answer = query.ask(pipeline.cloud, name, (), TUESDAY)
        # momentum is that of two weeks at least, and a list follows another in its second chart at the earliest
        empty = {"rejects_by_reason", "momentum", "playlist_spread", "watch_list", "watched_events"}
        assert answer.rows or name in empty | of_charts


def test_the_report_tells_the_charts_of_the_simulator(pipeline: Pipeline, tmp_path: Path) -> None:
    monday = MONDAYS[-1]

    index = report.write(pipeline.cloud, monday, tmp_path)

    html = "".join(page.read_text("utf-8") for page in index.parent.rglob("*.html"))
    for song in pipeline.rows("songs"):
        if song["snapshot_date"] == str(monday) and song["track_id"]:
            assert escape(song["track_name"]) in html
    assert "simulated" in html
    with pytest.raises(ConsoleError, match="no chart of the week of 2010-01-04"):
        report.write(pipeline.cloud, date(2010, 1, 4), tmp_path)


def test_the_report_of_a_complete_week_is_in_the_lake_and_its_link_opens(pipeline: Pipeline) -> None:
    # given a week that is in every table, and somebody who listens to the topic of pages and asked for the link
    monday = MONDAYS[0]
    page = f"reports/spotify/week={monday}/index.html"
    for earlier in pipeline.etags("reports/"):
        pipeline.s3.delete_object(Bucket=pipeline.bucket, Key=earlier)
    receipt = next(key for key in pipeline.etags(f"receipts/spotify/{monday:year=%Y/month=%m/day=%d}/"))
    read_letters = _subscribed(pipeline)
    pipeline.earworm("deploy", "report", "--set", "LinkHours=1")

    # when a receipt is missing, then nothing is made
    kept = pipeline.s3.get_object(Bucket=pipeline.bucket, Key=receipt)
    pipeline.s3.delete_object(Bucket=pipeline.bucket, Key=receipt)
    waiting = _report(pipeline, week=str(monday))
    assert (waiting["outcome"], waiting["missing"], pipeline.etags("reports/")) == ("waiting", [receipt], {})
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=receipt, Body=kept["Body"].read(), Metadata=kept["Metadata"])

    # when it is there again, then the page is made, with the charts of the week
    assert _report(pipeline, week=str(monday))["outcome"] == "written"
    assert page in pipeline.etags("reports/")
    written = pipeline.s3.get_object(Bucket=pipeline.bucket, Key=page.replace("index", f"week-{monday}"))
    html = written["Body"].read().decode()
    assert written["ContentType"] == "text/html; charset=utf-8"
    assert "made up. No conclusion about music follows" in html
    pages = [
        pipeline.s3.get_object(Bucket=pipeline.bucket, Key=key)["Body"].read().decode()
        for key in pipeline.etags(page.removesuffix("index.html"))
    ]
    assert sum(each.count("<svg") for each in pages) > 50
    for song in pipeline.rows("songs"):
        if song["snapshot_date"] == str(monday) and song["track_id"]:
            assert escape(song["track_name"]) in "".join(pages)

    # then whoever has the link needs no more than that
    (letter,) = read_letters()
    (link,) = re.findall(r"http://\S+", letter["Message"])
    opened = requests.get(link, timeout=60)
    assert (opened.text, opened.headers["Content-Type"]) == (html, "text/html; charset=utf-8")
    assert requests.get(link.partition("?")[0], timeout=60).status_code == HTTPStatus.FORBIDDEN


def test_the_report_of_this_week_is_made_once(pipeline: Pipeline) -> None:
    (this_week,) = collect.mondays(1, days.today())
    pipeline.earworm("run")

    outcomes = [_reports(pipeline)[str(this_week)]["outcome"] for _ in range(2)]

    assert outcomes == ["written", "unchanged"]


def _report(pipeline: Pipeline, week: str) -> Any:
    return _reports(pipeline, week=week)[week]


def _reports(pipeline: Pipeline, **event: str) -> dict[str, Any]:
    """What the function made of each week that it looked at."""
    answer: Any = pipeline.cloud.client("lambda").invoke(
        FunctionName="earworm-dev-report", Payload=json.dumps(event).encode()
    )
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return {each["week"]: each for each in told["reports"]}


def _subscribed(pipeline: Pipeline) -> Callable[[], list[Any]]:
    """A queue that hears the topic of pages, as what reads it."""
    sns = pipeline.cloud.client("sns")
    (topic,) = (each["TopicArn"] for each in sns.list_topics()["Topics"] if each["TopicArn"].endswith("-dev-pages"))
    inbox = pipeline.sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = pipeline.sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    may = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    pipeline.sqs.set_queue_attributes(QueueUrl=inbox, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    return lambda: [json.loads(each["Body"]) for each in eventually(partial(_received, pipeline, inbox))]


def _received(pipeline: Pipeline, queue: str, *, of: str = "", **further: Any) -> list[Any]:
    """The messages that a queue has now, or those of them that name something."""
    answer: Any = pipeline.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, **further)
    return [message for message in answer.get("Messages", ()) if of in message["Body"]]


def test_real_documents_become_tables_with_the_numbers_counted_by_hand(
    pipeline: Pipeline, real_documents: Path
) -> None:
    # given the captured documents, loaded as a label would load its archive
    top50 = sorted(str(file) for file in (real_documents / "playlists").glob("top50_global_*.json"))
    pipeline.earworm("load", *top50)
    pipeline.earworm("load", "--date", "2026-02-20", str(real_documents / "playlists/api2026_tracks_and_items.json"))
    pipeline.earworm("load", "--date", "2022-05-20", str(real_documents / "playlists/items_episodes_and_tracks.json"))
    pages = sorted(str(file) for file in (real_documents / "paged").glob("starred_*.json"))
    pipeline.earworm("load", "--date", "2013-01-01", "--playlist", "starred", "--pages", *pages)

    # then each receipt says what jq counts in the document
    receipts = {
        (row["snapshot_date"], row["table_name"]): (row["entries"], row["rows"], row["rejected"], row["skipped"])
        for row in pipeline.ask("SELECT * FROM receipts WHERE extracted_at IS NULL")
    }
    assert receipts["2024-05-02", "songs"] == receipts["2024-05-11", "songs"] == ("50", "50", "0", "{}")
    assert receipts["2024-05-02", "artists"] == ("72", "53", "0", '{"repeated_artist": 19}')
    assert receipts["2024-05-11", "artists"] == ("71", "52", "0", '{"repeated_artist": 19}')
    assert receipts["2024-05-02", "albums"] == ("50", "37", "0", '{"repeated_album": 13}')
    assert receipts["2024-05-11", "albums"] == ("50", "39", "0", '{"repeated_album": 11}')
    assert receipts["2024-05-02", "track_features"] == ("50", "0", "0", '{"no_features": 50}')
    assert receipts["2026-02-20", "songs"] == ("1", "1", "0", "{}")
    assert receipts["2022-05-20", "songs"] == ("4", "2", "0", '{"episode": 2}')
    assert receipts["2013-01-01", "songs"] == ("185", "185", "0", "{}")
    assert receipts["2013-01-01", "artists"] == ("207", "152", "0", '{"artist_without_id": 1, "repeated_artist": 54}')
    assert receipts["2013-01-01", "albums"] == ("185", "165", "0", '{"album_without_id": 1, "repeated_album": 19}')

    # and the songs say what the documents say
    songs = [song for song in pipeline.rows("songs") if song["extracted_at"] is None]
    assert [
        (song["track_name"], song["artist_name"], song["popularity"], song["isrc"])
        for song in songs
        if song["snapshot_date"] == "2024-05-02" and song["position"] in {1, 50}
    ] == [("Espresso", "Sabrina Carpenter", 96, "USUM72403305"), ("Type Shit", "Future", 91, "USSM12402033")]
    assert sum(song["popularity"] for song in songs if song["snapshot_date"] == "2024-05-02") == 4487
    (unknown,) = [song for song in songs if song["snapshot_date"] == "2013-01-01" and song["track_id"] is None]
    assert (unknown["track_name"], unknown["popularity"], unknown["isrc"]) == ("Love Somebody Else", None, None)


def test_charts_that_somebody_downloaded_land_are_told_of_and_are_made_again(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    # given weekly charts of three regions, one of which lacks two ranks
    thursdays = [date(2024, 5, 9) + timedelta(weeks=week) for week in range(2)]
    of_these_weeks = ("--from", str(thursdays[0]), "--to", str(thursdays[-1]))
    for region, day in product(("global", "de", "fr"), thursdays):
        ranks = [rank for rank in range(1, 21) if (region, day, rank // 7) != ("de", thursdays[1], 2) or rank > 15]
        (tmp_path / f"regional-{region}-weekly-{day}.csv").write_bytes(chart_file(REGIONAL_WEEKLY, ranks))

    # when they are loaded
    printed = " ".join(pipeline.earworm("load", str(tmp_path)).split())

    # then every rank is a row, and what is missing is told
    assert "6 snapshots of 3 charts, 2024-05-09 to 2024-05-16; 6 new; 5 ok, 1 ranks missing;" in printed
    found = pipeline.ask(
        "SELECT chart_id, count(*) AS entries, sum(metric_value) AS streams FROM charts "
        "WHERE period_end = DATE '2024-05-16' GROUP BY chart_id ORDER BY chart_id"
    )
    assert [(row["chart_id"], row["entries"], row["streams"]) for row in found] == [
        ("regional-de-weekly", "18", str(18 * 1_000_000 - sum(range(21)) + 14 + 15)),
        ("regional-fr-weekly", "20", str(20 * 1_000_000 - sum(range(21)))),
        ("regional-global-weekly", "20", str(20 * 1_000_000 - sum(range(21)))),
    ]
    gaps = pipeline.ask("SELECT playlist_id, gaps FROM receipts WHERE kind = 'charts' AND gaps <> '[]'")
    assert gaps == [{"playlist_id": "spotify_charts-regional-de-weekly", "gaps": "[14, 15]"}]

    # and a row leads back to its line, a replay makes the same rows, and the audit finds nothing
    chart = ("--chart", "spotify_charts-regional-de-weekly", "--date", "2024-05-16")
    assert f"16,spotify:track:{track_id(16)}," in pipeline.earworm("explain", "charts", *chart, "--track", "16")
    before = pipeline.etags("processed/charts/charts/year=2024/")
    assert len(before) == 6
    pipeline.earworm("replay", *of_these_weeks, "--table", "charts")
    assert pipeline.etags("processed/charts/charts/year=2024/") == before
    pipeline.earworm("audit", *of_these_weeks, "--grace", "0")


def test_a_snapshot_that_was_loaded_is_taken_out_and_leaves_everything_else_as_it_was(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    # given a lake, and a document of which a row is rejected and a value refused
    key = SnapshotKey(date(2024, 6, 3), "2TakenOutAgain00000000")
    path = tmp_path / f"{key.list_id}_{key.snapshot_date}.json"
    entries = (entry({**track("One"), "name": None}), entry(track("Two", popularity=101)), entry(track("Three")))
    path.write_text(json.dumps(playlist(*entries, id=None)))

    def lake() -> dict[str, str]:
        prefixes = ("raw/", "processed/", "receipts/", "quarantine/", "quarantine-values/", "unloaded/")
        return {name: etag for prefix in prefixes for name, etag in pipeline.etags(prefix).items()}

    before = lake()

    # when it is loaded
    printed = " ".join(pipeline.earworm("load", str(path)).split())

    # then what landed is told
    assert f"{key.snapshot_date} {key.list_id} partial 2 1 1 0 3" in printed
    assert "1 new; 1 partial; 3 entries = 2 rows + 1 rejected + 0 skipped, 1 refused value." in printed

    # and when it is taken out, nothing of it is left but its document, and nothing else has changed
    pipeline.earworm("unload", "--playlist", key.list_id, "--date", str(key.snapshot_date), "--yes")
    assert lake().keys() == {*before, key.unloaded}
    assert before.items() <= lake().items()
    of_that_day = ("--from", str(key.snapshot_date), "--to", str(key.snapshot_date), "--grace", "0")
    assert "0 snapshots checked; 0 gaps" in pipeline.earworm("audit", *of_that_day)

    # and it can be loaded again
    assert "1 new; 1 partial" in pipeline.earworm("load", str(path))
    assert "1 snapshots checked; 0 gaps" in pipeline.earworm("audit", *of_that_day)


def test_a_document_that_cannot_be_read_waits_in_every_dead_letter_queue_with_its_diagnosis(
    pipeline: Pipeline,
) -> None:
    key = SnapshotKey(date(2025, 1, 6), "broken")
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=key.raw, Body=b'{"tracks": ')

    for table in PLAYLIST_TABLES:
        url = pipeline.sqs.get_queue_url(QueueName=f"earworm-dev-{table.replace('_', '-')}-dead-letters")["QueueUrl"]
        (message,) = eventually(partial(_received, pipeline, url, of=key.raw, MessageAttributeNames=["All"]))
        told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert told["error_class"] == "UnreadableSnapshotError"
        assert told["raw_key"] == key.raw
        assert "Invalid JSON" in told["sentence"]


def test_what_did_not_get_through_is_seen_mended_and_sent_back(pipeline: Pipeline) -> None:
    # given a raw object that no table could read
    key = SnapshotKey(date(2025, 2, 3), "mended")
    of_that_day = ("--from", "2025-02-03", "--to", "2025-02-03", "--grace", "0")
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=key.raw, Body=b'{"tracks": ')
    eventually(lambda: "UnreadableSnapshotError" in pipeline.earworm("dlq", "show", "songs"))

    # when it is audited
    gaps = pipeline.attempt("audit", *of_that_day)

    # then each table is named
    assert gaps.returncode == 1
    assert all(table in gaps.stdout for table in PLAYLIST_TABLES)

    # and when the object is mended and its messages are sent back
    body = json.dumps(playlist(entry(track("Mended")), id=None)).encode()
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=key.raw, Body=body)
    pipeline.wait_for(key.snapshot_date, [key.list_id])
    before = pipeline.etags("processed/") | pipeline.etags("receipts/")
    pipeline.earworm("dlq", "redrive", "--all", "--date", "2025-02-03")

    # then the audit is clean, and a replay leaves every object as it is
    assert pipeline.attempt("audit", *of_that_day).returncode == 0
    pipeline.earworm("replay", "--from", "2025-02-03", "--to", "2025-02-03")
    assert pipeline.etags("processed/") | pipeline.etags("receipts/") == before


def test_a_transformer_that_is_killed_amid_a_backfill_loses_nothing(pipeline: Pipeline) -> None:
    # given a queue that shows a message again soon
    queue = pipeline.sqs.get_queue_url(QueueName="earworm-dev-songs")["QueueUrl"]
    pipeline.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "5"})
    weeks = _weeks_with_missing(pipeline, 4)

    # when its function's processes are killed again and again while weeks are collected
    killed = 0
    with ThreadPoolExecutor() as consoles:
        backfill = consoles.submit(pipeline.attempt, "backfill", "--weeks", str(len(weeks)))
        while not backfill.done():
            time.sleep(0.5)
            if killed < 3:  # fewer than a message may be received
                workers = list(pipeline.workers("songs"))
                for worker in workers:
                    worker.kill()
                killed += bool(workers)

    # then everything is there after the visibility time-out
    assert backfill.result().returncode == 0
    assert killed > 0
    collected = [str(day) for day in weeks]
    counted = pipeline.ask(
        "SELECT count(*) AS snapshots, sum(rows) AS rows FROM receipts WHERE table_name = 'songs' "
        f"AND extracted_at IS NOT NULL AND entries = 50 AND snapshot_date IN ({str(collected)[1:-1]})"
    )
    songs = [row for row in pipeline.rows("songs") if row["extracted_at"] and row["snapshot_date"] in collected]
    assert counted == [{"snapshots": str(len(weeks) * PLAYLISTS), "rows": str(len(songs))}]
    dead = pipeline.sqs.get_queue_url(QueueName="earworm-dev-songs-dead-letters")["QueueUrl"]
    messages = pipeline.sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", [])
    others = ("/broken/", "/mended/", "/2025-05-05/")
    assert [message["Body"] for message in messages if not any(other in message["Body"] for other in others)] == []


def _weeks_with_missing(pipeline: Pipeline, number: int) -> list[date]:
    """The weeks of a backfill that goes so far back that it takes snapshots of so many weeks which have none yet."""
    there = {SnapshotKey.from_raw(key).snapshot_date for key in pipeline.etags("raw/spotify/")}
    year = collect.mondays(52, days.today())
    first = [day for day in reversed(year) if day not in there][number - 1]
    return year[year.index(first) :]


def test_a_run_is_seen_from_the_extractor_to_every_table_in_one_trace(pipeline: Pipeline, tmp_path: Path) -> None:
    # given a run of which Spotify limits one call
    day = date(2025, 4, 7)
    simulator = pipeline.simulator
    simulator.set_faults([Fault(endpoint="/v1/artists", kind="rate_limited", seconds=1)])
    (run_id,) = re.findall(r"Run (\S+)", pipeline.earworm("run", "--date", str(day)))

    # when the operator looks
    drawn = pipeline.earworm("trace", run_id, "--html", str(tmp_path / "run.html"))

    # then one trace holds the extractor and, for each snapshot, every table's service
    services = spans.spans(trace.documents_of(pipeline.cloud, run_id, days=1), "dev")
    extractor, *others = services
    assert extractor.title == "extractor"
    assert sorted(each.facts["table"] for each in others) == sorted(PLAYLIST_TABLES * PLAYLISTS)
    assert {cause.label for each in others if (cause := each.cause)} == {"s3 PutObject"}
    for service in others:
        assert service.cause in list(extractor.everything())
        assert service.first("run_id") == run_id
        assert [span.label for span in service.everything() if span.kind == "step"][-2:] == ["receipt", "confirm"]
    # and shows the limit where it happened and no other trouble
    assert [span.label for span in extractor.everything() if span.troubles] == ["GET /v1/artists/ 429"]
    assert not any(service.is_troubled for service in others)
    assert "throttled" in drawn
    assert run_id in (tmp_path / "run.html").read_text()
    # and its lines name it, with its trace
    told = logs.of_run(pipeline.cloud, run_id, days=1)
    assert {line.service for line in told} == {"extractor", *PLAYLIST_TABLES}
    assert len({line.trace_id for line in told}) == 1
    assert all(line.fields["service_version"] for line in told)
    # and every table is done
    assert pipeline.earworm("status", "--live", run_id[:13]).count("done") == PLAYLISTS * len(PLAYLIST_TABLES)
    assert run_id[:8] in pipeline.earworm("runs")
    assert LogEvent.CALL_REPEATED in pipeline.earworm("logs", run_id, "--service", "extractor")


def test_a_document_that_no_table_could_read_is_seen_in_status_and_trace(pipeline: Pipeline) -> None:
    # given a run whose raw object is damaged while it is announced again
    (run_id,) = re.findall(r"Run (\S+)", pipeline.earworm("run", "--date", "2025-05-05"))
    key = SnapshotKey(date(2025, 5, 5), collect.configured_playlists(pipeline.cloud)[0])
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=key.raw, Body=b"{", Metadata={"run-id": run_id})

    # when its messages were set aside
    shown = pipeline.earworm("status", "--live", run_id)

    # then status and trace name the tables and the reason, and the other playlist is done
    assert shown.count("dead-lettered") == len(PLAYLIST_TABLES) + 1
    assert shown.count("done") == (PLAYLISTS - 1) * len(PLAYLIST_TABLES)
    assert "Invalid JSON" in shown
    troubled = [
        span
        for service in spans.spans(trace.documents_of(pipeline.cloud, run_id, days=1), "dev")
        for span in service.everything()
        if span.troubles
    ]
    assert [span.label for span in troubled] == ["parse"] * len(PLAYLIST_TABLES)
    assert all("Invalid JSON" in span.troubles[0] for span in troubled)


@pytest.mark.parametrize("table", PLAYLIST_TABLES)
def test_every_row_of_a_run_leads_back_to_the_very_entry_that_it_was_made_of(pipeline: Pipeline, table: str) -> None:
    # given all rows of a snapshot
    key = SnapshotKey(MONDAYS[-1], collect.configured_playlists(pipeline.cloud)[0])
    body = pipeline.s3.get_object(Bucket=pipeline.bucket, Key=key.parquet(table))["Body"].read()
    rows = pq.read_table(BytesIO(body)).to_pylist()

    # when each is explained
    found = explain.origin(pipeline.s3, pipeline.bucket, table, key)

    # then the receipt is of the same run, and the entry in that version of the raw object is what the row tells
    assert rows
    for row in rows:
        assert row["run_id"] == found.receipt["run_id"]
        name = row.get(IDS[table]) or str(row.get("position"))
        place = explain.entries(found.snapshot, table, None if table == "playlist_metadata" else name)[0]
        entry_ = explain.value_at(found.raw, place.location)
        match table:
            case "songs":
                assert (entry_["item"]["name"], place.position) == (row["track_name"], row["position"])
            case "artists" | "albums":
                assert (entry_["id"], entry_["name"]) == (row[IDS[table]], row[f"{table[:-1]}_name"])
            case "track_features":
                assert entry_["energy"] == row["energy"]
            case _:
                assert entry_["playlist"]["name"] == row["playlist_name"]


def test_what_explain_prints_names_run_object_entry_and_code(pipeline: Pipeline) -> None:
    day, playlist_id = MONDAYS[-1], collect.configured_playlists(pipeline.cloud)[0]

    printed = pipeline.earworm("explain", "songs", "--playlist", playlist_id, "--date", str(day), "--track", "1")

    key = SnapshotKey(day, playlist_id)
    deployed = standing(pipeline.cloud.client("cloudformation"), "dev", "songs")
    assert deployed
    code = f"songs {deployed.version},"
    for told in (key.raw, key.receipt("songs"), key.parquet("songs"), code, ".items[0]", '"added_at"'):
        assert told in printed


def test_a_crawl_finds_what_the_contracts_declare_and_leaves_the_catalog_alone(pipeline: Pipeline) -> None:
    def tables() -> dict[str, Any]:
        found = pipeline.glue.get_tables(DatabaseName="earworm_dev")["TableList"]
        return {table["Name"]: table["StorageDescriptor"]["Columns"] for table in found}

    before = tables()
    crawled = [pipeline.earworm("crawl") for _ in range(2)]

    assert all("0 findings." in printed for printed in crawled)
    assert tables() == before
    declared = {*TABLES, *OPERATIONS, "watchlist", *(view.name for view in views())}
    assert set(before) - {f"{table}_compacted" for table in TABLES} == declared
    partitions = pipeline.glue.get_partitions(DatabaseName="earworm_dev", TableName="songs")["Partitions"]
    assert len(partitions) >= len(MONDAYS)


def test_redeploying_changes_nothing(pipeline: Pipeline) -> None:
    assert pipeline.earworm("deploy").count("unchanged") == len(set(COMPONENTS) - set(OPTIONAL))


def test_open_listening_is_collected_once_it_is_deployed_and_its_rows_outlive_it(pipeline: Pipeline) -> None:
    # given a deployment of everything, which leaves the collector of ListenBrainz out
    assert standing(pipeline.cloud.client("cloudformation"), "dev", "listenbrainz") is None
    pipeline.earworm("deploy", "listenbrainz")

    # when a week is collected as its schedule would
    printed = pipeline.earworm("run", "--source", "listenbrainz", "--date", "2025-03-04")

    # then every row is there, those that stand twice and those of no recording included
    rows = pipeline.ask("SELECT * FROM charts WHERE source = 'listenbrainz'")
    assert [int(row["position"] or 0) for row in sorted(rows, key=lambda row: int(row["position"] or 0))] == [
        *range(1, 1001)
    ]
    assert {row["snapshot_date"] for row in rows} == {"2025-03-02"}
    mbids = [row["recording_mbid"] for row in rows if row["recording_mbid"]]
    assert len(set(mbids)) < len(mbids) < 1000

    # and songs of the playlists are found among them by their ISRC
    assert pipeline.ask("SELECT 1 AS found FROM charts JOIN songs ON charts.isrc = songs.isrc LIMIT 1")

    # and the console tells of the run as of any other
    run_id = printed.split()[1]
    assert "of listenbrainz\n  of 2025-03-02, began" in pipeline.earworm("status", run_id)
    assert "listenbrainz" in pipeline.earworm("runs")
    assert "charts" in pipeline.earworm("logs", run_id)

    # when it is removed
    pipeline.earworm("remove", "listenbrainz", "--yes")

    # then its rows stay, and nothing else misses it
    assert pipeline.ask("SELECT count(*) AS n FROM charts WHERE source = 'listenbrainz'") == [{"n": "1000"}]
    assert "listenbrainz is optional, and off" in pipeline.earworm("deploy")


@pytest.fixture
def simulator(pipeline: Pipeline) -> Iterator[SimulatorClient]:
    simulator = pipeline.simulator
    yield simulator
    simulator.set_faults(())


def test_each_tier_gives_what_it_grants_and_null_for_the_rest(pipeline: Pipeline) -> None:
    extended, extended_late, dev_2024, dev_2026 = tiers.in_each_tier(pipeline.cloud)

    assert extended.rows["track_features"] == extended.rows["songs"] == 100
    assert set(extended.coverages.values()) == {1.0}
    for late in (extended_late, dev_2024):
        assert late.rows["songs"] == 100
        assert late.coverages["features_coverage"] is not None
        assert 0.7 < late.coverages["features_coverage"] < 1
        assert (late.coverages["popularity_coverage"], late.coverages["genres_coverage"]) == (1.0, 1.0)
    assert dev_2026.outcomes == "metadata_only"
    assert dev_2026.rows == {**dict.fromkeys(of_kind("playlists"), 0), "playlist_metadata": 2}
    assert set(dev_2026.coverages.values()) == {None}
    sources = pipeline.ask("SELECT DISTINCT feature_source FROM track_features")
    assert {row["feature_source"] for row in sources} == {"spotify", "reccobeats"}


def test_two_backfills_side_by_side_store_every_day_as_it_was(pipeline: Pipeline) -> None:
    # given three weeks that are missing
    weeks = _weeks_with_missing(pipeline, 3)
    spotify = Trends(load_catalogue())
    as_it_was = {SnapshotKey(day, each.id): spotify.snapshot_id(each, day) for day in weeks[:3] for each in TRENDING}

    # when
    with ThreadPoolExecutor() as consoles:
        done = [
            consoles.submit(pipeline.attempt, "backfill", "--weeks", str(len(weeks)), "--no-wait") for _ in range(2)
        ]

    # then
    assert [each.result().returncode for each in done] == [0, 0]
    bodies = {key: pipeline.s3.get_object(Bucket=pipeline.bucket, Key=key.raw)["Body"].read() for key in as_it_was}
    assert {key: json.loads(body)["playlist"]["snapshot_id"] for key, body in bodies.items()} == as_it_was
    assert len({*as_it_was.values()}) == 3 * PLAYLISTS


def test_a_spent_quota_amid_five_playlists_keeps_what_is_complete_and_defers_the_rest(
    pipeline: Pipeline, simulator: SimulatorClient
) -> None:
    # given a quota that is spent before the third of five playlists
    simulator.set_faults([Fault(endpoint="/v1/playlists/{id}", kind="rate_limited", seconds=86_400, after=2, times=99)])
    day = date(2026, 2, 2)

    # when the schedule starts a run
    run = collect.extract(pipeline.cloud, day, FIVE)

    # then two snapshots are stored and the rest waits in a one-off schedule
    assert [each.outcome for each in run.playlists] == ["ok", "ok", "quota", "quota", "quota"]
    assert [key.list_id for key in collect.stored(run)] == FIVE[:2]
    (deferred,) = [
        schedule for schedule in pipeline.scheduler.list_schedules()["Schedules"] if "deferred" in schedule["Name"]
    ]
    target = pipeline.scheduler.get_schedule(Name=deferred["Name"])["Target"]
    event: dict[str, Any] = json.loads(target["Input"])
    assert event["playlists"] == FIVE[2:]

    # and when that starts, the rest arrives, and nothing twice
    simulator.set_faults(())
    pipeline.cloud.client("lambda").invoke(FunctionName=target["Arn"], Payload=target["Input"].encode())
    pipeline.wait_for(day, FIVE)
    versions = pipeline.s3.list_object_versions(Bucket=pipeline.bucket, Prefix=f"raw/spotify/{day}/")["Versions"]
    assert sorted(version["Key"].split("/")[3] for version in versions) == sorted(FIVE)
    (counted,) = pipeline.ask(
        f"SELECT count(*) AS rows, count(DISTINCT concat(playlist_id, '-', CAST(position AS varchar))) AS places "
        f"FROM songs WHERE snapshot_date = '{day}'"
    )
    assert counted == {"rows": "450", "places": "450"}


def test_a_list_that_spotify_keeps_for_itself_costs_no_other(pipeline: Pipeline, simulator: SimulatorClient) -> None:
    simulator.set_tier("extended_late")

    day = date(2026, 2, 9)
    run = collect.extract(pipeline.cloud, day, ["37i9dQZF1DXEarwormHits", FIVE[0]])
    pipeline.wait_for(day, FIVE[:1])

    simulator.set_tier("extended")
    refused, given = run.playlists
    assert (refused.outcome, refused.key) == ("not_found_or_editorial", None)
    assert refused.sentence
    assert "37i9" in refused.sentence
    assert given.outcome == "ok"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["deploy", "concerts"], 2, "There is no concerts: choose among platform, catalog, albums, artists,"),
        (["query", "top_concerts"], 2, "There is no query 'top_concerts': choose among"),
        (["query", "SELECT nothing FROM songs"], 1, "Athena failed the query"),
        (["query", "DROP TABLE songs"], 2, "it holds DROP. Without --write"),
        (["load", "README.md", "--date", "2026-01-05"], 1, "1 of 1 files cannot be loaded, and nothing was."),
        (["load", "contracts/schemas/songs.v1.json", "--date", "2026-01-05"], 1, "not a playlist: it has neither"),
        (["status", "no-run"], 1, "No run begins with 'no-run'"),
        (["logs", "--service", "redrive"], 2, "There is no service 'redrive' that works on a run"),
        (["trace", "--open"], 2, "--open shows the page that --html writes"),
        (["explain", "concerts", "--playlist", "p", "--date", "2026-01-05"], 2, "There is no table 'concerts'"),
        (
            ["explain", "songs", "--playlist", "p", "--date", "2026-01-05"],
            1,
            "songs has no receipt for p on 2026-01-05",
        ),
        (["run", "--playlist", "no-playlist"], 2, "not a playlist: 'no-playlist'"),
    ],
)
def test_what_cannot_be_done_ends_with_a_sentence(
    pipeline: Pipeline, arguments: list[str], code: int, sentence: str
) -> None:
    result = pipeline.attempt(*arguments)

    assert result.returncode == code
    assert sentence in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
