"""The ListenBrainz simulator: the shape of its answers, its oddities, and its faults."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.local.listenbrainz.admin import METADATA_PATH, STATISTICS_PATH, Fault, FaultPlan
from infra.local.listenbrainz.app import create_app
from infra.local.spotify.catalogue import Catalogue
from services.listenbrainz.week import Week, read_statistics
from tests.unit.infra_local.simulator import simulator as spotify_simulator

DAY = "2026-11-24"
WEEK = {"range": "week", "count": "1000", "offset": "0"}
GLOBAL = "5EarwormTrendingGlobal"


@pytest.fixture(scope="module")
def shared(catalogue: Catalogue) -> TestClient:
    return TestClient(create_app(catalogue), raise_server_exceptions=False)


@pytest.fixture
def client(shared: TestClient) -> TestClient:
    shared.put("/_simulator/clock", json={"date": DAY}).raise_for_status()
    plan(shared)
    return shared


def plan(client: TestClient, *faults: Fault) -> None:
    client.put("/_simulator/faults", content=FaultPlan(faults=faults).model_dump_json()).raise_for_status()


def payload(client: TestClient, **query: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(STATISTICS_PATH, params={**WEEK, **query}).json()["payload"]
    return answer


def test_the_week_is_the_last_full_one_and_the_collector_reads_it(client: TestClient) -> None:
    answer = client.get(STATISTICS_PATH, params=WEEK)

    read = read_statistics(answer.content)
    assert (read.week, read.rows, read.announced) == (Week(date(2026, 11, 16)), 1000, 1000)
    assert answer.headers["X-RateLimit-Remaining"]


def test_the_rows_are_odd_as_real_ones_are(client: TestClient) -> None:
    rows = payload(client)["recordings"]
    of = Counter(row["recording_mbid"] for row in rows)

    assert of[None] > 10
    assert max(number for mbid, number in of.items() if mbid) > 1
    counts = [row["listen_count"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert (
        len({(row["recording_mbid"], row["release_mbid"]) for row in rows if row["recording_mbid"]}) == 1000 - of[None]
    )


def test_another_week_has_another_list_and_the_same_week_the_same(client: TestClient) -> None:
    first = payload(client)
    client.put("/_simulator/clock", json={"date": "2026-11-17"})
    other = payload(client)
    client.put("/_simulator/clock", json={"date": "2026-11-29"})

    assert other["to_ts"] == first["from_ts"]
    assert other["recordings"] != first["recordings"]
    assert payload(client) == first


def test_pages_are_those_that_are_asked_for(client: TestClient) -> None:
    rows = payload(client)["recordings"]

    assert payload(client, count="3", offset="998")["recordings"] == rows[998:]
    assert len(payload(client, count="5000")["recordings"]) == 1000
    assert len(client.get(STATISTICS_PATH, params={"range": "week"}).json()["payload"]["recordings"]) == 25


def test_recordings_share_their_isrcs_with_the_simulated_playlists(client: TestClient, catalogue: Catalogue) -> None:
    mbids = [mbid for mbid in dict.fromkeys(row["recording_mbid"] for row in payload(client)["recordings"]) if mbid]

    known = client.post(METADATA_PATH, json={"recording_mbids": mbids, "inc": "artist release"}).json()

    # most are known, most of these by one ISRC, some by none or two
    assert 0.9 * len(mbids) < len(known) < len(mbids)
    isrcs = [entry["recording"]["isrcs"] for entry in known.values()]
    assert {len(each) for each in isrcs} == {0, 1, 2}
    assert all(set(entry) == {"recording", "artist", "release"} for entry in known.values())

    # and some stand in the playlist of the week as well
    spotify = spotify_simulator(catalogue)
    spotify.put("/_simulator/clock", json={"date": "2026-11-16"})
    entries = spotify.get(f"/v1/playlists/{GLOBAL}/tracks").json()["items"]
    assert {each["track"]["external_ids"]["isrc"] for each in entries} & {isrc for each in isrcs for isrc in each}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"range": "fortnight"}, "Invalid range: fortnight"),
        ({"count": "-1"}, "'count' should be a non-negative integer"),
    ],
)
def test_a_wrong_question_is_answered_with_400(client: TestClient, query: dict[str, str], told: str) -> None:
    answer = client.get(STATISTICS_PATH, params={**WEEK, **query})

    assert (answer.status_code, answer.json()) == (400, {"code": 400, "error": told})


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "recording_mbids must be present"),
        ([], "recording_mbids must be present"),
        ({"recording_mbids": ["x"]}, "Recording mbid x is not valid."),
        ({"recording_mbids": ["x"] * 1001}, "maximum of 1000"),
        ({"recording_mbids": [], "inc": "isrcs"}, "invalid inc argument 'isrcs'"),
    ],
)
def test_a_wrong_look_up_is_answered_with_400(client: TestClient, asked: Any, told: str) -> None:
    answer = client.post(METADATA_PATH, json=asked)

    assert answer.status_code == 400
    assert told in answer.json()["error"]


def test_other_ranges_are_never_calculated(client: TestClient) -> None:
    assert client.get(STATISTICS_PATH, params={"range": "year"}).status_code == 204


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "status"),
        [("not_calculated", 204), ("bad_request", 400), ("server_error", 500), ("unavailable", 503)],
    )
    def test_strike_as_often_as_they_are_told(self, client: TestClient, kind: Any, status: int) -> None:
        plan(client, Fault(endpoint=STATISTICS_PATH, kind=kind, after=1, times=2))

        statuses = [client.get(STATISTICS_PATH, params=WEEK).status_code for _ in range(4)]

        assert statuses == [200, status, status, 200]

    def test_a_limit_says_when_it_ends(self, client: TestClient) -> None:
        plan(client, Fault(endpoint=METADATA_PATH, kind="rate_limited", seconds=7))

        answer = client.post(METADATA_PATH, json={"recording_mbids": []})

        assert (answer.status_code, answer.headers["X-RateLimit-Reset-In"]) == (429, "7")

    def test_last_week_is_the_week_before(self, client: TestClient) -> None:
        now = payload(client)
        plan(client, Fault(endpoint=STATISTICS_PATH, kind="last_week"))

        assert payload(client)["to_ts"] == now["from_ts"]
        assert payload(client) == now

    def test_half_an_answer_is_not_json(self, client: TestClient) -> None:
        plan(client, Fault(endpoint=STATISTICS_PATH, kind="invalid_json"))

        with pytest.raises(ValueError, match=r"Unterminated|delimiter|Expecting"):
            client.get(STATISTICS_PATH, params=WEEK).json()

    def test_nobody_is_known(self, client: TestClient) -> None:
        mbid = payload(client)["recordings"][0]["recording_mbid"]
        plan(client, Fault(endpoint=METADATA_PATH, kind="no_metadata"))

        assert client.post(METADATA_PATH, json={"recording_mbids": [mbid]}).json() == {}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"endpoint": METADATA_PATH, "kind": "last_week"},
            {"endpoint": STATISTICS_PATH, "kind": "no_metadata"},
            {"endpoint": STATISTICS_PATH, "kind": "rate_limited"},
            {"endpoint": STATISTICS_PATH, "kind": "bad_request", "seconds": 1.0},
            {"endpoint": "/1/listens", "kind": "bad_request"},
        ],
    )
    def test_that_make_no_sense_are_refused(self, client: TestClient, wrong: dict[str, Any]) -> None:
        answer = client.put("/_simulator/faults", json={"faults": [wrong]})

        assert answer.status_code == 400
        assert "faults" in answer.json()["error"]["message"]


def test_the_clock_begins_when_every_song_was_out(client: TestClient) -> None:
    answer = client.put("/_simulator/clock", json={"date": "2022-10-01"})

    assert answer.status_code == 400
    assert "its first day is 2022-10-15" in answer.json()["error"]["message"]
    assert client.get("/_simulator").json()["clock"] == {"date": DAY, "is_set": True}
