"""The simulator shows one day at a time, whoever asks: so consoles take turns."""

from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread, Timer
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from infra.cli import collect
from infra.cli.cloud import Cloud
from infra.cli.screen import ConsoleError
from infra.local.processes import exclusive
from tests.clock import NOW

SIMULATED = Cloud("dev", {"SPOTIFY_SIMULATOR_URL": "http://127.0.0.1:1"})
REAL = Cloud("dev", {})
MONDAY, TUESDAY = date(2026, 5, 18), date(2026, 5, 19)


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days that the simulator was turned to."""
    days: list[date] = []
    monkeypatch.setattr("infra.local.spotify.client.SimulatorClient.set_date", lambda _, day: days.append(day))
    monkeypatch.setattr(collect, "STATE", tmp_path)
    monkeypatch.setattr(collect, "_QUIET_WAIT", 0)
    return days


def test_nobody_turns_the_simulator_while_snapshots_of_a_day_are_taken(
    days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Event()
    monkeypatch.setattr(collect, "_tell_of_the_wait", lambda _: waiting.set())

    def want_tuesday() -> None:
        with collect.turned_to(SIMULATED, TUESDAY):
            pass

    another = Thread(target=want_tuesday)
    with collect.turned_to(SIMULATED, MONDAY):
        another.start()
        assert waiting.wait(10)
        assert days == [MONDAY]
    another.join()

    assert days == [MONDAY, TUESDAY]


@pytest.mark.usefixtures("days")
def test_who_waits_is_told_for_whom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collects, may_end = Event(), Event()

    def collect_for_long() -> None:
        with exclusive(tmp_path / "simulator.lock", note="`earworm backfill --weeks 26`, process 7"):
            collects.set()
            may_end.wait(10)

    another = Thread(target=collect_for_long)
    another.start()
    assert collects.wait(10)
    Timer(0.2, may_end.set).start()
    with collect.turned_to(SIMULATED, MONDAY):
        another.join()

    told = capsys.readouterr().err
    assert "one day at a time, and `earworm backfill --weeks 26`, process 7 takes snapshots of it: waiting." in told


def test_the_real_spotify_has_no_day_but_today() -> None:
    with collect.turned_to(REAL, NOW.date()) as simulator:
        assert simulator is None
    with pytest.raises(ConsoleError, match="keeps no history"), collect.turned_to(REAL, NOW.date() - timedelta(days=1)):
        pass


def test_playlists_of_an_extractor_that_is_not_deployed_are_asked_for_with_what_to_do() -> None:
    fault = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "GetFunctionConfiguration")
    functions = Mock(get_function_configuration=Mock(side_effect=fault))
    cloud = Mock(
        environment="dev", address="here", client=lambda _: functions, command=lambda words: f"earworm {words}"
    )

    with pytest.raises(ConsoleError, match="no function earworm-dev-extractor at here: run `earworm deploy extractor`"):
        collect.configured_playlists(cloud)
