"""What ReccoBeats is asked, and which of its answers count for which track."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from contracts.spotify import ExternalIds, Track
from services.extractor.reccobeats import ReccoBeats
from shared.web import (
    NotFoundError,
    QuotaError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
)
from tests.unit.extractor.fake_reccobeats import API_URL, FakeReccoBeats, recording, without_features
from tests.unit.extractor.fake_spotify import isrc, song, spotify_id, tracks

GET = "GET https://api.reccobeats.test/v1/audio-features"
DOWN: Any = UnavailableError(GET, 503, "Service unavailable")


@pytest.fixture
def fake() -> FakeReccoBeats:
    return FakeReccoBeats()


@pytest.fixture
def reccobeats(fake: FakeReccoBeats) -> ReccoBeats:
    return ReccoBeats(fake.fetch, API_URL)


def by_id(number: int, **fields: Any) -> dict[str, Any]:
    return recording(spotify_id("track", number), isrc(number), number, **fields)


def by_isrc(number: int, own_number: int = 0, **fields: Any) -> dict[str, Any]:
    """A row of another release of the same recording."""
    return recording(spotify_id("other", own_number), isrc(number), own_number, **fields)


def block(joined_by: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"source": "reccobeats", "joined_by": joined_by, "items": list(items)}


def test_where_it_is_asked_by_isrc_alone_it_learns_no_id_of_spotify_s(fake: FakeReccoBeats) -> None:
    # given a track that it knows by both, one by neither, and one without an ISRC
    fake.recordings = [by_id(1), by_id(3)]
    without_isrc = convert(song(3, external_ids={}), Track)

    # when
    blocks, finding = ReccoBeats(fake.fetch, API_URL, "isrc").measure([*tracks(1, 2), without_isrc])

    # then
    assert (blocks, finding) == ([block("isrc", by_id(1))], "ok")
    assert fake.asked == [[isrc(1), isrc(2)]]


def test_answers_are_joined_by_what_they_name_in_whatever_order_they_come(
    fake: FakeReccoBeats, reccobeats: ReccoBeats
) -> None:
    # given three tracks that ReccoBeats knows and one that it does not
    fake.recordings = [by_id(3), by_id(1), by_id(4)]

    # when all four are measured
    blocks, finding = reccobeats.measure(tracks(1, 2, 3, 4))

    # then the rows are there as they were sent, in the order of the tracks
    assert blocks == [block("id", by_id(1), by_id(3), by_id(4))]
    assert finding == "ok"


def test_a_track_whose_id_is_unknown_is_asked_for_by_its_isrc(fake: FakeReccoBeats, reccobeats: ReccoBeats) -> None:
    fake.recordings = [by_id(1), by_isrc(2, 7)]

    blocks, finding = reccobeats.measure(tracks(1, 2, 3))

    assert blocks == [block("id", by_id(1)), block("isrc", by_isrc(2, 7))]
    assert finding == "ok", "a track that nobody knows is no fault"
    assert fake.asked == [[spotify_id("track", number) for number in (1, 2, 3)], [isrc(2), isrc(3)]]


@pytest.mark.parametrize("seed", range(4))
def test_of_several_recordings_of_an_isrc_the_same_one_with_features_counts_whenever_it_is_asked(
    fake: FakeReccoBeats, reccobeats: ReccoBeats, seed: int
) -> None:
    fake.seed = seed
    fake.recordings = [by_isrc(1, 9), without_features(by_isrc(1, 5)), by_isrc(1, 8, energy=0.0), by_isrc(1, 10)]

    blocks, _ = reccobeats.measure(tracks(1))

    assert blocks == [block("isrc", by_isrc(1, 8, energy=0.0))]


def test_two_tracks_of_one_isrc_share_a_question_and_an_answer(fake: FakeReccoBeats, reccobeats: ReccoBeats) -> None:
    fake.recordings = [by_isrc(1)]
    twins = [convert(song(number, external_ids={"isrc": isrc(1)}), Track) for number in (1, 2)]

    blocks, _ = reccobeats.measure(twins)

    assert blocks == [block("isrc", by_isrc(1))]
    assert fake.asked[1:] == [[isrc(1)]]


def test_a_row_without_features_is_none_and_what_was_measured_as_zero_is_one(
    fake: FakeReccoBeats, reccobeats: ReccoBeats
) -> None:
    silence = without_features(by_id(2)) | {"instrumentalness": 0.0}
    fake.recordings = [without_features(by_id(1)), silence]

    blocks, _ = reccobeats.measure(tracks(1, 2))

    assert blocks == [block("id", silence)]
    assert fake.asked[1:] == [[isrc(1)]], "another release of it may have them"


def test_forty_are_asked_for_at_once(fake: FakeReccoBeats, reccobeats: ReccoBeats) -> None:
    fake.recordings = [by_id(number) for number in range(1, 11)]

    reccobeats.measure(tracks(*range(1, 92)))

    assert [len(names) for names in fake.asked] == [40, 40, 11, 40, 40, 1]


@pytest.mark.parametrize(
    "name", [None, "", "short", "a,b", spotify_id("track", 1)[:-1] + "-", spotify_id("track", 1) + "1"]
)
def test_what_cannot_be_an_id_is_not_sent_and_the_isrc_serves(
    fake: FakeReccoBeats, reccobeats: ReccoBeats, name: str | None
) -> None:
    fake.recordings = [by_isrc(1)]

    blocks, _ = reccobeats.measure([Track(id=name, external_ids=ExternalIds(isrc=isrc(1)))])

    assert blocks == [block("isrc", by_isrc(1))]
    assert fake.asked == [[isrc(1)]]


@pytest.mark.parametrize(
    "ids",
    [
        None,
        {},
        *({"isrc": each} for each in (None, "", "US-RC1-76-0783", "USRC1760783९", 17, ["USRC17607839"])),
    ],
)
def test_what_cannot_be_an_isrc_is_not_sent(fake: FakeReccoBeats, reccobeats: ReccoBeats, ids: Any) -> None:
    assert reccobeats.measure([convert(song(1) | {"external_ids": ids}, Track)]) == ([], "ok")
    assert fake.asked == [[spotify_id("track", 1)]]


def test_nothing_is_asked_where_there_is_nothing_to_ask_for(fake: FakeReccoBeats, reccobeats: ReccoBeats) -> None:
    nameless = Track(name="A track without any id")

    assert reccobeats.measure([]) == ([], "none needed")
    assert reccobeats.measure([nameless]) == ([], "none needed")
    assert fake.asked == []


def test_rows_that_were_not_asked_for_or_are_none_are_left_out(fake: FakeReccoBeats, reccobeats: ReccoBeats) -> None:
    # given an answer with the row that was asked for among others and what is no row
    rows = [by_id(2), by_id(1), None, "row", 1, {}, by_id(1, href=None), by_id(1, href=7), by_id(1, href=[])]
    fake.answers = [{"content": rows}]

    # when that track is measured, and another one later
    blocks, _ = reccobeats.measure(tracks(1))
    later, _ = reccobeats.measure(tracks(2))

    # then the row counts, and the others are as good as never sent
    assert blocks == [block("id", by_id(1))]
    assert later == []
    assert fake.asked[1] == [spotify_id("track", 2)]


class TestInOneRun:
    def test_a_track_that_was_measured_is_not_asked_for_again(
        self, fake: FakeReccoBeats, reccobeats: ReccoBeats
    ) -> None:
        # given a playlist whose tracks were measured, by either name
        fake.recordings = [by_id(1), by_isrc(2), by_id(4)]
        reccobeats.measure(tracks(1, 2))
        calls = len(fake.asked)

        # when they stand in another playlist
        blocks, finding = reccobeats.measure(tracks(4, 2, 1))

        # then only the new one is asked for, and all are there
        assert fake.asked[calls:] == [[spotify_id("track", 4)]]
        assert blocks == [block("id", by_id(4), by_id(1)), block("isrc", by_isrc(2))]
        assert finding == "ok"

    def test_a_track_that_is_unknown_is_not_asked_for_again(self, fake: FakeReccoBeats, reccobeats: ReccoBeats) -> None:
        first = reccobeats.measure(tracks(1, 2))
        calls = len(fake.asked)

        assert reccobeats.measure(tracks(2, 1)) == first == ([], "ok")
        assert len(fake.asked) == calls


class TestAFault:
    @pytest.mark.parametrize(
        ("fault", "finding"),
        [
            (RefusedError(GET, 403, "Forbidden"), "refused:403"),
            (NotFoundError(GET, "Not found"), "refused:404"),
            (RateLimitedError(GET, "Slow down", 20), "failed:429"),
            (QuotaError(GET, "Come back tomorrow", 86_400), "quota"),
            (DOWN, "failed:503"),
            ({}, "failed:unreadable"),
            ({"content": None}, "failed:unreadable"),
            ({"content": {"0": {}}}, "failed:unreadable"),
            ({"error": {"message": "an error in a 200"}}, "failed:unreadable"),
        ],
        ids=str,
    )
    def test_costs_the_rows_that_are_still_open(
        self, fake: FakeReccoBeats, reccobeats: ReccoBeats, fault: Any, finding: str
    ) -> None:
        # given a fault in the second call
        numbers = range(1, 61)
        fake.recordings = [by_id(number) for number in numbers]
        fake.answers = [{"content": fake.recordings[:40]}, fault]

        # when sixty tracks are measured
        blocks, told = reccobeats.measure(tracks(*numbers))

        # then those of the first call are there, and the fault is named
        assert blocks == [block("id", *map(by_id, range(1, 41)))]
        assert told == finding
        assert len(fake.asked) == 2, "nor is anything asked by ISRC"

    def test_in_asking_by_isrc_costs_no_row_that_was_found_by_id(
        self, fake: FakeReccoBeats, reccobeats: ReccoBeats
    ) -> None:
        fake.answers = [{"content": [by_id(1)]}, DOWN]

        assert reccobeats.measure(tracks(1, 2)) == ([block("id", by_id(1))], "failed:503")

    def test_is_remembered_for_the_rest_of_the_run(self, fake: FakeReccoBeats, reccobeats: ReccoBeats) -> None:
        # given a run in which ReccoBeats measured one track and then failed
        fake.answers = [{"content": [by_id(1)]}, DOWN]
        reccobeats.measure(tracks(1))
        reccobeats.measure(tracks(2))

        # when more is to be measured
        known, unknown, both = (reccobeats.measure(tracks(*numbers)) for numbers in ((1,), (3,), (1, 3)))

        # then nothing is asked, what is known is given, and the fault is told where it cost something
        assert len(fake.asked) == 2
        assert known == ([block("id", by_id(1))], "ok")
        assert unknown == ([], "failed:503")
        assert both == ([block("id", by_id(1))], "failed:503")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "href", "isrc", "energy"]), inner)
        ),
    )
)
def test_no_answer_however_strange_stops_a_run(content: Any) -> None:
    fake = FakeReccoBeats(answers=[{"content": content}])

    blocks, finding = ReccoBeats(fake.fetch, API_URL).measure(tracks(1))

    assert blocks == []
    assert finding in {"ok", "failed:unreadable"}
