"""What the watch list watches, and what happened to it, asked of small lakes whose answers were worked out by hand."""

from typing import Any

from tests.analytics.lake import Lake, song

MBID = "0e5ad2b1-6b5c-4a6b-9d3f-000000000001"
ARTIST = "7ltDVBr6mKbRvohxheJ9h1"


def watched(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.select("SELECT recording_id, watched_type, watched_value FROM watched_recordings ORDER BY 1, 2, 3")


def events(lake: Lake, week: str = "2026-11-16") -> list[tuple[str, str, str, int]]:
    """Each event of a week: what it is, of which recording, on which list, at which position."""
    return lake.select(
        f"SELECT event, recording_id, playlist_id, position FROM list_events WHERE week = DATE '{week}' ORDER BY 1, 2"
    )


def test_an_entry_watches_recordings_by_what_their_ids_are_called(lake: Lake) -> None:
    # given A, listed under two ids; B by two artists; and C and a recording without Spotify id by charts alone
    lake.put(
        "songs",
        "2026-11-09",
        "top",
        song("A", 1, ["beyoncé"], isrc="US-RC1-76-07839", artist_id=ARTIST, artist_ids=f'["{ARTIST}"]'),
        song("A2", 2, ["beyoncé"], isrc="USRC17607839"),
        song("N", 4, artist_ids=None, artist_names='["Nameless"]'),
        song("B", 3, ["florence + the machine", "tyler, the creator"]),
    )
    lake.put(
        "albums",
        "2026-11-09",
        "top",
        {"album_id": "A2", "label": "RCA "},
        {"album_id": "B", "label": "XL Recordings / Matador, Inc."},
    )
    lake.ranking("2026-11-12", "DE", "C1", artist_credit="Earth, Wind & Fire feat. Kali Uchis", label="Polydor Records")
    lake.ranking(
        "2026-11-12", "FR", "M1", spotify_track_id=None, recording_mbid=MBID, isrcs='["GBAAA0000001", "GBAAA0000002"]'
    )

    lake.watch(
        artist=[
            *("BEYONCE", ARTIST, ARTIST.lower(), "Florence and the Machine", "Florence", "Tyler, The Creator"),
            *(
                "The Creator",
                "earth wind and fire",
                "Earth, Wind and Fire",
                "Kali Uchis",
                "Uchis",
                "&",
                "Nobody",
                "nameless",
            ),
        ],
        label=["rca", "Sony Music", "XL recordings", "Universal Music Group", "XL", "matador, inc."],
        isrc=["usrc17607839", "GBAAA0000002", "GBAAA0000003"],
        track=[MBID],
    )

    assert watched(lake) == [
        (MBID, "isrc", "GBAAA0000002"),
        (MBID, "track", MBID),
        ("A", "artist", ARTIST),
        ("A", "artist", "BEYONCE"),
        ("A", "isrc", "USRC17607839"),
        ("A", "label", "Sony Music"),
        ("A", "label", "rca"),
        ("B", "artist", "Florence and the Machine"),
        ("B", "artist", "Tyler, The Creator"),
        ("B", "label", "XL recordings"),
        ("B", "label", "matador, inc."),
        ("C", "artist", "Earth, Wind and Fire"),
        ("C", "artist", "Kali Uchis"),
        ("C", "label", "Universal Music Group"),
        ("N", "artist", "nameless"),
    ]


def test_an_id_watches_all_ids_of_its_recording(lake: Lake) -> None:
    first, second = "1" * 22, "2" * 22
    lake.put("songs", "2026-11-09", "top", *(song(t, n, isrc="USRC17607839") for n, t in enumerate((first, second), 1)))

    lake.watch(track=[second])

    assert watched(lake) == [(first, "track", second)]


def test_names_with_quotes_commas_and_other_scripts_pass_the_file(lake: Lake) -> None:
    names = ('The "King", and Queen', "فيروز", "👩\u200d🎤", "x" * 300, "'; DROP TABLE songs; --")
    lake.put("songs", "2026-11-09", "top", *(song(f"T{n}", n, [name]) for n, name in enumerate(names, 1)))

    lake.watch(artist=names)

    assert watched(lake) == [(f"T{n}", "artist", name) for n, name in enumerate(names, 1)]


def test_an_accent_makes_no_other_name_and_a_vowel_sign_does(lake: Lake) -> None:
    names = ("Sigur Rós", "ガラス", "カラス", "कुल", "कल")
    lake.put("songs", "2026-11-09", "top", *(song(f"T{n}", n, [name]) for n, name in enumerate(names, 1)))

    lake.watch(artist=["sigur ros", "カラス", "कल"])

    assert watched(lake) == [("T1", "artist", "sigur ros"), ("T3", "artist", "カラス"), ("T5", "artist", "कल")]


def test_without_a_watch_list_nothing_is_watched_and_nothing_fails(lake: Lake) -> None:
    lake.chart("2026-11-09", "top", "A")

    assert lake.select("SELECT * FROM watchlist") == []
    assert watched(lake) == []
    assert lake.ask("watched_events") == []

    lake.watch()
    assert lake.select("SELECT * FROM watchlist") == watched(lake) == lake.ask("watched_events") == []


def test_each_event_of_a_week_is_told_once_by_its_name(lake: Lake) -> None:
    # given A, whose new id has its title, artist and length; B that leaves and comes back; C that stays; D that leaves
    version = {"track_name": "Song A", "artist_ids": '["a"]', "artist_names": '["A"]', "duration_ms": 200_000}
    lake.chart("2026-11-02", "top", "A B C D", duration_ms=200_000)
    lake.chart("2026-11-09", "top", "A E C D", duration_ms=200_000)
    lake.chart("2026-11-09", "fresh", "G", duration_ms=200_000)
    lake.put("playlist_metadata", "2026-11-16", "top", {"playlist_name": "Top", "outcome": "ok", "track_entries": 5})
    lake.put(
        "songs", "2026-11-16", "top", song("F", 1), song("A2", 2) | version, song("C", 3), song("B", 4), song("E", 5)
    )
    lake.chart("2026-11-16", "fresh", "C G")

    assert events(lake) == [
        ("added", "C", "fresh", 1),
        ("dropped", "D", "top", 4),
        ("fell", "E", "top", 5),
        ("fell", "G", "fresh", 2),
        ("first appearance", "F", "top", 1),
        ("new version", "A", "top", 2),
        ("re-entered", "B", "top", 4),
    ]
    assert lake.select(
        "SELECT recording_id, lists, new_lists FROM list_events WHERE recording_id IN ('C', 'D') ORDER BY event"
    ) == [("C", 2, 1), ("D", None, None)]


def test_what_a_list_had_when_it_was_first_seen_is_no_event_and_no_first_appearance_elsewhere(lake: Lake) -> None:
    lake.chart("2026-11-09", "top", "A")
    lake.chart("2026-11-16", "top", "A B")
    lake.chart("2026-11-16", "fresh", "B")

    assert events(lake, "2026-11-09") == []
    assert events(lake) == [("added", "B", "top", 2)]


def test_a_list_that_is_seen_later_changes_no_first_appearance(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A")
    lake.chart("2026-11-09", "top", "A B")
    expected = [("first appearance", "B", "top", 2)]
    assert events(lake, "2026-11-09") == expected

    lake.chart("2026-11-16", "fresh", "B")

    assert events(lake, "2026-11-09") == expected


def test_what_a_list_had_within_an_earlier_week_is_no_first_appearance(lake: Lake) -> None:
    # given B, which is gone from both charts of the week but was on one of the lists on its Monday
    for playlist in ("fresh", "top"):
        lake.chart("2026-11-02", playlist, "A")
        lake.chart("2026-11-09", playlist, "A B" if playlist == "fresh" else "A")
    lake.chart("2026-11-12", "fresh", "A")

    lake.chart("2026-11-16", "top", "A B")

    assert events(lake) == [("added", "B", "top", 2)]


def test_an_absence_that_nobody_can_explain_is_no_drop(lake: Lake) -> None:
    # given a week in which an entry is null, and then one without B as well
    for day, tracks in (("2026-11-02", "A B"), ("2026-11-09", "A -"), ("2026-11-16", "A -"), ("2026-11-23", "A C")):
        lake.chart(day, "top", tracks)

    # then B has left once it is absent twice, and is told then
    assert events(lake, "2026-11-09") == []
    assert events(lake) == [("dropped", "B", "top", 2)]
    assert events(lake, "2026-11-23") == [("first appearance", "C", "top", 2)]


def test_a_partial_list_tells_what_it_lists_and_nothing_of_what_it_lacks(lake: Lake) -> None:
    lake.chart("2026-11-09", "top", "A B C")
    lake.chart("2026-11-16", "top", "D A -", outcome="partial")
    lake.chart("2026-11-23", "top", "A B C")

    assert lake.select(
        "SELECT event, recording_id, complete FROM list_events WHERE week = DATE '2026-11-16' ORDER BY 2"
    ) == [("fell", "A", False), ("first appearance", "D", False)]
    assert ("re-entered", "B", "top", 2) not in events(lake, "2026-11-23")


def test_a_new_peak_is_told_beside_the_event_or_as_one_of_its_own(lake: Lake) -> None:
    # given B that climbs to a new peak; C that climbs back to its old one; A whose peak was reached within the week
    lake.chart("2026-11-02", "top", "D C B A")
    lake.chart("2026-11-09", "top", "D B C A")
    lake.chart("2026-11-16", "top", "A D B C")
    lake.chart("2026-11-18", "top", "B C D A")

    found = lake.select(
        "SELECT event, recording_id, is_new_peak, peak, position FROM list_events "
        "WHERE week = DATE '2026-11-16' ORDER BY 2"
    )

    assert found == [
        ("peaked", "A", True, 1, 4),
        ("climbed", "B", True, 1, 1),
        ("climbed", "C", False, 2, 2),
        ("fell", "D", False, 1, 3),
    ]


def test_the_events_of_the_watch_list_lead_with_those_who_came_and_went(lake: Lake) -> None:
    lake.chart("2026-11-09", "top", "A B C D")
    lake.chart("2026-11-16", "top", "E C A B")
    lake.chart("2026-11-23", "top", "E C A B")
    lake.watch(artist=["a", "c", "d", "e", "Nobody"])

    found = lake.ask("watched_events", **{"from": "2026-11-16", "to": "2026-11-16"})

    event, is_new_peak, position, movement, recording = 1, 2, 4, 6, -1
    events_of = [tuple(row[at] for at in (event, is_new_peak, position, movement, recording)) for row in found]
    assert events_of == [
        ("first appearance", False, 1, None, "E"),
        ("dropped", False, 4, None, "D"),
        ("fell", False, 3, -2, "A"),
        ("climbed", True, 2, 1, "C"),
    ]
    assert lake.ask("watched_events", limit="1", **{"from": "2026-11-16", "to": "2026-11-16"}) == found[:1]
    # and a week in which nothing happened is empty
    assert lake.ask("watched_events", **{"from": "2026-11-23"}) == []
