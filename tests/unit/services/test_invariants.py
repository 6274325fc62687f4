"""What holds for every document, however hostile."""

import json
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.drift import drift
from contracts.snapshot import Provenance, read_snapshot
from contracts.tables import TABLES, of_kind
from contracts.validation import judge
from services import transform_of
from services.playlist_metadata.transform import playlist_metadata
from services.songs.transform import songs
from shared import parquet
from tests.documents import album, artist, entry, envelope, playlist, track
from tests.once import once

encode = once(parquet.encode)

PLAYLIST = "3cEYpjA9oz9GiPac4AsH4n"
MOMENTS = st.builds(
    lambda moment, hours: moment.replace(tzinfo=timezone(timedelta(hours=hours))).isoformat(),
    st.datetimes() | st.sampled_from([datetime.min, datetime.max]),  # noqa: DTZ901 - the calendar's edges are the point
    st.integers(-23, 23),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def bent(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound object with some of its fields missing or replaced by anything."""
    missing = st.sets(st.sampled_from(sorted(sound)), max_size=3)
    replaced = st.dictionaries(st.sampled_from(sorted(sound)), ANYTHING, max_size=3)
    return st.builds(
        lambda without, other: {name: value for name, value in {**sound, **other}.items() if name not in without},
        missing,
        replaced,
    )


ARTISTS = st.lists(st.sampled_from("ABC").map(artist) | bent(artist()) | st.none(), max_size=3)
TRACKS = st.builds(
    lambda base, credits_, release: {**base, "artists": credits_, "album": release},
    st.sampled_from("XYZ").map(track) | bent(track()),
    ARTISTS,
    st.none() | bent(album()),
)
ENTRIES = st.lists(
    TRACKS.map(entry)
    | bent(entry(track()))
    | MOMENTS.map(lambda moment: entry(track()) | {"added_at": moment})
    | st.just(entry(None))
    | st.just(entry({"type": "episode"}))
    | ANYTHING,
    max_size=8,
)
DOCUMENTS = st.builds(
    lambda entries, full, features: envelope(
        playlist(*entries), artists=full, audio_features=[{"source": "spotify", "items": features}]
    ),
    ENTRIES,
    ARTISTS,
    st.lists(bent({"id": "track-x", "energy": 0.5, "key": 3, "tempo": 120.0}), max_size=3),
)


def _told(read: object) -> str:
    """In which NaN equals NaN, and an integer of more than 64 bits is what msgspec calls it or not."""
    return repr(read).replace("got `float`", "got `int`")


@given(document=DOCUMENTS)
@settings(max_examples=150)
def test_a_document_reads_the_same_in_parts_and_as_a_whole(document: dict[str, Any]) -> None:
    # given a document, and one that only the parser of the whole reads, for NaN is no JSON
    body = json.dumps(document).encode()
    whole = body.removesuffix(b"}") + b', "weather": NaN}'
    provenance = Provenance(PLAYLIST, date(2026, 11, 22))

    in_parts, at_once = read_snapshot(body, provenance), read_snapshot(whole, provenance)

    assert len(in_parts.entries) == len(at_once.entries)
    assert _told([*in_parts.entries]) == _told([*at_once.entries])
    assert _told(dict(in_parts.artists)) == _told(dict(at_once.artists))
    assert (in_parts.outcome, in_parts.total) == (at_once.outcome, at_once.total)
    assert drift(body) == [each for each in drift(whole) if each["path"] != "$.weather"]


@pytest.mark.slow
@pytest.mark.parametrize("name", of_kind("playlists"))
@given(document=DOCUMENTS)
@settings(max_examples=150)
def test_every_candidate_ends_as_a_row_a_reject_or_a_skip_and_the_rows_can_be_written(
    name: str, document: dict[str, Any]
) -> None:
    # given a possible or hostile document
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))
    table = TABLES[name]

    # when a table's candidates are judged
    candidates = list(transform_of(name)(snapshot))
    judgement = judge(table, candidates)

    # then none is lost, none is there twice, and the rows keep the table's key
    assert judgement.entries == len(candidates)
    assert encode(table, judgement.rows)
    keys = [tuple(row[column] for column in table.key) for row in judgement.rows]
    assert len(set(keys)) == len(keys)


@given(document=DOCUMENTS)
@settings(max_examples=150)
def test_every_entry_of_the_playlist_is_accounted_for_in_songs(document: dict[str, Any]) -> None:
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))

    assert judge(TABLES["songs"], songs(snapshot)).entries == len(document["playlist"]["tracks"]["items"])


LOCAL_FILE = track(
    "Demo",
    id=None,
    is_local=True,
    popularity=0,
    disc_number=0,
    track_number=0,
    external_ids={},
    external_urls={},
    artists=[artist("Garage Band", id=None, external_urls={})],
    album=album("Demos", id=None, album_type=None, release_date=None, release_date_precision=None, artists=[]),
)
REMOVED = track("Gone", id=None, popularity=0, artists=[None], external_ids={})
RESTRICTED = {name: value for name, value in track("Plain").items() if name not in {"popularity", "external_ids"}}
POSSIBLE_TRACKS = st.sampled_from(
    [
        track("One"),
        track("Two", popularity=0, explicit=True),
        track("Relinked", linked_from={"id": "another"}, is_playable=False),
        track("Old", album=album("Old Album", release_date="0000", release_date_precision="year")),
        track("Early", album=album("Early Album", release_date="1964", release_date_precision="year")),
        track("Duet", artists=[artist("Ann"), artist("Bo"), artist("Ann")]),
        LOCAL_FILE,
        REMOVED,
        RESTRICTED,
    ]
)
EPISODE = {"type": "episode", "id": "e", "name": "An episode", "show": {"name": "A show"}}


@st.composite
def possible_playlists(draw: st.DrawFn) -> dict[str, Any]:
    """A playlist in either generation or both at once, with everything that the live API is known to send."""
    names = draw(st.sampled_from([("tracks", "track"), ("items", "item"), ("both", "both")]))
    entries = []
    for thing in draw(st.lists(POSSIBLE_TRACKS | st.none() | st.just(EPISODE), max_size=12)):
        told: dict[str, Any] = {
            "added_at": draw(st.sampled_from(["2026-11-16T08:00:00Z", "1970-01-01T00:00:00Z", None])),
            "added_by": draw(st.sampled_from([{"id": "curator"}, {"id": ""}, None])),
            "is_local": thing is LOCAL_FILE,
        }
        entries.append(told | dict.fromkeys(("item", "track") if names[1] == "both" else (names[1],), thing))
    page = {"items": entries, "total": len(entries)}
    document = playlist(id=draw(st.sampled_from(["3cEYpjA9oz9GiPac4AsH4n", None])))
    del document["tracks"]
    return document | dict.fromkeys(("items", "tracks") if names[0] == "both" else (names[0],), page)


@given(document=possible_playlists(), is_wrapped=st.booleans(), is_bare=st.booleans())
@settings(max_examples=300)
def test_no_possible_playlist_loses_an_entry_or_gains_a_value(
    document: dict[str, Any],
    is_wrapped: bool,  # noqa: FBT001
    is_bare: bool,  # noqa: FBT001
) -> None:
    # given a playlist as the live API may send it
    raw: Any = document if is_bare else envelope(document)
    entries = (document.get("items") or document["tracks"])["items"]
    things = [each.get("item") or each.get("track") for each in entries]

    # when songs are made of it
    body = json.dumps([raw] if is_wrapped else raw).encode()
    judgement = judge(TABLES["songs"], songs(read_snapshot(body, Provenance(PLAYLIST, date(2026, 11, 22)))))

    # then every track is a row at its place, and nothing else is
    assert judgement.rejects == []
    assert judgement.skipped == Counter(
        "episode" if thing else "null_entry" for thing in things if not thing or thing["type"] == "episode"
    )
    expected = [(place, thing) for place, thing in enumerate(things, 1) if thing and thing["type"] == "track"]
    assert [row["position"] for row in judgement.rows] == [place for place, _ in expected]
    for row, (place, thing) in zip(judgement.rows, expected, strict=True):
        sent = entries[place - 1]
        is_known = thing.get("id") and not thing.get("is_local")
        assert row["popularity"] == (thing.get("popularity") if is_known else None)
        assert row["isrc"] == thing.get("external_ids", {}).get("isrc")
        assert (row["track_id"], row["track_name"]) == (thing["id"], thing["name"])
        assert row["artist_id"] == next((each["id"] for each in thing["artists"] if each), None)
        assert row["duration_ms"] == thing["duration_ms"]
        assert row["explicit"] == thing["explicit"]
        assert (row["added_at"] is None) == (sent["added_at"] in {None, "1970-01-01T00:00:00Z"})
        assert row["added_by"] == ("curator" if sent["added_by"] == {"id": "curator"} else None)


@given(document=possible_playlists())
@settings(max_examples=150)
def test_every_possible_playlist_ends_in_every_table_without_a_reject(document: dict[str, Any]) -> None:
    snapshot = read_snapshot(json.dumps(envelope(document)).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))

    for name in of_kind("playlists"):
        candidates: list[Any] = list(transform_of(name)(snapshot))
        judgement = judge(TABLES[name], candidates)
        assert judgement.rejects == []
        assert judgement.entries == len(candidates)
    (told,) = judge(TABLES["playlist_metadata"], playlist_metadata(snapshot)).rows
    assert told["track_entries"] + told["episode_entries"] + told["null_entries"] == told["total_entries"]
    assert told["drift"] == "[]"


MARKUP = st.sampled_from(["<", "<!", "<![", "</", "<?", "<!--", ">", "]]>", "&", "&#", ";", "a", "1", " ", '"', "\0"])


@given(description=st.lists(MARKUP, max_size=8).map("".join))
def test_no_markup_of_a_description_costs_the_playlist(description: str) -> None:
    document = playlist(description=description)
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))

    (row,) = judge(TABLES["playlist_metadata"], playlist_metadata(snapshot)).rows

    assert isinstance(row["description"], str)


OPTIONAL_OF_ENTRY = ("added_at", "added_by", "is_local")
OPTIONAL_OF_TRACK = (
    *("id", "artists", "album", "popularity", "duration_ms", "explicit", "is_local", "is_playable", "disc_number"),
    *("track_number", "external_ids", "external_urls", "linked_from", "available_markets"),
)
OPTIONAL_OF_ALBUM = (
    *("album_type", "artists", "release_date", "release_date_precision", "total_tracks", "label", "external_ids"),
    *("popularity", "external_urls", "images"),
)
OPTIONAL_OF_ARTIST = ("genres", "popularity", "followers", "external_urls", "images")
OPTIONAL_OF_PLAYLIST = (
    *("name", "description", "owner", "public", "collaborative", "followers", "snapshot_id", "external_urls"),
    *("images", "primary_color", "artists", "albums", "audio_features"),
)


def bent_in(thing: dict[str, Any], names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound object with anything in some of these fields."""
    return st.dictionaries(st.sampled_from(names), ANYTHING, max_size=4).map(lambda other: thing | other)


@st.composite
def playlists_with_bent_values(draw: st.DrawFn) -> dict[str, Any]:
    """A playlist of some tracks, each of its own artist and album, in whose optional fields may be anything."""
    entries = []
    for number in range(draw(st.integers(1, 4))):
        of_album = draw(bent_in(album(f"Album {number}"), OPTIONAL_OF_ALBUM))
        credited = [draw(bent_in(artist(f"Band {number}"), OPTIONAL_OF_ARTIST))]
        entries.append(entry(track(f"Song {number}", album=of_album, artists=credited)))
    return draw(bent_in(playlist(*entries), OPTIONAL_OF_PLAYLIST))


@pytest.mark.slow
@given(document=playlists_with_bent_values())
@settings(max_examples=60)
def test_no_bent_optional_value_costs_a_row(document: dict[str, Any]) -> None:
    entries = len(document["tracks"]["items"])
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))

    for name, rows in {"songs": entries, "artists": entries, "albums": entries, "playlist_metadata": 1}.items():
        judgement = judge(TABLES[name], transform_of(name)(snapshot))
        assert (len(judgement.rows), judgement.rejects, judgement.skipped) == (rows, [], Counter())
        assert encode(TABLES[name], judgement.rows)


@given(data=st.data())
@settings(max_examples=150)
def test_no_bent_optional_value_of_an_entry_or_its_track_costs_its_song(data: st.DataObject) -> None:
    of_track = data.draw(bent_in(track(), OPTIONAL_OF_TRACK))
    document = playlist(data.draw(bent_in(entry(of_track), OPTIONAL_OF_ENTRY)))
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))

    judgement = judge(TABLES["songs"], songs(snapshot))

    (row,) = judgement.rows
    for refusal in judgement.refused:
        assert row[refusal.column] is None
    assert len({refusal.column for refusal in judgement.refused}) == len(judgement.refused)


@given(
    of_track=bent_in(track(), ("popularity", "is_playable", "available_markets", "album")),
    full=bent_in(artist("Song Band"), ("genres",)),
)
@settings(max_examples=150)
def test_coverage_counts_what_its_table_holds_and_no_value_that_was_refused(
    of_track: dict[str, Any], full: dict[str, Any]
) -> None:
    document = envelope(playlist(entry(of_track)), artists=[full])
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))

    (told,) = judge(TABLES["playlist_metadata"], playlist_metadata(snapshot)).rows

    (of_song,) = judge(TABLES["songs"], songs(snapshot)).rows
    (of_artist,) = judge(TABLES["artists"], transform_of("artists")(snapshot)).rows
    assert (of_song["popularity"] is None) is (of_song["popularity_measured"] is None)
    assert told["popularity_coverage"] == (1 if of_song["popularity_measured"] else 0)
    assert told["genres_coverage"] == (0 if of_artist["genres"] in {None, "[]"} else 1)


@given(document=DOCUMENTS)
@settings(max_examples=100)
def test_every_entry_is_in_some_count_of_its_snapshot(document: dict[str, Any]) -> None:
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))

    (row,) = judge(TABLES["playlist_metadata"], playlist_metadata(snapshot)).rows

    counts = ("track", "episode", "null", "unknown", "rejected")
    assert sum(row[f"{name}_entries"] for name in counts) == len(document["playlist"]["tracks"]["items"])
    assert row["unexplained_entries"] == 0
