"""What a document is, and where its entries are."""

import gzip
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import documents
from contracts.documents import Identity, identify, merged, read_document
from contracts.elements import UnreadableSnapshotError
from contracts.snapshot import Provenance, read_snapshot
from tests.documents import album, artist, entry, envelope, playlist, track, tracks_in

ID = "3cEYpjA9oz9GiPac4AsH4n"
ADDRESS = f"https://api.spotify.com/v1/playlists/{ID}"
ENTRIES = [entry(track(str(number))) for number in range(1, 6)]


def body(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def page(first: int, last: int, **fields: Any) -> dict[str, Any]:
    """A page of the five entries."""
    told = {"href": f"{ADDRESS}/tracks?offset={first - 1}&limit=2", "offset": first - 1, "total": 5}
    return {**told, "items": ENTRIES[first - 1 : last], **fields}


def places(document: bytes) -> list[tuple[int, str]]:
    """The position and the location of each track."""
    snapshot = read_snapshot(document, Provenance(ID, date(2024, 3, 1)))
    assert [each.track.name for each in tracks_in(snapshot)] == [str(each.position) for each in tracks_in(snapshot)]
    return [(each.position, each.location) for each in tracks_in(snapshot)]


PLAYLIST = playlist(*ENTRIES, name="Liste – été 🎧")
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "UTF-8 with its mark": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16, little end first": lambda text: b"\xff\xfe" + text.decode().encode("utf-16-le"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + text.decode().encode("utf-16-be"),
    "UTF-16, little end first, without its mark": lambda text: text.decode().encode("utf-16-le"),
    "UTF-16, big end first, without its mark": lambda text: text.decode().encode("utf-16-be"),
    "UTF-32": lambda text: text.decode().encode("utf-32"),
    "gzip": gzip.compress,
    "gzip of UTF-16": lambda text: gzip.compress(text.decode().encode("utf-16")),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_document_reads_the_same_in_every_encoding(encoding: str) -> None:
    snapshot = read_snapshot(ENCODINGS[encoding](body(PLAYLIST)), Provenance(ID, date(2024, 3, 1)))

    assert snapshot.playlist.name == "Liste – été 🎧"
    assert len(tracks_in(snapshot)) == 5


def test_a_page_begins_where_its_offset_says() -> None:
    assert places(body(page(3, 4))) == [(3, "$.items[0]"), (4, "$.items[1]")]
    assert identify(body(page(3, 4))) == Identity("page", ID, None, offset=2, entries=2, missing=3)


@pytest.mark.parametrize("offset", [2, 2.0, None])
def test_an_offset_is_a_whole_number_or_else_in_the_address(offset: float | None) -> None:
    assert places(body(page(3, 4, offset=offset))) == [(3, "$.items[0]"), (4, "$.items[1]")]


@pytest.mark.parametrize("offset", ["2", -1, 2.5, True, 10**18])
def test_what_is_no_offset_invents_no_position(offset: Any) -> None:
    with pytest.raises(UnreadableSnapshotError, match=r"^\$\.offset: .* is not a count of the entries before"):
        read_document(body(page(3, 4, offset=offset)))


def test_pages_are_one_list_in_the_order_of_their_offsets() -> None:
    document = body([page(5, 5), page(1, 2), page(3, 4)])

    assert [position for position, _ in places(document)] == [1, 2, 3, 4, 5]
    assert places(document)[4] == (5, "$[0].items[0]")
    assert identify(document) == Identity("pages", ID, None, offset=0, entries=5, missing=0)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("playlist_first", [False, True])
def test_files_of_pages_merge_with_name_and_owner_whichever_comes_first(wrapped: bool, playlist_first: bool) -> None:  # noqa: FBT001
    # given a playlist with its first page, and two more pages, each in a list of one if they are wrapped
    whole = playlist(tracks=page(1, 2), owner={"id": "label"})
    files = [whole, page(3, 4), page(5, 5)] if playlist_first else [page(5, 5), page(3, 4), whole]

    together = merged([body([each] if wrapped else each) for each in files])

    assert [position for position, _ in places(together)] == [1, 2, 3, 4, 5]
    document = read_document(together)
    assert (document.playlist.name, document.missing) == ("Trending", 0)
    assert document.says[0][1] == ID


def described(offset: int, limit: int, by: str) -> dict[str, Any]:
    """A page that says where it stands in one way alone."""

    def address(of: int) -> str:
        return f"{ADDRESS}/tracks?offset={of}&limit={limit}"

    says: dict[str, Any] = {
        "offset": offset,
        "href": address(offset),
        "next": address(offset + limit),
        "previous": address(offset - limit),
    }
    return {"items": ENTRIES[offset : offset + limit], "total": 5, by: says[by]}


@given(limit=st.integers(1, 5), data=st.data())
def test_a_page_stands_where_its_offset_or_any_of_its_addresses_says(limit: int, data: st.DataObject) -> None:
    # given every page, in any order, as a filter of fields leaves them
    pages = [
        described(offset, limit, data.draw(st.sampled_from(ways)))
        for offset in range(0, 5, limit)
        if (ways := ["offset", "href", *["next"] * (offset + limit < 5), *["previous"] * (offset > 0)])
    ]

    document = body(data.draw(st.permutations(pages)))

    assert [position for position, _ in places(document)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "says",
    [
        {"offset": 4},
        {"href": f"{ADDRESS}/tracks?offset=4&limit=2"},
        {"href": f"{ADDRESS}/tracks?offset=4"},
        {"previous": f"{ADDRESS}/tracks?offset=2&limit=2"},
        {"previous": f"{ADDRESS}/tracks?offset=2&limit=2", "total": None},
        {"href": f"{ADDRESS}/tracks?offset=4&limit=2", "total": None},
    ],
)
@pytest.mark.parametrize("shape", [lambda merged: merged, lambda merged: playlist(tracks=merged)])
def test_merged_pages_are_the_whole_list_whatever_the_last_of_them_said(says: dict[str, Any], shape: Any) -> None:
    merged_pages = {"items": ENTRIES, "total": 5, "next": None, **says}

    assert [position for position, _ in places(body(shape(merged_pages)))] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (page(1, 4, offset=4), r"\$\.offset"),
        (playlist(tracks=page(1, 4, offset=4)), r"\$\.tracks\.offset"),
        ([{"items": ENTRIES[:3], "total": 5}] * 2, r"\$\[1\]\.offset"),
    ],
)
def test_more_entries_than_the_source_counts_have_no_positions(document: Any, place: str) -> None:
    with pytest.raises(
        UnreadableSnapshotError, match=rf"^{place}: \d entries after \d .* than the 5 .*; give every page"
    ):
        read_document(body(document))


@pytest.mark.parametrize("address", ["http://[", f"{ADDRESS}?offset={'9' * 5_000}", f"{ADDRESS}?offset=-1", 7])
def test_an_address_that_says_no_offset_is_none(address: Any) -> None:
    assert places(body(page(1, 2, offset=None, href=address)))[0] == (1, "$.items[0]")


@pytest.mark.parametrize(("items", "tracks", "taken"), [(0, 5, "tracks"), (3, 5, "tracks"), (5, 3, "items")])
def test_of_both_generations_at_once_the_one_with_more_entries_is_read(items: int, tracks: int, taken: str) -> None:
    halves = {"items": page(1, items, offset=0), "tracks": page(1, tracks, offset=0)}

    assert places(body(playlist(**halves)))[4] == (5, f"$.{taken}.items[4]")


def test_a_missing_page_is_told() -> None:
    document = read_document(body([page(1, 2), page(5, 5)]))

    assert (document.entries, document.missing) == (3, 2)


@pytest.mark.parametrize(
    "pages",
    [
        [page(1, 3), page(3, 4)],
        [page(1, 2), page(1, 2)],
        [PLAYLIST, PLAYLIST],
        [playlist(entry(None), id=None), playlist(entry(None), id=None)],
    ],
)
def test_pages_that_overlap_are_refused(pages: list[Any]) -> None:
    with pytest.raises(UnreadableSnapshotError, match=r"^\$\[1\].*: pages overlap: its first is entry \d of"):
        merged(list(map(body, pages)))


def test_pages_of_two_playlists_are_refused_with_both_names() -> None:
    other = page(3, 4, href="https://api.spotify.com/v1/playlists/another/tracks?offset=2")

    with pytest.raises(UnreadableSnapshotError, match=rf"^\$\[1\]\.href: 'another' is another playlist than '{ID}'"):
        merged([body(page(1, 2)), body(other)])


def test_a_snapshot_stands_alone() -> None:
    with pytest.raises(UnreadableSnapshotError, match="load each alone"):
        read_document(body([envelope(PLAYLIST), page(1, 2)]))


@pytest.mark.parametrize(
    ("document", "kind", "first"),
    [
        (ENTRIES, "entries", "$[0]"),
        ([None, *ENTRIES[1:]], "entries", None),
        (PLAYLIST | {"tracks": ENTRIES}, "playlist", "$.tracks[0]"),
        ({"id": ID, "name": "x", "tracks": ENTRIES}, "playlist", "$.tracks[0]"),
        ({"id": ID, "name": "x", "items": ENTRIES}, "playlist", "$.items[0]"),
        ([{"id": ID, "tracks": {"items": ENTRIES}}], "playlist", "$[0].tracks.items[0]"),
        (envelope(PLAYLIST | {"tracks": ENTRIES}), "snapshot", "$.playlist.tracks[0]"),
    ],
)
def test_what_archives_keep_of_a_playlist_is_taken(document: Any, kind: str, first: str | None) -> None:
    found = read_document(body(document))

    assert (found.kind, found.entries) == (kind, 5)
    assert [f"{page.elements.path}[0]" for page in found.pages] == [first or "$[0]"]


def test_an_envelope_says_its_playlist_and_day() -> None:
    assert identify(body(envelope(PLAYLIST))) == Identity("snapshot", ID, date(2026, 11, 22), 0, 5, 0)


@pytest.mark.parametrize(
    "says",
    [
        {"id": ID},
        {"id": None, "uri": f"spotify:playlist:{ID}"},
        {"id": None, "uri": f"spotify:user:spotify:playlist:{ID}"},
        {"id": None, "href": ADDRESS},
        {"id": None, "tracks": {"items": [], "href": f"{ADDRESS}/tracks?offset=0&limit=100"}},
    ],
)
def test_a_playlist_is_named_by_its_id_or_any_of_its_addresses(says: dict[str, Any]) -> None:
    assert identify(body(playlist(**says))).playlist_id == ID


TRACK = {"type": "track", "id": "t", "name": "S"}
SEARCH = "https://api.spotify.com/v1/search?query=x&type=track&offset=0&limit=20"


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (album(tracks={"items": [TRACK], "total": 1}), "an album"),
        ([album(tracks={"items": [TRACK], "total": 1})], "a list of albums"),
        (artist(), "an artist"),
        (TRACK, "a track"),
        ({"type": "show", "id": "s"}, "a show"),
        (
            {"href": "https://api.spotify.com/v1/artists/a/albums?limit=20", "items": [album()]},
            "the albums of an artist",
        ),
        ({"items": [album()], "total": 1}, "a list of albums"),
        ({"href": "https://api.spotify.com/v1/albums/a/tracks", "items": [TRACK]}, "the tracks of an album"),
        ({"href": "https://api.spotify.com/v1/me/playlists", "items": [playlist()]}, "the playlists of a user"),
        ({"href": "https://api.spotify.com/v1/users/x/playlists?limit=9", "items": []}, "the playlists of a user"),
        ({"items": [playlist()], "total": 1}, "a list of playlists"),
        ({"tracks": {"href": SEARCH, "items": [TRACK]}}, "search results"),
        ({"tracks": {"href": SEARCH, "items": []}, "artists": {"href": SEARCH, "items": []}}, "search results"),
        ({"playlists": {"items": [playlist()], "total": 1}}, "a list of playlists"),
        ({"tracks": [TRACK]}, "a list of tracks"),
        ([TRACK], "a list of tracks"),
        (
            {"tracks": [{"artist": "A", "album": "B", "track": "S", "uri": "spotify:track:x"}], "albums": []},
            "YourLibrary of Spotify's account export",
        ),
        (
            {"playlists": [{"name": "x", "lastModifiedDate": "2024-01-01", "items": []}]},
            "the playlists of Spotify's account export",
        ),
        ([{"endTime": "2024-01-01 10:00", "artistName": "A", "trackName": "S", "msPlayed": 1}], "a streaming history"),
        ([{"ts": "2024-01-01T10:00:00Z", "ms_played": 1, "master_metadata_track_name": "S"}], "a streaming history"),
        ([{"Track URI": "spotify:track:x", "Track Name": "S"}], "an export of Exportify"),
        ({"items": [{"track": TRACK, "played_at": "2024-01-01T10:00:00Z"}]}, "a user's recently played tracks"),
        ({"audio_features": [{"type": "audio_features", "id": "t", "energy": 0.5}, None]}, "a list of audio features"),
        ([{"type": "audio_features", "id": "t", "energy": 0.5}], "a list of audio features;"),
        ({"audio_features": [None]}, "a list of audio features"),
        (
            {"payload": {"artists": [{"artist_name": "A", "listen_count": 1}], "range": "week"}},
            "an answer of ListenBrainz",
        ),
        ({"error": {"status": 404, "message": "Not found."}}, "an error that the Web API answered, '404 Not found.'"),
        ({"error": "invalid_client", "error_description": "x"}, "an error that the Web API answered, 'invalid_client'"),
        ({"statusCode": 200, "body": playlist()}, "an object with a playlist in 'body'; load that alone"),
    ],
)
def test_what_is_no_playlist_is_named(document: Any, what: str) -> None:
    with pytest.raises(UnreadableSnapshotError) as refusal:
        identify(body(document))

    assert refusal.value.problem.startswith(f"not a playlist: this is {what}")


def test_what_cannot_be_named_is_refused_by_what_it_lacks() -> None:
    with pytest.raises(UnreadableSnapshotError, match=r"not a playlist: none of its elements is an entry of .*; load"):
        identify(body({"items": [{"name": "S"}], "total": 1}))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"<!DOCTYPE html>\n<title>Log in</title>", "this is a web page, .*; download the document again"),
        (b'\n<?xml version="1.0"?><Error/>', "this is a web page"),
        (body(PLAYLIST) + b"\n" + body(PLAYLIST), "trailing characters .*; give each document a file of its own"),
        (body(PLAYLIST)[:-9], "EOF while parsing .*; get the whole of it again"),
        (
            b"spotify:track:11dFghVXANMlKmJXsNCbNl\n",
            "Invalid JSON: .*; load it as the Web API or the extractor gave it",
        ),
        (repr(PLAYLIST).encode(), "Invalid JSON: .*; load it as the Web API or the extractor gave it"),
    ],
    ids=["a page", "an error of S3", "JSON Lines", "cut off", "text", "Python"],
)
def test_what_is_not_json_is_refused_with_what_to_do(text: bytes, what: str) -> None:
    with pytest.raises(UnreadableSnapshotError, match=what):
        identify(text)


def test_a_table_of_exportify_is_named() -> None:
    with pytest.raises(UnreadableSnapshotError, match=r"this is an export of Exportify: .*earworm run --playlist"):
        identify(b'\xef\xbb\xbf"Track URI","Track Name","Album Name"\n"spotify:track:x","S","B"\n')


@pytest.mark.parametrize(
    "fields",
    [
        {"owner": []},
        {"followers": "many"},
        {"external_urls": 7, "name": {"of": "no text"}},
        {"artists": "not an envelope's"},
    ],
)
def test_a_part_of_a_playlist_that_is_broken_costs_no_entry(fields: dict[str, Any]) -> None:
    assert len(places(body(PLAYLIST | fields))) == 5


@pytest.mark.parametrize("encode", [bytes, gzip.compress, lambda text: gzip.compress(text[:90]) + gzip.compress(text)])
def test_what_is_larger_than_any_document_is_refused_without_being_unpacked_as_a_whole(
    monkeypatch: pytest.MonkeyPatch, encode: Any
) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", 100)
    text = json.dumps(playlist(name="x" * 1_000)).encode()

    with pytest.raises(UnreadableSnapshotError, match="over 0 MB, which no playlist takes; get it again"):
        identify(encode(text))
