"""The tolerant reader of raw documents."""

import json
from datetime import date, datetime
from typing import Any

import pytest

from contracts.candidates import Reject, Skip
from contracts.elements import UnreadableSnapshotError
from contracts.snapshot import Provenance, Snapshot, TrackEntry, read_snapshot
from tests.documents import artist, entry, envelope, playlist, track, tracks_in

PROVENANCE = Provenance("3cEYpjA9oz9GiPac4AsH4n", date(2026, 11, 22), run_id="load-1")


def read(document: Any) -> Snapshot:
    return read_snapshot(json.dumps(document).encode(), PROVENANCE)


def names(snapshot: Snapshot) -> list[Any]:
    return [each.track.name for each in tracks_in(snapshot)]


def of_2026(document: dict[str, Any]) -> dict[str, Any]:
    page = document.pop("tracks")
    entries = [{"item" if name == "track" else name: value for name, value in each.items()} for each in page["items"]]
    return {**document, "items": {**page, "items": entries}}


BARE = playlist(entry(track("One")), entry(track("Two")))
PAGE = {"items": [entry(track("One")), entry(track("Two"))], "total": 2, "offset": 0, "limit": 50, "next": None}


@pytest.mark.parametrize(
    "document",
    [
        BARE,
        [BARE],
        of_2026(dict(BARE)),
        [of_2026(dict(BARE))],
        PAGE,
        [PAGE],
        envelope(BARE),
        envelope(of_2026(dict(BARE))),
        {**BARE, **of_2026(dict(BARE))},
    ],
    ids=[
        "bare",
        "wrapped",
        "2026",
        "2026 wrapped",
        "page",
        "page wrapped",
        "envelope",
        "2026 envelope",
        "both at once",
    ],
)
def test_every_shape_of_a_playlist_reads_the_same(document: Any) -> None:
    snapshot = read(document)

    assert names(snapshot) == ["One", "Two"]
    assert [each.position for each in tracks_in(snapshot)] == [1, 2]
    assert snapshot.outcome == "ok"
    assert snapshot.total == 2


@pytest.mark.parametrize(
    ("escaped", "name"),
    [
        (rb"cut \ud83c", "cut \ufffd"),
        (rb"\udfa7 cut", "\ufffd cut"),
        (rb"\uD83C\uDFA7 whole", "🎧 whole"),
        (rb"\\ud83c is text", r"\ud83c is text"),
        (rb"\ud83c\ud83c\udfa7", "\ufffd🎧"),
    ],
)
def test_half_a_surrogate_pair_reads_as_the_replacement_character(escaped: bytes, name: str) -> None:
    snapshot = read_snapshot(b'{"type": "playlist", "name": "' + escaped + b'"}', PROVENANCE)

    assert snapshot.playlist.name == name


def test_the_item_of_an_entry_goes_before_its_track_and_items_before_tracks() -> None:
    old, new = entry(track("Old")), {"item": track("New"), "track": track("Old")}

    assert names(read({"items": {"items": [new]}, "tracks": {"items": [old]}})) == ["New"]


def test_the_envelope_tells_where_rows_come_from() -> None:
    assert read(envelope(BARE)).origin == {
        "snapshot_date": "2026-11-22",
        "playlist_id": "3cEYpjA9oz9GiPac4AsH4n",
        "run_id": "run-1",
        "extracted_at": datetime(2026, 11, 22, 6, 0, 5, 250_000),  # noqa: DTZ001
    }


def test_for_a_bare_document_the_object_tells_it_and_the_rest_is_null() -> None:
    assert read(BARE).origin == {
        "snapshot_date": "2026-11-22",
        "playlist_id": "3cEYpjA9oz9GiPac4AsH4n",
        "run_id": "load-1",
        "extracted_at": None,
    }


def test_entries_that_are_no_tracks_are_skipped_by_name_and_keep_their_place() -> None:
    snapshot = read(
        playlist(
            entry(None), entry({"type": "episode", "name": "E"}), entry({"type": ["no", "kind"]}), entry(track("Last"))
        )
    )

    assert tuple(snapshot.entries)[:3] == (
        Skip("null_entry"),
        Skip("episode"),
        Skip("unknown_type"),
    )
    assert [each.position for each in tracks_in(snapshot)] == [4]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"uri": "spotify:episode:4rOoJ6Egrf8K2IrywzwOMk"}, "episode"),
        ({"uri": "spotify:chapter:0IsXVP0JmcB2adSE338GkK"}, "unknown_type"),
        ({"uri": "spotify:track:11dFghVXANMlKmJXsNCbNl"}, None),
        ({"uri": "spotify:local:Artist:Album:Title:123"}, None),
        ({"uri": "11dFghVXANMlKmJXsNCbNl"}, None),
        ({"uri": 7}, None),
        ({"type": "track", "uri": "spotify:episode:4rOoJ6Egrf8K2IrywzwOMk"}, None),
    ],
)
def test_without_its_type_an_entry_is_what_its_uri_says(fields: dict[str, Any], rule: str | None) -> None:
    (only,) = read(playlist(entry({"name": "One", **fields}))).entries

    assert only == Skip(rule) if rule else isinstance(only, TrackEntry)


def test_a_track_of_which_nothing_is_told_is_no_null_entry() -> None:
    (only,) = read(playlist(entry({}))).entries

    assert isinstance(only, TrackEntry)


def test_an_entry_of_broken_structure_costs_itself_alone() -> None:
    snapshot = read(playlist(entry("no object"), 7, {"added_at": None}, entry(track("Sound"))))

    assert tuple(snapshot.entries)[:3] == (
        Reject("$.tracks.items[0]", "track: Expected `object | null`, got `str`", entry("no object")),
        Reject("$.tracks.items[1]", "Expected `object`, got `int`", 7),
        Reject("$.tracks.items[2]", "neither `item` nor `track`: not an entry of a playlist", {"added_at": None}),
    )
    assert names(snapshot) == ["Sound"]


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        (playlist(entry(track()), tracks={"items": [entry(track())], "total": 2}), "partial"),
        ({"type": "playlist", "name": "Not mine"}, "metadata_only"),
        ({"type": "playlist", "tracks": {"total": 3}}, "metadata_only"),
        (envelope(BARE) | {"snapshot": envelope(BARE)["snapshot"] | {"outcome": "metadata_only"}}, "metadata_only"),
    ],
)
def test_the_outcome_says_how_much_of_the_playlist_is_there(document: Any, outcome: str) -> None:
    assert read(document).outcome == outcome


def test_enrichment_is_found_by_id_and_broken_parts_of_it_are_left_out() -> None:
    # given an enrichment with nulls, things without an id and features of two sources
    document = envelope(
        BARE,
        artists=[artist("One Band", genres=["pop"]), None, {"name": "nobody"}],
        audio_features=[
            {"source": "spotify", "items": [{"id": "track-one", "energy": 0.5}, None]},
            {
                "source": "reccobeats",
                "items": [
                    {"id": "uuid", "href": "https://open.spotify.com/track/track-one", "energy": 0.1},
                    {"id": "uuid", "href": "https://open.spotify.com/track/track-two", "energy": 0.9},
                ],
            },
        ],
    )

    snapshot = read(document)

    # then each is found by the id it is joined by, and the first source wins
    assert list(snapshot.artists) == ["one-band"]
    assert {key: (value.source, value.features.energy) for key, value in snapshot.features.items()} == {
        "track-one": ("spotify", 0.5),
        "track-two": ("reccobeats", 0.9),
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "$: not a playlist document: Invalid JSON"),
        (b'{"tracks":', "$: not a playlist document: Invalid JSON"),
        (b"null", "$: not a playlist document: Expected `object | array`, got `null`"),
        (b"[]", "$: an empty list: load a playlist document, its pages or its entries"),
        (b"[{}, {}]", "$[0]: not a playlist: it has neither"),
        (b"[3]", "$[0]: not a playlist document"),
        (b'{"tracks": 3}', "$.tracks: not a playlist document"),
        (b'{"tracks": {"items": {"0": {}}}}', "$.tracks.items: not a playlist document: Expected `array | null`"),
        (b'{"type": "playlist", "items": {"items": "none"}}', "$.items.items: not a playlist document"),
        (b'{"albums": []}', "$: not a playlist: this is a list of albums"),
        (json.dumps(envelope(BARE, day="2026-11-15")).encode(), "$.snapshot.snapshot_date: '2026-11-15' contradicts"),
        (
            json.dumps({"snapshot": envelope(BARE)["snapshot"] | {"schema_version": 2}}).encode(),
            "$.snapshot.schema_version: schema version 2 is unknown: this release reads 1",
        ),
        (json.dumps({"snapshot": envelope(BARE)["snapshot"]}).encode(), "$.playlist: the envelope holds no playlist"),
        (
            json.dumps(
                {"snapshot": envelope(BARE)["snapshot"] | {"extracted_at": "9999-12-31T23:30:00-02:00"}}
            ).encode(),
            "$.snapshot: not a playlist document: not between the years 1 and 9999 in UTC",
        ),
    ],
)
def test_what_is_no_snapshot_is_refused_with_place_and_reason(body: bytes, message: str) -> None:
    with pytest.raises(UnreadableSnapshotError) as refusal:
        read_snapshot(body, PROVENANCE)

    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("fields", "is_unknown"),
    [({}, False), ({"id": None}, True), ({"is_local": True}, True), ({"id": None, "is_local": True}, True)],
)
def test_local_files_and_tracks_without_id_are_unknown_to_spotify(fields: dict[str, Any], is_unknown: bool) -> None:  # noqa: FBT001
    (only,) = read(playlist(entry(track(**fields)))).entries

    assert isinstance(only, TrackEntry)
    assert only.is_unknown_to_spotify is is_unknown
