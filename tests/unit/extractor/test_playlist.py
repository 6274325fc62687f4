from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from spotipy.cache_handler import MemoryCacheHandler

from services.extractor.credentials import Credentials
from services.extractor.playlist import CompletePlaylist, read_playlist
from services.extractor.spotify import NotFoundError, SpotifyClient
from tests.unit.extractor.fake_spotify import (
    API_URL,
    CLIENT_ID,
    CLIENT_SECRET,
    PLAYLIST_ID,
    TOKEN_URL,
    Answer,
    FakeSpotify,
    Generation,
    error,
    song,
)


def read(fake: FakeSpotify) -> CompletePlaylist:
    with fake.reachable():
        return read_playlist(
            SpotifyClient(
                credentials=Credentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET)),
                tokens=MemoryCacheHandler(),
                market="US",
                api_url=API_URL,
                token_url=TOKEN_URL,
                seconds_left=lambda: 100.0,
                sleep=lambda _seconds: None,
            ),
            PLAYLIST_ID,
        )


def names(page: dict[str, Any]) -> list[str]:
    return [(entry.get("item") or entry["track"])["name"] for entry in page["items"]]


def playlist_of(length: int, **how: Any) -> FakeSpotify:
    return FakeSpotify(playlists={PLAYLIST_ID: [song(number) for number in range(length)]}, **how)


@given(generation=st.sampled_from(["2025", "2026", "both"]), length=st.integers(0, 230), embedded=st.integers(0, 100))
def test_every_entry_comes_once_and_in_its_place(generation: Generation, length: int, embedded: int) -> None:
    # given a playlist of any length, of which its own document holds any part
    fake = playlist_of(length, generation=generation, embedded=embedded)

    # when it is read
    playlist = read(fake)

    # then the document that came holds all entries, in the container that came
    container = "tracks" if generation == "2025" else "items"
    assert names(playlist.document[container]) == [f"Song {number}" for number in range(length)]
    assert playlist.entries == playlist.document[container]["items"]
    assert (playlist.outcome, playlist.finding, playlist.fault) == ("ok", "ok", None)

    # and no call was made that was not needed
    assert len(fake.calls_of("items")) == -(-max(0, length - embedded) // 50)


def test_the_rest_of_the_document_stays_as_it_came() -> None:
    fake = playlist_of(120, generation="2025")
    sent = fake._playlist(PLAYLIST_ID)

    document = read(fake).document

    assert document | {"tracks": None} == sent | {"tracks": None}
    assert document["tracks"] | {"items": None} == sent["tracks"] | {"items": None}
    assert list(document) == list(sent)


def test_of_a_playlist_in_both_generations_the_older_half_stays_only_if_it_is_complete() -> None:
    short, long = read(playlist_of(100, generation="both")), read(playlist_of(101, generation="both"))

    assert len(short.document["tracks"]["items"]) == len(short.document["items"]["items"]) == 100
    assert "tracks" not in long.document
    assert len(long.document["items"]["items"]) == 101


def test_a_playlist_without_contents_is_metadata_only() -> None:
    fake = playlist_of(3, embedded=None)

    playlist = read(fake)

    assert (playlist.outcome, playlist.finding, playlist.entries) == ("metadata_only", "absent", [])
    assert playlist.document["name"] == "Trending · тренды"
    assert fake.calls_of("items") == []


@pytest.mark.parametrize("hollow", [{"total": 60}, {"total": 60, "items": None}, {"total": 60, "items": 7}])
def test_a_container_without_a_list_is_filled_from_its_pages(hollow: dict[str, Any]) -> None:
    fake = playlist_of(60)
    fake.faults["playlist"] = [Answer(200, fake._playlist(PLAYLIST_ID) | {"items": hollow})]

    playlist = read(fake)

    assert playlist.outcome == "ok"
    assert len(playlist.document["items"]["items"]) == 60


def test_contents_that_are_promised_and_refused_are_metadata_only() -> None:
    fake = playlist_of(60)
    fake.faults["playlist"] = [Answer(200, {"type": "playlist", "items": {"total": 60}})]
    fake.withheld["items"] = error(403, "Forbidden")

    playlist = read(fake)

    assert (playlist.outcome, playlist.finding) == ("metadata_only", "refused:403")
    assert playlist.document == {"type": "playlist", "items": {"total": 60}}


@pytest.mark.parametrize(
    ("fault", "finding"), [(error(403, "Forbidden"), "refused:403"), (error(503, "Unavailable"), "failed:503")]
)
def test_a_fault_while_paging_costs_only_what_had_not_come(fault: Answer, finding: str) -> None:
    # given a playlist of four pages, the third of which does not come
    fake = playlist_of(230)
    page = Answer(200, fake._page(PLAYLIST_ID, 100, 50))
    fake.faults["items"] = [page]
    fake.withheld["items"] = fault

    # when it is read
    playlist = read(fake)

    # then what came is kept, and told to be a part
    assert (playlist.outcome, playlist.finding) == ("partial", finding)
    assert names(playlist.document["items"]) == [f"Song {number}" for number in range(150)]


@pytest.mark.parametrize("nothing", [[], None, {"no": "list"}])
def test_a_playlist_that_ends_before_its_total_is_partial(nothing: Any) -> None:
    fake = playlist_of(120)
    fake.faults["items"] = [Answer(200, {"items": nothing, "total": 100})]

    playlist = read(fake)

    assert (playlist.outcome, playlist.finding, len(playlist.entries)) == ("partial", "ok", 100)


def test_without_a_total_pages_are_read_until_none_is_left() -> None:
    fake = playlist_of(170)
    document = fake._playlist(PLAYLIST_ID)
    fake.faults["playlist"] = [Answer(200, document | {"items": document["items"] | {"total": None}})]

    playlist = read(fake)

    assert (playlist.outcome, len(playlist.entries)) == ("ok", 170)
    assert [query["offset"] for query in fake.calls_of("items")] == ["100", "150", "170"]


def test_null_entries_count_as_spotify_counts_them() -> None:
    fake = FakeSpotify(playlists={PLAYLIST_ID: [song(1), None, song(2)]})

    playlist = read(fake)

    assert (playlist.outcome, len(playlist.entries)) == ("ok", 3)
    assert fake.calls_of("items") == []


def test_a_playlist_that_cannot_be_read_at_all_is_a_fault() -> None:
    with pytest.raises(NotFoundError):
        read(FakeSpotify())
