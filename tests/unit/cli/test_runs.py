from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts.operations.loading import NOT_OVER, Load, LoadedDocument
from contracts.operations.log_events import LogEvent
from infra.cli.logs import Line, _printed, read_line
from infra.cli.runs import Raw, Run, find_runs, table_status
from shared.lake import CHARTS, SnapshotKey

KEY = SnapshotKey(date(2026, 11, 22), "p1")
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def line(event: str, *, after: float = 0, level: str = "INFO", **fields: Any) -> Line:
    told = {"run_id": "run-1", "event": event, **fields}
    return Line(NOW + timedelta(seconds=after), "songs", level, "a sentence for people", told)


def receipt(run_id: str = "run-1", version: str = "v1") -> Any:
    return {"run_id": run_id, "raw_version_id": version}


BEGINS = line(LogEvent.RUN_BEGINS, snapshot_date="2026-11-22", playlists=["p1", "p2"])
IS_OVER = line(
    LogEvent.RUN_OVER,
    after=9,
    calls=7,
    capabilities={},
    playlists=[
        {"playlist_id": "p1", "outcome": "ok", "key": KEY.raw, "entries": 50},
        {"playlist_id": "p2", "outcome": "forbidden", "key": None, "entries": None, "sentence": "no"},
    ],
)
DONE = line(LogEvent.TABLE_COMPLETE, seconds_from_raw_to_table=1.5)


def test_a_run_is_what_its_lines_tell() -> None:
    (run,) = find_runs([BEGINS, IS_OVER])

    assert (run.run_id, run.began, run.period, run.effort) == ("run-1", NOW, "2026-11-22", "7 calls")
    assert run.is_over
    assert (run.outcome, run.keys) == ("forbidden", [KEY])


def test_a_run_of_the_collector_of_charts_is_one_as_well() -> None:
    key = SnapshotKey(date(2026, 11, 22), "listenbrainz-recordings-global-weekly", CHARTS)
    chart = {"chart_id": "recordings-global-weekly", "outcome": "ok", "key": key.raw, "entries": 1000}
    (run,) = find_runs(
        [
            line(LogEvent.RUN_BEGINS, snapshot_date="2026-11-22", charts=["recordings-global-weekly"]),
            line(LogEvent.RUN_OVER, after=2, calls=2, charts=[chart]),
        ]
    )

    assert run.over
    assert (run.outcome, run.effort, run.keys) == ("ok", "2 calls", [key])
    assert [each.name for each in run.over.lists] == ["recordings-global-weekly"]


@pytest.mark.parametrize(
    "odd",
    [
        line(LogEvent.RUN_BEGINS),
        line(LogEvent.RUN_BEGINS, snapshot_date=3, playlists="p1"),
        line(LogEvent.RUN_OVER, after=9),
        line(LogEvent.RUN_OVER, after=9, calls="many", playlists=[1]),
    ],
    ids=lambda odd: str(odd.fields),
)
def test_lines_that_only_look_like_those_of_a_run_tell_nothing(odd: Line) -> None:
    (run,) = find_runs([odd, BEGINS, odd])

    assert run.outcome == "not over"


def test_a_run_that_is_at_work_or_was_cut_off_is_not_over() -> None:
    (run,) = find_runs([BEGINS])

    assert (run.outcome, run.over, run.keys) == ("not over", None, [])


def load_of(*outcomes: str, ended: datetime | None = NOW + timedelta(seconds=90)) -> Load:
    return Load(
        run_id="load-1",
        began=NOW,
        ended=ended,
        documents=tuple(
            LoadedDocument(outcome=outcome, key=SnapshotKey(day, "p1").raw, file=f"{day}.json", day=day)
            for outcome, day in zip(outcomes, (date(2024, 1, 1) + timedelta(n) for n in range(99)), strict=False)
        ),
        expected=5 * len(outcomes),
        complete=4 * len(outcomes),
    )


def test_a_load_is_a_run_of_many_days() -> None:
    run = Run.of(load_of("ok", "ranks missing"))

    assert (run.run_id, run.collector, run.period) == ("load-1", "load", "2024-01-01 to 2024-01-02")
    assert (run.outcome, run.is_over) == ("ranks missing", True)
    assert run.effort == "2 documents, over after 90 s with 8 of 10 tables complete"
    assert run.lists == ["2024-01-01.json", "2024-01-02.json"]
    assert Run.of(load_of("ok")).effort.startswith("1 document, over after")


def test_a_load_that_is_at_work_or_was_cut_off_is_not_over() -> None:
    run = Run.of(load_of(NOT_OVER, NOT_OVER, ended=None))

    assert (run.outcome, run.is_over, run.effort) == ("not over", False, "2 documents, not over")
    assert run.shown() == run.keys


def test_of_a_long_load_only_what_lacks_something_or_failed_so_far_is_looked_at() -> None:
    first, last = SnapshotKey(date(2024, 1, 1), "p1"), SnapshotKey(date(2024, 1, 21), "p1")
    outcomes = ["ok"] * 20 + ["partial"]
    failed = line(LogEvent.MESSAGE_RETURNED, raw_key=first.raw)

    assert Run.of(load_of(*outcomes)).shown() == [last]
    assert len(Run.of(load_of(*outcomes[:20])).shown()) == 20
    at_work = Run.of(load_of(*[NOT_OVER] * 21, ended=None))
    assert (at_work.shown(), at_work.shown([failed])) == ([], [first])


def test_a_repetition_is_the_same_run_since_its_first_attempt_and_newer_runs_come_first() -> None:
    again = line(LogEvent.RUN_BEGINS, after=60, snapshot_date="2026-11-22", playlists=["p1"])
    other = line(LogEvent.RUN_BEGINS, after=99, run_id="run-2", snapshot_date="2026-11-29", playlists=["p1"])

    newest, repeated = find_runs([BEGINS, IS_OVER, again, other])

    assert newest.run_id == "run-2"
    assert (repeated.began, repeated.outcome) == (NOW, "not over")


@pytest.mark.parametrize(
    ("given", "told", "raw", "state"),
    [
        (receipt(), [DONE], Raw("run-1", "v1"), "done"),
        (receipt("run-2", "v2"), [DONE], Raw("run-2", "v2"), "replaced"),
        (receipt("run-0", "v0"), [], Raw("run-2", "v2"), "replaced"),
        (None, [], None, "replaced"),
        (receipt("run-0", "v0"), [], Raw("run-1", "v1"), "waiting"),
        (None, [], Raw("run-1", "v1"), "waiting"),
        (
            None,
            [line(LogEvent.MESSAGE_DEAD_LETTERED, sentence="no JSON")],
            Raw("run-1", "v1"),
            "dead-lettered",
        ),
        (
            receipt(version="v0"),
            [DONE, line(LogEvent.MESSAGE_DEAD_LETTERED, sentence="no JSON")],
            Raw("run-1", "v1"),
            "dead-lettered",
        ),
        (
            None,
            [line(LogEvent.MESSAGE_RETURNED, receive_count="2", exception="Trace\nSlowDown")],
            Raw("run-1", "v1"),
            "failing",
        ),
        (
            None,
            [line(LogEvent.MESSAGE_RETURNED, receive_count="5", exception="Trace\nSlowDown")],
            Raw("run-1", "v1"),
            "dead-lettered",
        ),
    ],
)
def test_where_a_snapshot_stands_in_a_table(given: Any, told: list[Line], raw: Raw | None, state: str) -> None:
    found = table_status("run-1", KEY, "songs", given, told, raw=raw)

    assert found.state == state
    assert (found.seconds == 1.5) == (state == "done")
    assert bool(found.sentence) == (state not in {"done", "waiting"})


def test_a_line_is_read_from_what_the_logger_writes_and_all_else_is_none() -> None:
    written = (
        '{"level":"INFO","message":"a sentence","event":"run_begins",'
        '"timestamp":"2026-11-22 06:00:00,250+0000","run_id":"run-1"}'
    )

    found = read_line("extractor", written)

    assert found
    assert (found.at, found.run_id, found.event) == (NOW + timedelta(milliseconds=250), "run-1", LogEvent.RUN_BEGINS)
    for other in ("START RequestId: 1", '{"_aws": {}}', "[1]", '"text"', '{"message": "x"}'):
        assert read_line("extractor", other) is None


def test_a_line_is_printed_with_its_fields_and_the_last_line_of_an_exception() -> None:
    exception = "Trace\n  deep\nSlowDown: no"
    text = _printed(line(LogEvent.MESSAGE_RETURNED, level="WARNING", raw_key="k", exception=exception))

    assert text.plain == (
        "06:00:00.000  songs             WARNING a sentence for people  event=message_returned  raw_key=k"
        "  exception=SlowDown: no"
    )
