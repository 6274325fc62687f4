from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from contracts.candidates import Candidate, Candidates, Reject, Skip, as_json
from contracts.drift import drift_in
from contracts.fields import Unverified
from contracts.snapshot import Snapshot, SourcedFeatures, TrackEntry
from contracts.spotify import Artist, credited, field_of, link, measures_popularity, sound
from contracts.tables.playlist_metadata import PlaylistMetadata


def playlist_metadata(snapshot: Snapshot) -> Candidates[PlaylistMetadata]:
    """Yields the snapshot itself."""
    playlist = snapshot.playlist
    contents = _Totals()
    for entry in snapshot.entries:
        contents.count(entry, snapshot)
    features = [sourced for sourced in contents.features.values() if sourced]
    artists = [snapshot.artists.get(artist_id) or Artist(artist_id) for artist_id in contents.artist_ids]
    artists_with_genre = [
        artist for artist in artists if isinstance(genres := snapshot.genres_of(artist)[0], list) and genres
    ]
    yield Candidate(
        "$",
        {
            **snapshot.origin,
            "playlist_name": playlist.name,
            "description": _readable(playlist.description),
            "owner_id": field_of(playlist.owner, "id"),
            "owner_name": field_of(sound(playlist.owner), "display_name"),
            "is_public": playlist.public,
            "is_collaborative": playlist.collaborative,
            "followers": field_of(playlist.followers, "total"),
            "spotify_snapshot_id": playlist.snapshot_id,
            "total_entries": snapshot.total,
            "track_entries": contents.tracks,
            "episode_entries": contents.skipped["episode"],
            "null_entries": contents.skipped["null_entry"],
            "unknown_entries": contents.skipped["unknown_type"],
            "rejected_entries": contents.rejected,
            "unexplained_entries": snapshot.unexplained,
            "features_coverage": _coverage(len(features), len(contents.features)),
            "popularity_coverage": _coverage(contents.tracks_with_popularity, contents.tracks),
            "genres_coverage": _coverage(len(artists_with_genre), len(contents.artist_ids)),
            "feature_source": ",".join(sorted({sourced.source for sourced in features})) or None,
            "market": snapshot.market,
            "outcome": snapshot.outcome,
            "simulated": playlist.simulated,
            "playlist_url": link(playlist),
            "drift": as_json(drift_in(snapshot.document)),
        },
    )


@dataclass(slots=True)
class _Totals:
    """The totals of the counted entries: features by track id, None for a track without any.

    Each entry is counted once: as a track, as rejected, or as skipped by its rule.
    """

    tracks: int = 0
    rejected: int = 0
    tracks_with_popularity: int = 0
    features: dict[str, SourcedFeatures | None] = field(default_factory=dict)
    artist_ids: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)

    def count(self, entry: TrackEntry | Skip | Reject, snapshot: Snapshot) -> None:
        match entry:
            case TrackEntry(track=track):
                self.tracks += 1
                self.tracks_with_popularity += not entry.is_unknown_to_spotify and bool(
                    measures_popularity(track, snapshot.day)
                )
                if track.id and isinstance(track.id, str):
                    self.features[track.id] = snapshot.features_of(track)
                self.artist_ids.update(
                    artist.id for artist in credited(track) if artist.id and isinstance(artist.id, str)
                )
            case Skip(rule=rule):
                self.skipped[rule] += 1
            case Reject():
                self.rejected += 1


def _coverage(covered: int, of: int) -> float | None:
    return covered / of if of else None


def _readable(description: Unverified) -> Unverified:
    """Returns a description as plain text: Spotify sends HTML, with escapes and links."""
    if not isinstance(description, str):
        return description
    reader = _Text()
    reader.feed(description)
    reader.close()
    return " ".join("".join(reader.text).split())


class _Text(HTMLParser):
    """The text of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def parse_marked_section(self, i: int, report: int = 1) -> int:  # noqa: ARG002 - its base's
        """Reads `<![` as a browser does; the base fails at what it does not know."""
        return self.parse_bogus_comment(i)

    def handle_data(self, data: str) -> None:
        """Keeps the text."""
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its base's
        """Separates the words around a line break."""
        if tag in {"br", "p", "div", "li"}:
            self.text.append(" ")
