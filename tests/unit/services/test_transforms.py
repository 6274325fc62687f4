"""Transforms against expectations worked out by hand."""

import json
from datetime import date, datetime
from typing import Any

import pytest

from contracts.candidates import Candidates, Skip
from contracts.snapshot import Provenance, Snapshot, read_snapshot
from contracts.spotify import first_day
from contracts.tables import TABLES
from contracts.validation import judge
from services.albums.transform import albums
from services.artists.transform import artists
from services.playlist_metadata.transform import playlist_metadata
from services.songs.transform import songs
from services.track_features.transform import track_features
from tests.documents import album, artist, entry, envelope, isrc_of, playlist, track

ORIGIN = {
    "snapshot_date": "2026-11-22",
    "playlist_id": "3cEYpjA9oz9GiPac4AsH4n",
    "run_id": "run-1",
    "extracted_at": datetime(2026, 11, 22, 6, 0, 5, 250_000),  # noqa: DTZ001
}


def snapshot_of(document: dict[str, Any]) -> Snapshot:
    return read_snapshot(json.dumps(document).encode(), Provenance("3cEYpjA9oz9GiPac4AsH4n", date(2026, 11, 22)))


def rows(table: str, candidates: Candidates[Any]) -> list[dict[str, Any]]:
    judgement = judge(TABLES[table], candidates)
    assert judgement.rejects == []
    return list(judgement.rows)


def skips(candidates: Candidates[Any]) -> list[Skip]:
    return [each for each in candidates if isinstance(each, Skip)]


def song(**fields: Any) -> dict[str, Any]:
    (row,) = rows("songs", songs(snapshot_of(envelope(playlist(entry(track(**fields)))))))
    return row


def test_a_track_becomes_a_song_with_its_first_artist_and_all_of_them() -> None:
    # given a track of two artists in second place
    document = envelope(
        playlist(entry(None), entry(track("Duet", artists=[artist("Ann"), artist("Bo")], is_playable=True)))
    )

    # when it is transformed
    (row,) = rows("songs", songs(snapshot_of(document)))

    # then every column says what the document says
    assert row == {
        **ORIGIN,
        "position": 2,
        "track_id": "track-duet",
        "linked_from_id": None,
        "isrc": isrc_of("Duet"),
        "track_name": "Duet",
        "artist_id": "ann",
        "artist_name": "Ann",
        "artist_ids": '["ann", "bo"]',
        "artist_names": '["Ann", "Bo"]',
        "album_id": "duet-album",
        "album_name": "Duet Album",
        "popularity": 50,
        "popularity_measured": True,
        "duration_ms": 180_000,
        "duration_min": 3.0,
        "explicit": False,
        "is_local": False,
        "is_playable": True,
        "disc_number": 1,
        "track_number": 3,
        "added_at": datetime(2026, 11, 16, 8),  # noqa: DTZ001
        "added_by": "curator",
        "track_url": "https://open.spotify.com/track/track-duet",
    }


def test_what_spotify_did_not_send_is_null_and_never_zero() -> None:
    (row,) = rows("songs", songs(snapshot_of(envelope(playlist({"track": {"name": "Bare"}})))))

    told = {"position": 1, "track_name": "Bare"}
    assert row == {**dict.fromkeys(row), **ORIGIN, **told}


@pytest.mark.parametrize("unknown", [{"is_local": True, "id": None}, {"id": None}])
def test_the_zeros_of_a_track_that_spotify_does_not_know_stand_for_nothing(unknown: dict[str, Any]) -> None:
    row = song(popularity=0, disc_number=0, track_number=0, **unknown)

    assert (row["popularity"], row["disc_number"], row["track_number"], row["track_url"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("of_entry", "of_track", "is_local"),
    [(True, False, True), (None, True, True), (False, True, False), (None, None, None)],
)
def test_whether_an_entry_is_local_is_what_it_says_itself_or_else_its_track(
    of_entry: Any, of_track: Any, is_local: Any
) -> None:
    document = envelope(playlist(entry(track(is_local=of_track), is_local=of_entry)))

    (row,) = rows("songs", songs(snapshot_of(document)))

    assert row["is_local"] is is_local


def test_a_popularity_of_zero_of_a_track_that_spotify_knows_is_zero() -> None:
    assert song(popularity=0)["popularity"] == 0


@pytest.mark.parametrize(
    "added", [{"added_at": None, "added_by": None}, {"added_at": "1970-01-01T00:00:00Z", "added_by": {"id": ""}}]
)
def test_an_unknown_time_or_user_of_the_addition_is_null(added: dict[str, Any]) -> None:
    (row,) = rows("songs", songs(snapshot_of(envelope(playlist(entry(track(), **added))))))

    assert (row["added_at"], row["added_by"]) == (None, None)


@pytest.mark.parametrize(
    ("sent", "isrc"),
    [
        ("GBAYE2400001", "GBAYE2400001"),
        ("gb-aye-24-00001", "GBAYE2400001"),
        (" gbaye 24 00001 ", "GBAYE2400001"),
        ("GB\u2010AYE\u201024\u201000001", "GBAYE2400001"),
        ("ISRC GB-AYE-24-00001", "GBAYE2400001"),
        ("n/a", None),
        ("", None),
        ("GBAYE240000", None),
        ("GBAYE24000011", None),
        ("GBAYE240000\u0661", None),
        ("\u0131TAYE2400001", None),
        (7, None),
    ],
)
def test_an_isrc_is_normalised_or_refused(sent: Any, isrc: str | None) -> None:
    document = envelope(playlist(entry(track(external_ids={"isrc": sent}))))

    judgement = judge(TABLES["songs"], songs(snapshot_of(document)))

    assert [row["isrc"] for row in judgement.rows] == [isrc]
    assert [(each.column, each.value) for each in judgement.refused] == ([] if isrc else [("isrc", sent)])


def test_features_are_joined_by_isrc_however_either_side_spells_it() -> None:
    document = envelope(
        playlist(entry(track("One", external_ids={"isrc": "gb-aye-24-00001"}))),
        audio_features=[
            {"source": "reccobeats", "joined_by": "isrc", "items": [{"isrc": "GBAYE2400001", "energy": 1}]}
        ],
    )

    (row,) = rows("track_features", track_features(snapshot_of(document)))

    assert (row["isrc"], row["energy"]) == ("GBAYE2400001", 1.0)


def test_the_id_that_the_owner_added_is_kept_where_spotify_plays_another() -> None:
    assert song(linked_from={"type": "track", "id": "added"})["linked_from_id"] == "added"


@pytest.mark.parametrize(
    ("fields", "is_measured"),
    [
        ({"popularity": 1, "is_playable": False, "available_markets": []}, True),
        ({"popularity": 0}, True),
        ({"popularity": 0, "available_markets": ["DE"], "is_playable": True}, True),
        ({"popularity": 0, "is_playable": False}, False),
        ({"popularity": 0.0, "available_markets": []}, False),
        ({"popularity": 0, "album": album(release_date="2026-11-08")}, False),
        ({"popularity": 0, "album": album(release_date="2026-11-07")}, True),
        ({"popularity": 0, "album": album(release_date="2026-12-24")}, False),
        ({"popularity": 0, "album": album(release_date="2026-11", release_date_precision="month")}, True),
        ({"popularity": 0, "album": None}, True),
        ({"popularity": None}, None),
    ],
)
def test_a_popularity_of_zero_is_no_measure_of_what_is_new_or_does_not_play(
    fields: dict[str, Any],
    is_measured: bool | None,  # noqa: FBT001
) -> None:
    snapshot = snapshot_of(envelope(playlist(entry(track(**fields)))))

    (row,) = rows("songs", songs(snapshot))
    (told,) = rows("playlist_metadata", playlist_metadata(snapshot))

    assert (row["popularity"], row["popularity_measured"]) == (fields["popularity"], is_measured)
    assert told["popularity_coverage"] == (1.0 if is_measured else 0.0)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ('Don&#x27;t stop: rock &amp; roll, <a href="spotify:playlist:x">more</a>', "Don't stop: rock & roll, more"),
        ("  Two  lines<br/>of\ttext ", "Two lines of text"),
        ("I <3 music & more", "I <3 music & more"),
        ("Rock <![1]> and <![CDATA[x]]> roll", "Rock and roll"),
        ("", ""),
        (None, None),
    ],
)
def test_a_description_is_what_a_person_reads(sent: str | None, read: str | None) -> None:
    (row,) = rows("playlist_metadata", playlist_metadata(snapshot_of(envelope(playlist(description=sent)))))

    assert row["description"] == read


@pytest.mark.parametrize(
    ("images", "url", "refused"),
    [
        ([None], None, [[None]]),
        ([None, {"url": "https://i/64"}], "https://i/64", []),
        ([{"url": 7}], None, [7]),
        ("none", None, ["none"]),
        ([], None, []),
    ],
)
def test_a_broken_image_costs_the_image_alone(images: Any, url: str | None, refused: list[Any]) -> None:
    judgement = judge(
        TABLES["albums"], albums(snapshot_of(envelope(playlist(entry(track(album=album(images=images)))))))
    )

    assert [row["image_url"] for row in judgement.rows] == [url]
    assert [(each.column, each.value) for each in judgement.refused] == [("image_url", value) for value in refused]


def test_a_broken_artist_is_rejected_among_artists_and_refused_in_the_song() -> None:
    snapshot = snapshot_of(envelope(playlist(entry(track("Duet", artists=[artist("Ann"), 7])))))

    of_songs, of_artists = judge(TABLES["songs"], songs(snapshot)), judge(TABLES["artists"], artists(snapshot))

    assert [(row["artist_id"], row["artist_ids"], row["artist_names"]) for row in of_songs.rows] == [
        ("ann", None, None)
    ]
    assert [(each.column, each.reason, each.value) for each in of_songs.refused] == [
        ("artist_ids", "[1]: Expected `object | null`, got `int`", 7)
    ]
    assert [row["artist_id"] for row in of_artists.rows] == ["ann"]
    assert [(each.location, each.raw) for each in of_artists.rejects] == [
        ("$.playlist.tracks.items[0].track.artists[1]", 7)
    ]


def test_an_empty_id_names_nothing_and_nobody() -> None:
    nobody = artist("Ann", id="")
    sent = track("Demo", id="", linked_from={"id": ""}, artists=[nobody, artist("Bo")], album=album("Demos", id=""))
    snapshot = snapshot_of(envelope(playlist(entry(sent))))

    (row,) = rows("songs", songs(snapshot))

    assert [row[name] for name in ("track_id", "linked_from_id", "artist_id", "album_id", "track_url")] == [None] * 5
    assert (row["artist_ids"], row["artist_names"]) == ('[null, "bo"]', '["Ann", "Bo"]')
    assert skips(artists(snapshot)) == [Skip("artist_without_id")]
    assert skips(albums(snapshot)) == [Skip("album_without_id")]


@pytest.mark.parametrize("name", [7, True, {"of": "no text"}, ["Ann"]])
def test_a_name_that_is_no_text_is_refused_as_part_of_a_list_of_texts(name: Any) -> None:
    credits_ = [artist("Ann"), None, artist("Bo") | {"name": name}]
    snapshot = snapshot_of(envelope(playlist(entry(track(artists=credits_, album=album(artists=credits_))))))

    for of_table in (judge(TABLES["songs"], songs(snapshot)), judge(TABLES["albums"], albums(snapshot))):
        assert [(row["artist_ids"], row["artist_names"]) for row in of_table.rows] == [('["ann", "bo"]', None)]
        assert [(each.column, each.reason, each.value) for each in of_table.refused] == [
            ("artist_names", "not every element is a text", ["Ann", name])
        ]


@pytest.mark.parametrize("genres", [["pop", 7], [{"name": "pop"}], [None], "pop", {"0": "pop"}])
@pytest.mark.parametrize("where", ["artists", "earlier_artists"])
def test_genres_that_are_no_texts_are_refused_and_cover_nothing(where: str, genres: Any) -> None:
    found = [artist("Song Band", genres=genres)]
    parts = {"artists": found, "earlier_artists": [{"as_of": "2026-11-15", "items": found}]}
    snapshot = snapshot_of(envelope(playlist(entry(track()))) | {where: parts[where]})

    of_artists = judge(TABLES["artists"], artists(snapshot))

    assert [(row["genres"], row["primary_genre"], row["genres_as_of"]) for row in of_artists.rows] == [
        (None, None, None)
    ]
    assert [(each.column, each.value) for each in of_artists.refused] == [("genres", genres)]
    (told,) = rows("playlist_metadata", playlist_metadata(snapshot))
    assert told["genres_coverage"] == 0


def test_a_length_that_is_refused_leaves_no_minutes_and_is_told_once() -> None:
    judgement = judge(
        TABLES["songs"],
        songs(
            snapshot_of(
                envelope(
                    playlist(entry(track(duration_ms={"totalMilliseconds": 1})), entry(track("B", duration_ms=-1)))
                )
            )
        ),
    )

    assert [(row["duration_ms"], row["duration_min"]) for row in judgement.rows] == [(None, None), (None, None)]
    assert [each.column for each in judgement.refused] == ["duration_ms", "duration_ms"]


def test_each_distinct_artist_is_one_row_with_how_often_and_how_high_it_stands() -> None:
    # given Ann on two tracks and twice on one of them, Bo once, a credit without id, and a full object of Bo
    document = envelope(
        playlist(
            entry(track("One", artists=[artist("Ann")])),
            entry(track("Two", artists=[artist("Bo"), artist("Ann"), artist("Ann"), artist("Cy", id=None), None])),
            entry(track("Three", artists=[])),
        ),
        artists=[
            artist(
                "Bo", genres=["rock", "metal"], popularity=0, followers={"total": 9}, images=[{"url": "https://i/b"}]
            ),
        ],
    )
    snapshot = snapshot_of(document)

    found = rows("artists", artists(snapshot))

    # then each is one row, and every other credit is skipped by name
    assert [(row["artist_id"], row["tracks_in_playlist"], row["best_position"]) for row in found] == [
        ("ann", 2, 1),
        ("bo", 1, 2),
    ]
    ann, bo = found
    assert [ann[name] for name in ("genres", "primary_genre", "popularity", "followers", "image_url")] == [None] * 5
    assert [bo[name] for name in ("genres", "primary_genre", "popularity", "followers", "image_url")] == [
        '["rock", "metal"]',
        "rock",
        0,
        9,
        "https://i/b",
    ]
    assert skips(artists(snapshot)) == [
        Skip("repeated_artist"),
        Skip("repeated_artist"),
        Skip("artist_without_id"),
        Skip("no_artist"),
    ]


def test_genres_that_spotify_sent_empty_are_an_empty_list() -> None:
    document = envelope(playlist(entry(track(artists=[artist("Ann")]))), artists=[artist("Ann", genres=[])])

    (row,) = rows("artists", artists(snapshot_of(document)))

    assert (row["genres"], row["primary_genre"]) == ("[]", None)


def test_genres_of_an_earlier_day_say_so_and_bring_no_popularity_with_them() -> None:
    # given Ann as of this day, Bo as of an earlier one, Cy as of both, and nothing of Di
    credits_ = [artist(name) for name in ("Ann", "Bo", "Cy", "Di")]
    told = {"genres": ["soul"], "popularity": 70, "followers": {"total": 9}}
    document = envelope(
        playlist(entry(track(artists=credits_))),
        artists=[artist("Ann", genres=["pop"], popularity=50), artist("Cy", genres=["rock"])],
        earlier_artists=[{"as_of": "2026-11-15", "items": [artist("Bo", **told), artist("Cy", **told)]}],
    )
    snapshot = snapshot_of(document)

    # then each row says of which day its genres are, and measures are of the snapshot's day alone
    this, earlier = date(2026, 11, 22), date(2026, 11, 15)
    assert [
        (row["artist_name"], row["primary_genre"], row["genres_as_of"], row["popularity"], row["followers"])
        for row in rows("artists", artists(snapshot))
    ] == [
        ("Ann", "pop", this, 50, None),
        ("Bo", "soul", earlier, None, None),
        ("Cy", "rock", this, None, None),
        ("Di", None, None, None, None),
    ]
    (metadata,) = rows("playlist_metadata", playlist_metadata(snapshot))
    assert metadata["genres_coverage"] == 3 / 4


def test_each_distinct_album_is_one_row_and_the_full_object_adds_what_it_knows() -> None:
    document = envelope(
        playlist(
            entry(track("One", album=album("Debut"))),
            entry(track("Two", album=album("Debut"))),
            entry(track("Three", album=None)),
            entry(track("Four", album=album("Lost", id=None))),
        ),
        albums=[{"id": "debut", "label": "Indie", "popularity": 7, "external_ids": {"upc": "0042"}}],
    )
    snapshot = snapshot_of(document)

    (row,) = rows("albums", albums(snapshot))

    assert row == {
        **ORIGIN,
        "album_id": "debut",
        "album_name": "Debut",
        "album_type": "album",
        "artist_ids": '["band"]',
        "artist_names": '["Band"]',
        "release_date": "2026-03-06",
        "release_date_precision": "day",
        "release_on": date(2026, 3, 6),
        "release_year": 2026,
        "total_tracks": 12,
        "label": "Indie",
        "upc": "0042",
        "popularity": 7,
        "tracks_in_playlist": 2,
        "album_url": "https://b/debut",
        "image_url": "https://i/640",
    }
    assert [skip.rule for skip in skips(albums(snapshot))] == [
        "repeated_album",
        "album_without_id",
        "album_without_id",
    ]


def test_a_null_in_a_full_object_does_not_hide_what_the_track_tells() -> None:
    document = envelope(
        playlist(entry(track(artists=[artist("Ann")], album=album("Debut")))),
        artists=[{"id": "ann", "name": None, "popularity": 5}],
        albums=[{"id": "debut", "name": None, "label": "Indie"}],
    )
    snapshot = snapshot_of(document)

    (ann,) = rows("artists", artists(snapshot))
    (debut,) = rows("albums", albums(snapshot))

    assert (ann["artist_name"], ann["popularity"]) == ("Ann", 5)
    assert (debut["album_name"], debut["label"]) == ("Debut", "Indie")


@pytest.mark.parametrize(
    ("release_date", "day"),
    [
        ("1999", date(1999, 1, 1)),
        ("1999-05", date(1999, 5, 1)),
        ("1999-05-31", date(1999, 5, 31)),
        ("1999-02-30", None),
        ("0000", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1999, None),
    ],
)
def test_a_release_is_padded_to_its_first_day_and_null_if_it_names_none(release_date: Any, day: date | None) -> None:
    assert first_day(release_date) == day


def test_each_distinct_track_with_features_is_one_row_that_names_its_source() -> None:
    features = {
        "id": "track-one",
        "danceability": 0.5,
        "energy": 1,
        "key": -1,
        "loudness": -5.5,
        "mode": 0,
        "tempo": 131.988,
        "time_signature": 4,
        "duration_ms": 198_093,
    }
    document = envelope(
        playlist(*(entry(track(name)) for name in ("One", "One", "Two")), entry(track("Three", id=None))),
        audio_features={"source": "spotify", "items": [features]},
    )
    snapshot = snapshot_of(document)

    (row,) = rows("track_features", track_features(snapshot))

    assert {name: value for name, value in row.items() if name not in ORIGIN} == {
        "track_id": "track-one",
        "isrc": isrc_of("One"),
        "feature_source": "spotify",
        "danceability": 0.5,
        "energy": 1.0,
        "key": None,
        "loudness_db": -5.5,
        "mode": 0,
        "speechiness": None,
        "acousticness": None,
        "instrumentalness": None,
        "liveness": None,
        "valence": None,
        "tempo_bpm": 131.988,
        "time_signature": 4,
        "duration_ms": 198_093,
    }
    assert [skip.rule for skip in skips(track_features(snapshot))] == [
        "repeated_track",
        "no_features",
        "track_without_id",
    ]


def test_the_snapshot_itself_is_one_row_that_counts_and_tells_its_coverage() -> None:
    # given two tracks, one of them with features and popularity, and one artist of three with a genre
    document = envelope(
        playlist(
            entry(track("One", artists=[artist("Ann"), artist("Bo")])),
            entry(track("Two", artists=[artist("Cy")], popularity=None)),
            entry(None),
            entry({"type": "episode"}),
            description="Weekly",
            owner={"id": "curator", "display_name": "The Curator"},
            public=None,
            collaborative=False,
            followers={"href": None, "total": 12},
            snapshot_id="abc",
            external_urls={"spotify": "https://p"},
            simulated=True,
            brand="new",
        ),
        artists=[artist("Ann", genres=["pop"]), artist("Bo", genres=[])],
        audio_features=[{"source": "spotify", "items": [{"id": "track-one"}]}],
    )

    (row,) = rows("playlist_metadata", playlist_metadata(snapshot_of(document)))

    assert row == {
        **ORIGIN,
        "playlist_name": "Trending",
        "description": "Weekly",
        "owner_id": "curator",
        "owner_name": "The Curator",
        "is_public": None,
        "is_collaborative": False,
        "followers": 12,
        "spotify_snapshot_id": "abc",
        "total_entries": 4,
        "track_entries": 2,
        "episode_entries": 1,
        "null_entries": 1,
        "unknown_entries": 0,
        "rejected_entries": 0,
        "unexplained_entries": 0,
        "features_coverage": 0.5,
        "popularity_coverage": 0.5,
        "genres_coverage": 1 / 3,
        "feature_source": "spotify",
        "market": "US",
        "outcome": "ok",
        "simulated": True,
        "playlist_url": "https://p",
        "drift": '[{"path": "$.playlist.brand", "what": "unknown field", "count": 1}]',
    }


def test_coverage_of_nothing_is_null() -> None:
    (row,) = rows("playlist_metadata", playlist_metadata(snapshot_of(envelope(playlist(entry(None))))))

    assert [row[f"{name}_coverage"] for name in ("features", "popularity", "genres")] == [None, None, None]
    assert row["feature_source"] is None
