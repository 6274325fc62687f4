import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.drift import drift
from contracts.snapshot import Provenance, SourcedFeatures, read_snapshot
from contracts.spotify import AudioFeatures
from services.extractor.earlier import EarlierArtist
from services.extractor.enrichment import Enrichment
from services.extractor.features import Features
from services.extractor.playlist import CompletePlaylist
from services.extractor.snapshot import Extraction, as_raw_snapshot
from shared.web import RefusedError, UnavailableError, WebError
from tests.documents import album, artist, entry, playlist, track, tracks_in

DAY = date(2026, 11, 22)
DOCUMENT = playlist(entry(track("One")), entry(None))
EXTRACTION = Extraction(
    run_id="run-1",
    extracted_at=datetime(2026, 11, 22, 6, 0, 5, 250_000, tzinfo=UTC),
    snapshot_date=DAY,
    market="SE",
    calls=6,
    playlist=CompletePlaylist(DOCUMENT, DOCUMENT["tracks"]["items"], "ok"),
    artists=Enrichment(
        [artist("One Band", genres=["pop"])],
        "one by one, incomplete",
        earlier=[
            EarlierArtist(date(2026, 11, 8), artist("A", genres=["soul"], popularity=70)),
            EarlierArtist(date(2026, 11, 15), artist("B", genres=[])),
            EarlierArtist(date(2026, 11, 8), artist("C")),
        ],
        open=["d"],
        cause=WebError("half of the call budget is spent", "one by one, incomplete"),
    ),
    albums=Enrichment([album("One Album", label="Loud")], "failed:503"),
    features=Features(
        [{"source": "reccobeats", "joined_by": "id", "items": [{"href": "https://x/track-one", "energy": 0.5}]}],
        {"spotify": "refused:403", "reccobeats": "ok"},
    ),
    found={"audio_features": "refused:403", "batch_lookup": "ok"},
)


def test_the_contract_reads_all_that_was_extracted() -> None:
    # given the raw snapshot of a playlist with everything
    body = as_raw_snapshot(EXTRACTION)

    # when it is read as the transformers do
    snapshot = read_snapshot(body, Provenance(DOCUMENT["id"], DAY))

    # then nothing is lost
    assert snapshot.origin == {
        "snapshot_date": "2026-11-22",
        "playlist_id": DOCUMENT["id"],
        "run_id": "run-1",
        "extracted_at": datetime(2026, 11, 22, 6, 0, 5, 250_000),  # noqa: DTZ001  # UTC, as tables hold it
    }
    assert (snapshot.market, snapshot.outcome, snapshot.total) == ("SE", "ok", 2)
    assert [each.track.id for each in tracks_in(snapshot)] == ["track-one"]
    assert snapshot.artists.keys() == {"one-band"}
    assert snapshot.artists["one-band"].genres == ["pop"]
    assert {name: each.as_of.day for name, each in snapshot.earlier_artists.items()} == {"a": 8, "b": 15, "c": 8}
    assert snapshot.albums["one-album"].label == "Loud"
    assert snapshot.features["track-one"] == SourcedFeatures(
        "reccobeats", "$.audio_features[0].items[0]", AudioFeatures(href="https://x/track-one", energy=0.5)
    )
    assert drift(body) == []


def test_the_envelope_tells_what_was_given_and_what_it_cost() -> None:
    envelope = json.loads(as_raw_snapshot(EXTRACTION))["snapshot"]

    assert envelope == {
        "schema_version": 1,
        "run_id": "run-1",
        "extracted_at": "2026-11-22T06:00:05.250Z",
        "snapshot_date": "2026-11-22",
        "source": "spotify",
        "market": "SE",
        "capabilities": {
            "audio_features": "refused:403",
            "batch_lookup": "ok",
            "contents": "ok",
            "artists": "one by one, incomplete",
            "albums": "failed:503",
            "audio_features.spotify": "refused:403",
            "audio_features.reccobeats": "ok",
        },
        "calls": 6,
        "outcome": "ok",
    }


def test_what_another_run_may_bring_is_told_and_what_is_refused_is_not() -> None:
    short = UnavailableError("GET albums", 503, "Down")
    refused = RefusedError("GET albums", 403, "Forbidden")

    # given artists that the calls did not suffice for, albums that did not come, and features that nobody gave
    extraction = replace(
        EXTRACTION,
        albums=Enrichment([], "failed:503", open=["x"] * 1_234, cause=short),
        features=Features([], {"spotify": "refused:403", "reccobeats": "failed:503"}, open=12),
    )

    # then the sentence says how many there are of each, and why
    assert extraction.sentence == (
        "1 artists are unknown: half of the call budget is spent; "
        "1,234 albums are unknown: GET albums did not answer: Down (503); "
        "12 tracks have no audio features: reccobeats failed:503. Run again later"
    )

    # and where entries are missing as well, it says that first
    part = replace(extraction, playlist=replace(EXTRACTION.playlist, outcome="partial", missing=3))
    assert part.sentence == (
        f"2 of 5 entries received: Spotify's pages contain fewer than it counts. Run again later. {extraction.sentence}"
    )

    # but nothing of what the application will not get
    ok = Enrichment([], "ok")
    unalterable = replace(
        EXTRACTION,
        artists=ok,
        albums=Enrichment([], "refused:403", open=["x"], cause=refused),
        features=Features([], {"spotify": "refused:403", "reccobeats": "ok"}, open=12),
    )
    assert unalterable.sentence is None


def test_nobody_is_named_as_the_source_of_features_that_are_not_there() -> None:
    without = replace(EXTRACTION, features=Features([], {"spotify": "refused:403"}))

    assert json.loads(as_raw_snapshot(without))["audio_features"] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_what_spotify_sent_stays_as_it_was(document: dict[str, Any]) -> None:
    extraction = replace(EXTRACTION, playlist=CompletePlaylist(document, [], "metadata_only"))

    assert json.loads(as_raw_snapshot(extraction))["playlist"] == document


def test_text_is_written_as_it_reads_and_half_a_surrogate_pair_as_it_came() -> None:
    document = {"type": "playlist", "name": "тренды 🎧", "description": "\ud83c"}
    body = as_raw_snapshot(replace(EXTRACTION, playlist=CompletePlaylist(document, [], "metadata_only")))

    assert '"name":"тренды 🎧","description":"\\ud83c"' in body.decode()
    assert json.loads(body)["playlist"] == document
