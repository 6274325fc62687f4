from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.cli.logs import Line, _printed, _read
from infra.cli.runs import Raw, find_runs, place
from shared.lake import CHARTS, SnapshotKey

KEY = SnapshotKey(date(2026, 11, 22), "p1")
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def line(message: str, *, after: float = 0, level: str = "INFO", **fields: Any) -> Line:
    told = {"run_id": "run-1", **fields}
    return Line(NOW + timedelta(seconds=after), "songs", level, message, told)


def receipt(run_id: str = "run-1", version: str = "v1") -> Any:
    return {"run_id": run_id, "raw_version_id": version}


BEGINS = line("run begins", snapshot_date="2026-11-22", playlists=["p1", "p2"])
IS_OVER = line(
    "run is over",
    after=9,
    calls=7,
    playlists=[
        {"playlist_id": "p1", "outcome": "ok", "key": KEY.raw, "entries": 50},
        {"playlist_id": "p2", "outcome": "forbidden", "key": None, "entries": None, "sentence": "no"},
    ],
)
DONE = line("table is complete for the snapshot", seconds_from_raw_to_table=1.5)


def test_a_run_is_what_its_lines_tell() -> None:
    (run,) = find_runs([BEGINS, IS_OVER])

    assert (run.run_id, run.began, run.snapshot_date, run.calls) == ("run-1", NOW, date(2026, 11, 22), 7)
    assert (run.outcome, run.keys) == ("forbidden", [KEY])


def test_a_run_of_the_collector_of_charts_is_one_as_well() -> None:
    key = SnapshotKey(date(2026, 11, 22), "listenbrainz-sitewide-recordings-weekly", CHARTS)
    chart = {"chart_id": "sitewide-recordings-weekly", "outcome": "ok", "key": key.raw, "entries": 1000}
    (run,) = find_runs(
        [
            line("run begins", snapshot_date="2026-11-22", charts=["sitewide-recordings-weekly"]),
            line("run is over", after=2, calls=2, charts=[chart]),
        ]
    )

    assert (run.outcome, run.calls, run.keys) == ("ok", 2, [key])
    assert run.lists[0]["list_id"] == "sitewide-recordings-weekly"


@pytest.mark.parametrize(
    "odd",
    [
        line("run begins"),
        line("run begins", snapshot_date=3, playlists="p1"),
        line("run is over", after=9),
        line("run is over", after=9, calls="many", playlists=[1]),
    ],
    ids=lambda odd: str(odd.fields),
)
def test_lines_that_only_look_like_those_of_a_run_tell_nothing(odd: Line) -> None:
    (run,) = find_runs([odd, BEGINS, odd])

    assert run.outcome == "not over"


def test_a_run_that_is_at_work_or_was_cut_off_is_not_over() -> None:
    (run,) = find_runs([BEGINS])

    assert (run.outcome, run.calls, run.keys) == ("not over", None, [])


def test_a_repetition_is_the_same_run_since_its_first_attempt_and_newer_runs_come_first() -> None:
    again = line("run begins", after=60, snapshot_date="2026-11-22", playlists=["p1"])
    other = line("run begins", after=99, run_id="run-2", snapshot_date="2026-11-29", playlists=["p1"])

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
            [line("message goes to the dead-letter queue", sentence="no JSON")],
            Raw("run-1", "v1"),
            "dead-lettered",
        ),
        (
            receipt(version="v0"),
            [DONE, line("message goes to the dead-letter queue", sentence="no JSON")],
            Raw("run-1", "v1"),
            "dead-lettered",
        ),
        (
            None,
            [line("message goes back to its queue", receive_count="2", exception="Trace\nSlowDown")],
            Raw("run-1", "v1"),
            "failing",
        ),
        (
            None,
            [line("message goes back to its queue", receive_count="5", exception="Trace\nSlowDown")],
            Raw("run-1", "v1"),
            "dead-lettered",
        ),
    ],
)
def test_where_a_snapshot_stands_in_a_table(given: Any, told: list[Line], raw: Raw | None, state: str) -> None:
    found = place("run-1", KEY, "songs", given, told, raw=raw)

    assert found.state == state
    assert (found.seconds == 1.5) == (state == "done")
    assert bool(found.sentence) == (state not in {"done", "waiting"})


def test_a_line_is_read_from_what_the_logger_writes_and_all_else_is_none() -> None:
    written = '{"level":"INFO","message":"run begins","timestamp":"2026-11-22 06:00:00,250+0000","run_id":"run-1"}'

    found = _read("extractor", written)

    assert found
    assert (found.at, found.run_id) == (NOW + timedelta(milliseconds=250), "run-1")
    for other in ("START RequestId: 1", '{"_aws": {}}', "[1]", '"text"', '{"message": "x"}'):
        assert _read("extractor", other) is None


def test_a_line_is_printed_with_its_fields_and_the_last_line_of_an_exception() -> None:
    text = _printed(line("message goes back", level="WARNING", raw_key="k", exception="Trace\n  deep\nSlowDown: no"))

    assert text.plain == (
        "06:00:00.000  songs             WARNING message goes back  raw_key=k  exception=SlowDown: no"
    )
