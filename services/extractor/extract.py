"""A run: one raw snapshot for each playlist."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, cached_property
from typing import Any, Final

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from spotipy.cache_handler import MemoryCacheHandler

from contracts.drift import drift
from contracts.operations.extraction import (
    DeferredRun,
    ExtractionRequest,
    NotStored,
    PlaylistSummary,
    RunBegins,
    RunOver,
    RunSummary,
    Stored,
)
from contracts.operations.log_events import LogEvent
from contracts.spotify import Track
from services.extractor.credentials import Credentials, days_since_consent, plain_credentials, stored_credentials
from services.extractor.earlier import earlier_artists
from services.extractor.enrichment import Catalogue, album_ids, artist_ids, distinct_tracks
from services.extractor.features import FeatureProvider, Features, SpotifyFeatures, measure
from services.extractor.playlist import outcome_of, read_playlist
from services.extractor.reccobeats import ReccoBeats
from services.extractor.settings import ExtractorSettings
from services.extractor.snapshot import Extraction, as_raw_snapshot
from services.extractor.spotify import SpotifyClient
from shared.deferral import Deferrals, NotDeferredError, SchedulerDeferrals, defer, wait_after
from shared.errors import PermanentError, TransientError
from shared.invocation import FAIL_FAST, Handler, read, seconds_left
from shared.lake import Lake, SnapshotKey
from shared.observability import count, gauge, instrument, log, step
from shared.settings import SettingsError
from shared.web import QuotaError, WebError, WebSession, fetcher, retrying

RESERVE_SECONDS: Final = 45.0
"""Kept from the function's time, for a call that began in time, the write after it and the deferral of the rest."""


class IncompleteRunError(Exception):
    """A run to be repeated, or looked at: it names each playlist and what went wrong."""


def extractor() -> Handler:
    """The Lambda handler that takes a raw snapshot of each playlist.

    Settings are read and clients made when the handler is, at cold start; the secret is read by the first run, and the
    access token is kept from run to run.

    The handler takes an `ExtractionRequest`, returns a `RunSummary`, and raises IncompleteRunError after all that
    can be stored is, if

    - a playlist was not read to its end for a reason that may soon pass: Lambda repeats an asynchronous invocation
      twice, and a repetition writes the same keys, so that the day's snapshot becomes complete;
    - calls were spent and the rest was deferred as often as it may be, or cannot be deferred;
    - there is no snapshot at all, nor a deferral: a repetition will not help where Spotify refuses, but the failed
      invocation draws attention.

    A playlist that Spotify refuses beside others that it gives is in the summary and in the log, and no reason to
    repeat; nor is an enrichment that is missing.

    Raises:
        SettingsError: The environment lacks a setting.
    """
    settings = ExtractorSettings.from_environment()
    plain = plain_credentials()
    if not plain and not settings.spotify_secret_name:
        raise SettingsError(
            "no credentials of Spotify's: set SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET, or let SPOTIFY_SECRET_NAME "
            "name the secret that holds them"
        )
    logging.disable(logging.DEBUG)  # at which libraries tell tokens, and what Secrets Manager answers
    instrument("botocore", "requests")
    lake = Lake(boto3.client("s3", config=FAIL_FAST), settings.s3_bucket)
    tokens = MemoryCacheHandler()

    @cache
    def credentials() -> Credentials:
        if plain:
            return plain
        assert settings.spotify_secret_name
        return stored_credentials(boto3.client("secretsmanager", config=FAIL_FAST), settings.spotify_secret_name)

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        asked = read(ExtractionRequest, event)
        playlist_ids = asked.playlists or settings.playlist_ids
        if not playlist_ids:
            raise PermanentError("event", "it names no playlist, nor does PLAYLIST_ID: give ids, links or URIs")

        left = seconds_left(context, reserve=RESERVE_SECONDS)
        spotify = SpotifyClient(
            credentials=credentials(),
            tokens=tokens,
            market=settings.spotify_market,
            api_url=settings.spotify_api_url,
            token_url=settings.spotify_token_url,
            call_budget=settings.spotify_call_budget,
            seconds_left=left,
        )
        providers: list[FeatureProvider] = [SpotifyFeatures(spotify)]
        if settings.reccobeats_api_url:
            session = WebSession(left, lambda: spotify.call_budget)
            fetch = fetcher(session, retrying(left))
            providers.append(ReccoBeats(fetch, settings.reccobeats_api_url, settings.reccobeats_asked_by))
        run = Run(
            run_id=context.aws_request_id,
            scheduled_time=(asked.scheduled_time or datetime.now(UTC)).astimezone(UTC),
            deferrals_before=asked.deferrals,
            market=settings.spotify_market,
            spotify=spotify,
            providers=providers,
            lake=lake,
            deferrals=SchedulerDeferrals(
                cache(lambda: boto3.client("scheduler", config=FAIL_FAST)),
                settings,
                function_arn=context.invoked_function_arn,
            ),
        )
        gauge(days_since_consent=days_since_consent(credentials(), datetime.now(UTC)))
        day = run.snapshot_date.isoformat()
        with (
            log.about(run_id=context.aws_request_id),
            step("run", run_id=context.aws_request_id, snapshot_date=day),
        ):
            begins = RunBegins(snapshot_date=run.snapshot_date, playlists=tuple(playlist_ids))
            log.info(LogEvent.RUN_BEGINS, "run begins", **begins.model_dump(mode="json"))
            try:
                return run.extract(playlist_ids).model_dump(mode="json")
            except IncompleteRunError:
                credentials.cache_clear()  # a new secret or consent may be there for the repetition
                tokens.save_token_to_cache(None)
                raise

    return handler


@dataclass(frozen=True, kw_only=True)
class Run:
    """One invocation, with all that it needs from outside.

    Attributes:
        run_id: The invocation.
        scheduled_time: When the run was due, in UTC; its day is the snapshots'.
        deferrals_before: How often it was deferred already.
        market: The country whose view is taken, ISO 3166-1 alpha-2.
        spotify: A client of this run's own.
        providers: Who measures audio features, in the order in which they are asked.
        lake: Takes the snapshots.
        deferrals: Takes what is left when calls are spent.
    """

    run_id: str
    scheduled_time: datetime
    deferrals_before: int
    market: str
    spotify: SpotifyClient
    providers: Sequence[FeatureProvider]
    lake: Lake
    deferrals: Deferrals

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.spotify)

    @property
    def snapshot_date(self) -> date:
        """The day of the snapshots."""
        return self.scheduled_time.date()

    def extract(self, playlist_ids: Sequence[str]) -> RunSummary:
        """Stores a snapshot of each playlist; a fault with one of them never costs another.

        Raises:
            IncompleteRunError: See `extractor`.
        """
        attempts = [self._attempt(playlist_id) for playlist_id in playlist_ids]
        summary = RunSummary(
            run_id=self.run_id,
            snapshot_date=self.snapshot_date,
            calls=self.spotify.calls,
            playlists=tuple(attempt.summary for attempt in attempts),
        )
        stored = sum(attempt.key is not None for attempt in attempts)
        over = RunOver(
            calls=summary.calls,
            capabilities=self.spotify.capabilities.findings,
            playlists=summary.playlists,
        )
        log.info(LogEvent.RUN_OVER, "run is over", **over.model_dump(mode="json"))
        count(calls=summary.calls, snapshots=stored, failed_playlists=len(attempts) - stored)
        unfinished = tuple(attempt.playlist_id for attempt in attempts if attempt.may_succeed_later)
        problem = None
        if unfinished and self.spotify.spent:
            try:
                return summary.model_copy(update={"deferred": self._defer(unfinished, self.spotify.spent)})
            except (NotDeferredError, ClientError, BotoCoreError) as fault:
                problem = f"The rest is not deferred: {fault}. "
        if unfinished or not stored:
            sentences = "; ".join(f"{each.playlist_id}: {each.sentence}" for each in summary.playlists if each.sentence)
            raise IncompleteRunError(
                f"{stored} of {len(attempts)} playlists have a snapshot. {problem or ''}{sentences}"
            )
        return summary

    def _defer(self, playlists: tuple[str, ...], spent: QuotaError) -> DeferredRun:
        rest = ExtractionRequest(
            scheduled_time=self.scheduled_time, playlists=playlists, deferrals=self.deferrals_before
        )
        deferral = defer(self.deferrals, rest, wait_after(spent))
        deferred = DeferredRun(due=deferral.due, playlists=playlists)
        log.warning(
            LogEvent.RUN_DEFERRED,
            "rest is deferred",
            **deferred.model_dump(mode="json"),
            deferrals=deferral.request.deferrals,
        )
        return deferred

    def _attempt(self, playlist_id: str) -> "_Attempt":
        facts = {"run_id": self.run_id, "snapshot_date": self.snapshot_date.isoformat()}
        with (
            log.about(playlist_id=playlist_id),
            step("playlist", playlist_id=playlist_id, **facts) as work,
        ):
            try:
                attempt = self._store(playlist_id)
            except (WebError, ClientError, BotoCoreError) as fault:
                outcome, sentence = outcome_of(fault)
                attempt = _Attempt(playlist_id, outcome, sentence=sentence, fault=fault)
            work.note(outcome=attempt.outcome, entries=attempt.entries)
            if attempt.fault:
                work.fail(attempt.fault)
            if attempt.sentence:
                tell = log.warning if attempt.outcome == "ok" else log.error
                tell(
                    LogEvent.PLAYLIST_INCOMPLETE,
                    "playlist is not complete",
                    **attempt.summary.model_dump(mode="json"),
                )
            return attempt

    def _store(self, playlist_id: str) -> "_Attempt":
        key = SnapshotKey(self.snapshot_date, playlist_id)
        calls_before = self.spotify.calls
        playlist = read_playlist(self.spotify, playlist_id)
        tracks = distinct_tracks(playlist.entries)
        with step("artists"):
            artists = self._catalogue.artists(artist_ids(tracks), earlier_artists(self.lake, key))
        with step("albums"):
            albums = self._catalogue.albums(album_ids(tracks))
        extraction = Extraction(
            run_id=self.run_id,
            extracted_at=datetime.now(UTC),
            snapshot_date=self.snapshot_date,
            market=self.market,
            playlist=playlist,
            artists=artists,
            albums=albums,
            features=self._measured(tracks),
            calls=self.spotify.calls - calls_before,
            found=self.spotify.capabilities.findings,
        )
        body = as_raw_snapshot(extraction)
        # A worse snapshot must not take the place of a better one of the same day.
        with step("put") as work:
            stored = self.lake.put_raw(key, body, run_id=self.run_id, replaces=playlist.outcome == "ok")
            work.note(bytes=len(body), stored=stored)
        log.info(
            LogEvent.SNAPSHOT_STORED if stored else LogEvent.SNAPSHOT_KEPT,
            "snapshot is stored" if stored else "the day's earlier snapshot stays",
            key=key.raw,
            capabilities=extraction.capabilities,
            calls=extraction.calls,
            drift=drift(body),
        )
        return _Attempt(
            playlist_id,
            playlist.outcome,
            key=key.raw,
            entries=playlist.came,
            sentence=extraction.sentence,
            fault=playlist.fault,
        )

    def _measured(self, tracks: Sequence[Track]) -> Features:
        """Audio features, of the other providers alone once Spotify's quota is spent: this playlist is not deferred."""
        try:
            return measure(tracks, self.providers)
        except QuotaError as fault:
            others = measure(tracks, [each for each in self.providers if each.source != SpotifyFeatures.source])
            return replace(others, findings={SpotifyFeatures.source: fault.finding, **others.findings})


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What became of a playlist; without a key there is no snapshot of it."""

    playlist_id: str
    outcome: Stored | NotStored
    key: str | None = None
    entries: int | None = None
    sentence: str | None = None
    fault: Exception | None = None

    @property
    def summary(self) -> PlaylistSummary:
        return PlaylistSummary(
            playlist_id=self.playlist_id,
            outcome=self.outcome,
            key=self.key,
            entries=self.entries,
            sentence=self.sentence,
        )

    @property
    def may_succeed_later(self) -> bool:
        """Whether there is a fault that another run may not meet again; a cloud's faults count as such."""
        if isinstance(self.fault, WebError):
            return isinstance(self.fault, TransientError)
        return self.fault is not None
