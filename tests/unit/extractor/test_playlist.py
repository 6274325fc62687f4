from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extractor.authorization import ConsentEndedError, UnauthorizedError
from services.extractor.playlist import CompletePlaylist, outcome_of, read_playlist
from services.extractor.spotify import SpotifyClient
from shared.errors import TransientError
from shared.web import (
    NotFoundError,
    QuotaError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
    WebError,
)
from tests.unit.extractor.fake_spotify import (
    PLAYLIST_ID,
    Answer,
    Clock,
    FakeSpotify,
    Generation,
    error,
    song,
    spotify_client,
)

Page: TypeAlias = dict[str, Any]


def read(fake: FakeSpotify, spotify: SpotifyClient | None = None) -> CompletePlaylist:
    with fake.reachable():
        return read_playlist(spotify or spotify_client(Clock()), PLAYLIST_ID)


LONG_LIMIT = error(429, "API rate limit exceeded", Retry_After="86400")


def names(page: dict[str, Any]) -> list[str]:
    return [(entry.get("item") or entry["track"])["name"] for entry in page["items"]]


def numbers(playlist: CompletePlaylist) -> list[int | None]:
    """Which song stands in which place."""
    return [int(entry["item"]["name"].split()[1]) if entry else None for entry in playlist.entries]


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
    fake.withheld["items"] = fake.withheld["tracks"] = error(403, "Forbidden")

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
    fake.withheld["items"] = fake.withheld["tracks"] = fault

    # when it is read
    playlist = read(fake)

    # then what came is kept, and told to be a part
    assert (playlist.outcome, playlist.finding) == ("partial", finding)
    assert names(playlist.document["items"]) == [f"Song {number}" for number in range(150)]


class TestAPageShorterThanAsked:
    @staticmethod
    def playlist(*, sent: Callable[[Page], Page], offset: int = 100) -> FakeSpotify:
        """Of 230 songs the page from an offset on comes as it is made to."""
        fake = playlist_of(230)
        before = [Answer(200, fake._page(PLAYLIST_ID, each, 50)) for each in range(100, offset, 50)]
        fake.faults["items"] = [*before, Answer(200, sent(fake._page(PLAYLIST_ID, offset, 50)))]
        return fake

    def test_costs_what_it_lacks_and_brings_nothing_twice(self) -> None:
        # given a page in the middle with 30 of its 50 entries
        fake = self.playlist(sent=lambda page: page | {"items": page["items"][:30]})

        # when the playlist is read
        playlist = read(fake)

        # then the entries after it stand in their places, and none is there twice
        came = [*range(130), *[None] * 20, *range(150, 230)]
        assert numbers(playlist) == came
        assert playlist.document["items"]["items"] == playlist.entries
        assert [query["offset"] for query in fake.calls_of("items")] == ["100", "150", "200"]

        # and it is told to be a part
        assert (playlist.outcome, playlist.finding, playlist.came) == ("partial", "ok", 210)
        assert playlist.sentence == (
            "210 of 230 entries received: Spotify's pages contain fewer than it counts. Run again later"
        )

    def test_costs_only_itself_if_it_is_empty(self) -> None:
        playlist = read(self.playlist(sent=lambda page: page | {"items": []}, offset=150))

        assert numbers(playlist) == [*range(150), *[None] * 50, *range(200, 230)]
        assert (playlist.outcome, playlist.came, playlist.missing) == ("partial", 180, 50)

    def test_leaves_no_places_behind_the_last_entry(self) -> None:
        playlist = read(self.playlist(sent=lambda page: page | {"items": page["items"][:7]}, offset=200))

        assert numbers(playlist) == [*range(207)]
        assert (playlist.outcome, playlist.came, playlist.missing) == ("partial", 207, 23)

    def test_is_whole_if_spotify_lowered_the_limit_itself(self) -> None:
        # given an application that is given 20 entries a page
        fake = playlist_of(230)
        fake.most_a_page = 20

        # when the playlist is read
        playlist = read(fake)

        # then every entry comes once
        assert numbers(playlist) == [*range(230)]
        assert (playlist.outcome, len(fake.calls_of("items"))) == ("ok", 7)

    def test_that_the_playlist_itself_brings_is_asked_for_again(self) -> None:
        # given a playlist of which its own document holds 60 entries and says that it holds 100
        fake = playlist_of(230)
        document = fake._playlist(PLAYLIST_ID)
        page = document["items"]
        fake.faults["playlist"] = [Answer(200, document | {"items": page | {"items": page["items"][:60]}})]

        # when it is read
        playlist = read(fake)

        # then no place is guessed
        assert (playlist.outcome, numbers(playlist)) == ("ok", [*range(230)])
        assert fake.calls_of("items")[0]["offset"] == "0"

    @pytest.mark.parametrize("nothing", [None, {"no": "list"}, 7])
    def test_is_asked_for_again_if_it_holds_no_list(self, nothing: Any) -> None:
        playlist = read(self.playlist(sent=lambda page: page | {"items": nothing}))

        assert (playlist.outcome, numbers(playlist)) == ("ok", [*range(230)])

    def test_ends_the_reading_if_it_never_holds_a_list(self) -> None:
        fake = playlist_of(230)
        fake.faults["items"] = [Answer(200, fake._page(PLAYLIST_ID, 100, 50))]
        fake.withheld["items"] = Answer(200, {"items": None, "total": 230})

        playlist = read(fake)

        assert (playlist.outcome, playlist.finding, numbers(playlist)) == (
            "partial",
            "failed:unreadable",
            [*range(150)],
        )
        assert playlist.sentence is not None
        assert playlist.sentence.startswith("150 of 230 entries received: ")
        assert playlist.sentence.endswith("Run again later")

    def test_that_is_another_page_than_asked_is_none(self) -> None:
        fake = self.playlist(sent=lambda page: page | {"offset": 0, "items": [{"item": song(7)}] * 50})

        playlist = read(fake)

        assert (playlist.outcome, numbers(playlist)) == ("ok", [*range(230)])


@given(
    length=st.integers(0, 400),
    embedded=st.integers(0, 100),
    lacking=st.sets(st.integers(0, 400)),
    lowered=st.sampled_from([1, 7, 20, 49, 50]),
)
def test_whatever_pages_lack_no_entry_comes_twice_or_out_of_its_place(
    length: int, embedded: int, lacking: set[int], lowered: int
) -> None:
    # given pages that leave out some entries
    fake = playlist_of(length, embedded=embedded, lacking=lacking, most_a_page=lowered)

    # when the playlist is read
    playlist = read(fake, spotify_client(Clock(), call_budget=10_000))

    # then every entry that Spotify gives is there once and in order, and no place lies before that of its page
    found = [number for number in numbers(playlist) if number is not None]
    paged = sorted({*range(length)} - lacking)
    assert found == sorted(set(found))
    assert set(paged) <= set(found) <= {*range(length)}
    assert all(place <= number for place, number in enumerate(numbers(playlist)) if number is not None)
    assert playlist.came == len(found) == length - playlist.missing
    assert playlist.outcome == ("ok" if len(found) == length else "partial")


def test_without_a_total_pages_are_read_until_none_is_left() -> None:
    fake = playlist_of(170, total="unknown")

    playlist = read(fake)

    assert (playlist.outcome, len(playlist.entries)) == ("ok", 170)
    assert [query["offset"] for query in fake.calls_of("items")] == ["100", "150", "200"]


@pytest.mark.parametrize("total", [230.0, 60, 0, -1, "230", True, 229.5, 1e400])
def test_a_total_is_read_as_json_means_it_and_not_believed_against_the_entries(total: Any) -> None:
    # given a playlist of 230 that counts itself otherwise, or in another way
    fake = playlist_of(230, total=total)

    # when it is read
    playlist = read(fake)

    # then all of it is there
    assert (playlist.outcome, numbers(playlist)) == ("ok", [*range(230)])


def test_limits_and_offsets_are_read_as_json_means_them_too() -> None:
    fake = playlist_of(230)
    pages = [fake._page(PLAYLIST_ID, offset, 50) for offset in (100, 150, 200)]
    fake.faults["items"] = [
        Answer(200, page | {each: float(page[each]) for each in ("limit", "offset", "total")}) for page in pages
    ]

    assert numbers(read(fake)) == [*range(230)]


def test_a_count_without_entries_is_believed_as_far_as_a_playlist_can_hold() -> None:
    fake = playlist_of(0, total=10**9)

    playlist = read(fake)

    assert (playlist.outcome, playlist.came) == ("partial", 0)
    assert len(fake.calls_of("items")) == 10_000 // 50 + 1


def test_an_empty_playlist_is_complete() -> None:
    fake = playlist_of(0)

    playlist = read(fake)

    assert (playlist.outcome, playlist.finding, playlist.entries, playlist.sentence) == ("ok", "ok", [], None)
    assert fake.calls_of("items") == []


def test_a_long_list_is_given_the_calls_that_it_takes() -> None:
    # given a run with a budget for short lists
    fake, spotify = playlist_of(3_000), spotify_client(Clock(), call_budget=20)

    # when it reads a long one
    playlist = read(fake, spotify)

    # then a call more for every ten entries brings it to its end
    assert (playlist.outcome, playlist.came) == ("ok", 3_000)
    assert spotify.call_budget == 320


def test_null_entries_count_as_spotify_counts_them() -> None:
    fake = FakeSpotify(playlists={PLAYLIST_ID: [song(1), None, song(2)]})

    playlist = read(fake)

    assert (playlist.outcome, len(playlist.entries)) == ("ok", 3)
    assert fake.calls_of("items") == []


def test_a_playlist_that_cannot_be_read_at_all_is_a_fault() -> None:
    with pytest.raises(NotFoundError):
        read(FakeSpotify())


def test_where_the_route_of_2026_is_refused_the_run_stays_with_the_older_one() -> None:
    # given an application that is given its pages as before 2026
    fake = playlist_of(230, generation="2025")
    fake.withheld["items"] = error(403, "Forbidden")
    spotify = spotify_client(Clock())

    # when two playlists are read in a run
    first, second = read(fake, spotify), read(fake, spotify)

    # then both are whole, and the refused route was tried once
    assert (first.outcome, first.finding, len(first.entries)) == ("ok", "ok", 230)
    assert second == first
    assert len(fake.calls_of("items")) == 1
    assert fake.calls_of("tracks")[:3] == [
        {"market": "US", "additional_types": "track,episode", "limit": "50", "offset": offset}
        for offset in ("100", "150", "200")
    ]
    assert spotify.capabilities.findings == {"playlist_items": "refused:403", "playlist_tracks": "ok"}


def test_where_both_routes_are_refused_it_is_the_playlist_and_not_the_route() -> None:
    # given a playlist whose pages are not given
    fake = playlist_of(120)
    fake.withheld["tracks"] = error(404, "Not found")
    fake.faults["items"] = [error(403, "Forbidden")]
    spotify = spotify_client(Clock())

    # when it is read, and another one after it
    refused, given = read(fake, spotify), read(fake, spotify)

    # then the other one comes by the usual route
    assert (refused.outcome, refused.finding) == ("partial", "refused:403")
    assert given.outcome == "ok"
    assert spotify.capabilities.findings == {"playlist_tracks": "refused:404"}

    # and the older route is not asked again, whatever else is refused
    fake.withheld["items"] = error(403, "Forbidden")
    assert read(fake, spotify).outcome == "partial"
    assert len(fake.calls_of("tracks")) == 1


def test_an_embedded_page_that_is_the_whole_needs_no_second_look() -> None:
    fake = playlist_of(100)

    assert read(fake).finding == "ok"
    assert len(fake.calls_of("playlist")) == 1


@pytest.mark.parametrize("edits", [1, 2])
def test_a_list_that_is_edited_while_it_is_paged_is_read_again(edits: int) -> None:
    # given a playlist that loses its first song after its last page, once or twice
    fake = playlist_of(140)
    songs = fake.playlists[PLAYLIST_ID]
    fake.edits = [songs[gone:] for gone in range(1, edits + 1)]

    # when it is read
    playlist = read(fake)

    # then it is told as it was in the end, with no song twice and none left out
    assert (playlist.outcome, playlist.finding) == ("ok", "ok")
    assert names(playlist.document["items"]) == [f"Song {number}" for number in range(edits, 140)]
    assert len(fake.calls_of("playlist")) == edits + 2


def test_a_list_that_never_rests_is_told_as_it_was_last() -> None:
    fake = playlist_of(120)
    songs = list(fake.playlists[PLAYLIST_ID])
    fake.edits = [songs[gone:] + songs[:gone] for gone in range(1, 11)]

    playlist = read(fake)

    assert (playlist.outcome, playlist.finding) == ("ok", "moved")
    assert playlist.sentence is not None
    assert "may be duplicated or missing. Run again later" in playlist.sentence
    assert len(playlist.entries) == 120
    assert len(fake.calls_of("items")) == 3


def test_a_list_whose_version_changes_and_whose_entries_do_not_is_at_rest() -> None:
    # given a list of Spotify's own, whose snapshot_id is another one each time
    fake = playlist_of(120)
    fake.edits = [fake.playlists[PLAYLIST_ID]] * 10

    # when it is read
    playlist = read(fake)

    # then the second reading, which brought the same entries, was enough
    assert (playlist.outcome, playlist.finding, playlist.sentence) == ("ok", "ok", None)
    assert len(fake.calls_of("items")) == 2


@pytest.mark.parametrize("fault", [LONG_LIMIT, error(503, "Unavailable"), error(403, "Forbidden")])
def test_a_second_reading_that_fails_leaves_the_first(fault: Answer) -> None:
    fake = playlist_of(120)
    fake.edits = [fake.playlists[PLAYLIST_ID]]
    fake.faults["items"] = [Answer(200, fake._asked_page(PLAYLIST_ID, {"offset": "100", "limit": "50"}))]
    fake.withheld["items"] = fake.withheld["tracks"] = fault
    document = Answer(200, fake._playlist(PLAYLIST_ID) | {"snapshot_id": "before"})
    fake.faults["playlist"] = [document]

    playlist = read(fake)

    assert (playlist.outcome, playlist.finding, playlist.fault, len(playlist.entries)) == ("ok", "moved", None, 120)


@pytest.mark.parametrize("fault", [LONG_LIMIT, error(403, "Forbidden")])
def test_entries_that_cannot_be_checked_are_kept(fault: Answer) -> None:
    fake = playlist_of(120)
    fake.faults["playlist"] = [Answer(200, fake._playlist(PLAYLIST_ID))]
    fake.withheld["playlist"] = fault

    playlist = read(fake)

    assert (playlist.outcome, playlist.finding, len(playlist.entries)) == ("ok", "unchecked", 120)


def test_a_spent_quota_while_paging_leaves_the_playlist_to_another_run() -> None:
    fake = playlist_of(230)
    fake.withheld["items"] = LONG_LIMIT

    with pytest.raises(QuotaError):
        read(fake)


def test_a_list_without_end_is_read_until_the_calls_are_spent() -> None:
    fake = playlist_of(120)
    fake.withheld["items"] = Answer(200, {"items": [None], "total": None})
    fake.faults["playlist"] = [Answer(200, {"type": "playlist", "items": {"items": []}})]

    with pytest.raises(QuotaError, match="its budget of 30 calls"):
        read(fake, spotify_client(Clock(), call_budget=30))

    assert len(fake.asked) == 30


@pytest.mark.parametrize(
    ("fault", "outcome", "advice"),
    [
        (RefusedError("GET it", 403, "Forbidden"), "forbidden", "earworm authorize"),
        (NotFoundError("GET it", "Not found"), "not_found_or_editorial", "37i9"),
        (QuotaError("GET it", "Spent", 86400), "quota", "deferred"),
        (RateLimitedError("GET it", "Slow down", 5), "failed", "later"),
        (UnavailableError("GET it", 503, "Down"), "failed", "later"),
        (UnauthorizedError(RefusedError("POST it", 400, "invalid_client")), "failed", "client_secret"),
        (RefusedError("GET it", 400, "Bad request"), "failed", "Bad request. Correct what the error names"),
    ],
)
def test_each_fault_comes_to_an_outcome_with_what_to_do(fault: Exception, outcome: str, advice: str) -> None:
    found, sentence = outcome_of(fault)

    assert found == outcome
    assert str(fault) in sentence
    assert ("again later" in sentence) == (isinstance(fault, TransientError) and outcome != "quota")
    assert advice in sentence


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (UnavailableError("GET it", 503, "Down"), "Run again later"),
        (RateLimitedError("GET it", "Slow down", 5), "Run again later"),
        (RefusedError("GET it", 403, "Forbidden"), "authorize its owner or a collaborator with `earworm authorize`"),
        (NotFoundError("GET it", "Not found"), "authorize its owner or a collaborator with `earworm authorize`"),
        (RefusedError("GET it", 400, "Bad request"), "Correct what the error names: running again will not help"),
        (
            ConsentEndedError(datetime(2026, 1, 1, tzinfo=UTC)),
            "Correct what the error names: running again will not help",
        ),
    ],
)
def test_what_is_stored_in_part_says_what_is_missing_and_what_helps(fault: WebError, advice: str) -> None:
    part = CompletePlaylist({}, [{}, None, {}], "partial", fault=fault, gaps=1, missing=1_234)
    uncounted = CompletePlaylist({}, [{}], "partial", fault=fault)
    nothing = CompletePlaylist({}, [], "metadata_only", fault=fault)

    for stored, told in (
        (part, "2 of 1,236 entries received: "),
        (uncounted, "1 entries received: "),
        (nothing, "Spotify returned the playlist without its entries ("),
    ):
        assert stored.sentence is not None
        assert stored.sentence.startswith(told)
        assert str(fault) in stored.sentence
        assert advice in stored.sentence
        assert ("Run again" in stored.sentence) == isinstance(fault, TransientError)


def test_what_is_stored_without_a_fault_says_what_is_missing() -> None:
    whole, nothing = CompletePlaylist({}, [None], "ok"), CompletePlaylist({}, [], "metadata_only", "absent")

    assert whole.sentence is None
    assert nothing.sentence is not None
    assert "earworm authorize" in nothing.sentence
