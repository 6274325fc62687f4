"""Who measures how a track sounds: providers one after the other, each for the tracks that are left."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from typing_extensions import TypedDict

from contracts.ids import SPOTIFY_ID
from contracts.operations.log_events import LogEvent
from contracts.spotify import Track, isrc, normalised_isrc
from services.extractor.enrichment import distinct
from services.extractor.spotify import SpotifyClient
from shared.observability import log, step
from shared.web import JsonObject, QuotaError, WebError

JoinedBy: TypeAlias = Literal["id", "isrc"]
Ask: TypeAlias = Callable[[Sequence[str]], Iterable[Iterable[Any]]]
"""Gets items for ids or ISRCs, call by call, in whatever order the provider sends them."""


class FeatureBlock(TypedDict):
    """Audio features of one provider, as `contracts.snapshot` reads them.

    Attributes:
        source: Who measured.
        joined_by: Which name of a track an item carries: its id at Spotify, or its ISRC.
        items: As the provider sent them, at most one for a name.
    """

    source: str
    joined_by: JoinedBy
    items: list[JsonObject]


@dataclass(frozen=True, slots=True)
class Features:
    """What all providers together know of a playlist's tracks.

    Attributes:
        blocks: In the order of the providers; the first that names a track is the one that measured it.
        findings: What came of each provider: `ok`, `none needed`, or the fault that ended it for the run.
        open: How many tracks nobody measured.
    """

    blocks: list[FeatureBlock]
    findings: dict[str, str]
    open: int = 0

    @property
    def faults(self) -> str:
        """The faults of providers that another run may not meet, by commas."""
        lasting = ("ok", "none needed", "refused:")
        return ", ".join(f"{name} {each}" for name, each in self.findings.items() if not each.startswith(lasting))


class FeatureProvider(Protocol):
    """A source of audio features.

    Attributes:
        source: Its name in the snapshot and in each row that is made of it.
    """

    source: str

    def measure(self, tracks: Sequence[Track]) -> tuple[list[FeatureBlock], str]:
        """What it knows of some tracks, and its finding. A fault of its own costs it its rows and nobody else's.

        Raises:
            QuotaError: Spotify's quota is spent, which ends the run.
        """


def measure(tracks: Sequence[Track], providers: Iterable[FeatureProvider]) -> Features:
    """Asks each provider for the tracks that none before it measured.

    Raises:
        QuotaError: As a provider does.
    """
    blocks: list[FeatureBlock] = []
    findings: dict[str, str] = {}
    for provider in providers:
        with step(f"features of {provider.source}") as work:
            found, findings[provider.source] = provider.measure(unmeasured(tracks, blocks))
            work.note(finding=findings[provider.source], tracks=sum(len(block["items"]) for block in found))
        blocks += found
    return Features(blocks, findings, len(unmeasured(tracks, blocks)))


def unmeasured(tracks: Iterable[Track], blocks: Iterable[FeatureBlock]) -> list[Track]:
    """The tracks that no block has features of."""
    measured = {name for block in blocks for item in block["items"] if (name := _track_name(item, block["joined_by"]))}
    return [track for track in tracks if _spotify_id(track) not in measured and _isrc(track) not in measured]


def spotify_ids(tracks: Iterable[Track]) -> list[str]:
    """The distinct ids of tracks, in order; what cannot be one is left out, for it would have a whole call refused.

    Source: https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids
    """
    return distinct(map(_spotify_id, tracks))


def isrcs(tracks: Iterable[Track]) -> list[str]:
    """The distinct ISRCs of tracks, likewise."""
    return distinct(map(_isrc, tracks))


class Inquiry:
    """What a provider is asked in a run: for no track twice, and after a fault for none at all.

    Ids and ISRCs can share one, for neither can be taken for the other.
    """

    def __init__(self, source: str, *, ends_the_run: tuple[type[WebError], ...] = ()) -> None:
        """Makes an inquiry.

        Args:
            source: Whose answers these are.
            ends_the_run: Faults that are not this provider's alone.
        """
        self._source = source
        self._ends_the_run = ends_the_run
        self._answers: dict[str, JsonObject | None] = {}
        self._fault: WebError | None = None

    def blocks(self, joined_by: JoinedBy, names: Sequence[str], ask: Ask) -> list[FeatureBlock]:
        """A block with the features of those tracks that the provider knows, or none.

        Args:
            joined_by: What the names are.
            names: Distinct ids or ISRCs.
            ask: Asked for those that are new. Of several items for a name the first counts; one that was not asked
                for does not.
        """
        new = [name for name in names if name not in self._answers]
        if new and not self._fault:
            self._ask(joined_by, new, ask)
        items = [item for name in names if (item := self._answers.get(name))]
        return [{"source": self._source, "joined_by": joined_by, "items": items}] if items else []

    def finding(self, names: Collection[str]) -> str:
        """What came of these names: `none needed` if there are none, the fault if it left one open, or else `ok`."""
        if not names:
            return "none needed"
        if self._fault and any(name not in self._answers for name in names):
            return self._fault.finding
        return "ok"

    def _ask(self, joined_by: JoinedBy, new: Sequence[str], ask: Ask) -> None:
        wanted = frozenset(new)
        try:
            for items in ask(new):
                for item in items:
                    name = _track_name(item, joined_by)
                    if name in wanted:
                        self._answers.setdefault(name, item)
        except self._ends_the_run:
            raise
        except WebError as fault:
            log.warning(
                LogEvent.PROVIDER_GIVEN_UP,
                "provider is not asked again in this run",
                source=self._source,
                sentence=str(fault),
            )
            self._fault = fault
        else:
            self._answers = dict.fromkeys(new) | self._answers


class SpotifyFeatures:
    """Spotify's own audio features, which only applications of before 27 November 2024 are given.

    Source: https://developer.spotify.com/blog/2024-11-27-changes-to-the-web-api
    """

    source = "spotify"

    def __init__(self, spotify: SpotifyClient) -> None:
        self._spotify = spotify
        self._inquiry = Inquiry(self.source, ends_the_run=(QuotaError,))

    def measure(self, tracks: Sequence[Track]) -> tuple[list[FeatureBlock], str]:
        """The features of those tracks that Spotify measured.

        Raises:
            QuotaError: Spotify's quota is spent.
        """
        ids = spotify_ids(tracks)
        blocks = self._inquiry.blocks("id", ids, self._spotify.audio_features)
        return blocks, self._inquiry.finding(ids)


def _track_name(item: Any, joined_by: JoinedBy) -> str | None:
    match joined_by, item:
        case "isrc", {"isrc": str(sent)}:
            return normalised_isrc(sent)
        case "id", {"href": str(href)}:
            return href.rsplit("/", 1)[-1]
        case "id", {"id": str(track_id)}:
            return track_id
    return None


def _spotify_id(track: Track) -> str | None:
    return track.id if isinstance(track.id, str) and SPOTIFY_ID.fullmatch(track.id) else None


def _isrc(track: Track) -> str | None:
    code = isrc(track)
    return code if isinstance(code, str) else None
