"""A run: one raw snapshot for each playlist."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final, Literal, NotRequired, TypeAlias

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from spotipy.cache_handler import MemoryCacheHandler
from typing_extensions import TypedDict

from services.extractor.credentials import Credentials, stored_credentials
from services.extractor.enrichment import album_ids, artist_ids, distinct_tracks, gather
from services.extractor.event import Event
from services.extractor.features import FeatureProvider, SpotifyFeatures
from services.extractor.playlist import Outcome, read_playlist
from services.extractor.settings import ExtractorSettings
from services.extractor.snapshot import Extraction, as_raw_snapshot
from services.extractor.spotify import SpotifyClient, SpotifyError
from shared.errors import PermanentError, TransientError
from shared.lake import Lake, SnapshotKey
from shared.observability import count, instrument, logger

RESERVE_SECONDS: Final = 25.0
"""Kept from the function's time, for a call that began in time and for the write after it."""


class PlaylistSummary(TypedDict):
    """What became of a playlist.

    Attributes:
        outcome: `ok`, `partial`, `metadata_only`, or `failed` if there is no snapshot.
        key: Where the snapshot is.
        entries: How many the snapshot holds.
        sentence: What went wrong and what to do.
    """

    playlist_id: str
    outcome: str
    key: str | None
    entries: int | None
    sentence: NotRequired[str]


class Summary(TypedDict):
    """What became of a run; `calls` is the number of calls to Spotify."""

    run_id: str
    snapshot_date: str
    calls: int
    playlists: list[PlaylistSummary]


Handler: TypeAlias = Callable[[dict[str, Any], LambdaContext], Summary]


class IncompleteRunError(Exception):
    """A run to be repeated, or looked at: it names each playlist and what went wrong."""


def extractor() -> Handler:
    """The Lambda handler that takes a raw snapshot of each playlist.

    Settings are read and clients made when the handler is, at cold start; the secret is read by the first run, and the
    access token is kept from run to run.

    The handler takes an `Event`, returns a `Summary`, and raises IncompleteRunError after all that can be stored is, if

    - a playlist was not read to its end for a reason that may pass: Lambda repeats an asynchronous invocation twice,
      and a repetition writes the same keys, so that the day's snapshot becomes complete;
    - there is no snapshot at all: a repetition will not help where Spotify refuses, but the failed invocation draws
      attention.

    A playlist that Spotify refuses beside others that it gives is in the summary and in the log, and no reason to
    repeat; nor is an enrichment that is missing.

    Raises:
        SettingsError: The environment lacks a setting.
    """
    settings = ExtractorSettings.from_environment()
    instrument("botocore", "requests")
    lake = Lake(boto3.client("s3"), settings.s3_bucket)
    tokens = MemoryCacheHandler()

    @cache
    def credentials() -> Credentials:
        if plain := settings.plain_credentials:
            return plain
        assert settings.spotify_secret_name
        return stored_credentials(boto3.client("secretsmanager"), settings.spotify_secret_name)

    def handler(event: dict[str, Any], context: LambdaContext) -> Summary:
        asked = Event.read(event)
        playlist_ids = asked.playlists or settings.playlist_ids
        if not playlist_ids:
            raise PermanentError("event", "it names no playlist, nor does PLAYLIST_ID: give ids, links or URIs")
        spotify = SpotifyClient(
            credentials=credentials(),
            tokens=tokens,
            market=settings.spotify_market,
            api_url=settings.spotify_api_url,
            token_url=settings.spotify_token_url,
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS,
        )
        run = Run(
            run_id=context.aws_request_id,
            snapshot_date=(asked.scheduled_time or datetime.now(UTC)).astimezone(UTC).date(),
            market=settings.spotify_market,
            spotify=spotify,
            features=SpotifyFeatures(spotify),
            lake=lake,
        )
        with logger.append_context_keys(run_id=run.run_id):
            return run.extract(playlist_ids)

    return handler


@dataclass(frozen=True)
class Run:
    """One invocation, with all that it needs from outside."""

    run_id: str
    snapshot_date: date
    market: str
    spotify: SpotifyClient
    features: FeatureProvider
    lake: Lake

    def extract(self, playlist_ids: Sequence[str]) -> Summary:
        """Stores a snapshot of each playlist; a fault with one of them never costs another.

        Raises:
            IncompleteRunError: See `extractor`.
        """
        attempts = [self._attempt(playlist_id) for playlist_id in playlist_ids]
        summary: Summary = {
            "run_id": self.run_id,
            "snapshot_date": self.snapshot_date.isoformat(),
            "calls": self.spotify.calls,
            "playlists": [attempt.summary for attempt in attempts],
        }
        stored = sum(attempt.summary["key"] is not None for attempt in attempts)
        logger.info("run is over", calls=summary["calls"], playlists=summary["playlists"])
        count(calls=summary["calls"], snapshots=stored, failed_playlists=len(attempts) - stored)
        if not stored or any(attempt.may_succeed_later for attempt in attempts):
            sentences = "; ".join(
                f"{each['playlist_id']}: {each['sentence']}" for each in summary["playlists"] if "sentence" in each
            )
            raise IncompleteRunError(f"{stored} of {len(attempts)} playlists have a snapshot. {sentences}")
        return summary

    def _attempt(self, playlist_id: str) -> "_Attempt":
        with logger.append_context_keys(playlist_id=playlist_id):
            try:
                attempt = self._store(playlist_id)
            except (SpotifyError, ClientError, BotoCoreError) as fault:
                attempt = _Attempt(playlist_id, fault=fault)
            if attempt.fault:
                logger.error("playlist is not complete", **attempt.summary)
            return attempt

    def _store(self, playlist_id: str) -> "_Attempt":
        calls_before = self.spotify.calls
        playlist = read_playlist(self.spotify, playlist_id)
        tracks = distinct_tracks(playlist.entries)
        artists = gather("artists", artist_ids(tracks), self.spotify.artists)
        albums = gather("albums", album_ids(tracks), self.spotify.albums)
        features = self.features.measure(tracks)
        extraction = Extraction(
            run_id=self.run_id,
            extracted_at=datetime.now(UTC),
            snapshot_date=self.snapshot_date,
            market=self.market,
            calls=self.spotify.calls - calls_before,
            playlist=playlist,
            artists=artists,
            albums=albums,
            features=features,
            feature_source=self.features.source,
        )
        key = SnapshotKey(self.snapshot_date, playlist_id)
        self.lake.put_raw(key, as_raw_snapshot(extraction), run_id=self.run_id)
        logger.info("snapshot is stored", key=key.raw, capabilities=extraction.capabilities, calls=extraction.calls)
        return _Attempt(
            playlist_id, outcome=playlist.outcome, key=key.raw, entries=len(playlist.entries), fault=playlist.fault
        )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What became of a playlist; without a key there is no snapshot of it."""

    playlist_id: str
    outcome: Outcome | Literal["failed"] = "failed"
    key: str | None = None
    entries: int | None = None
    fault: Exception | None = None

    @property
    def summary(self) -> PlaylistSummary:
        summary: PlaylistSummary = {
            "playlist_id": self.playlist_id,
            "outcome": self.outcome,
            "key": self.key,
            "entries": self.entries,
        }
        return {**summary, "sentence": str(self.fault)} if self.fault else summary

    @property
    def may_succeed_later(self) -> bool:
        """Whether there is a fault that a repetition may not meet again; a cloud's faults count as such."""
        if isinstance(self.fault, SpotifyError):
            return isinstance(self.fault, TransientError)
        return self.fault is not None
