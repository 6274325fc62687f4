"""The Web API's JSON objects, with the fields and the order of real ones.

Image addresses have the real form and lead nowhere. There are no previews, and every song is licensed in a few
markets only.

Shapes: https://developer.spotify.com/documentation/web-api/reference/ and captured answers.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from statistics import fmean
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlencode

from infra.local.spotify import seeded
from infra.local.spotify.catalogue import Album, Artist, Catalogue, Track
from infra.local.spotify.trending import Entry, TrendingPlaylist, Trends, User

JsonObject: TypeAlias = dict[str, Any]

# fmt: off
MARKETS: Final = (
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CO", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IN", "IT", "JP",
    "KR", "MX", "NL", "NO", "NZ", "PL", "PT", "SE", "US", "ZA",
)
# fmt: on
"""Countries in which every song of the simulator can be played."""

_TRACKS_THAT_COUNT: Final = 3


@dataclass(frozen=True, slots=True)
class PlaylistShape:
    """How a generation of the API names the pages of a playlist and the track of an entry, oldest name first."""

    pages: tuple[str, ...]
    tracks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that a request asked for."""

    offset: int
    limit: int


class VerbatimEntry(NamedTuple):
    """An entry that is served as it is, under whichever name its track goes by."""

    fields: JsonObject
    track: JsonObject | None


class Contents(NamedTuple):
    """What a list holds at one moment."""

    snapshot_id: str
    entries: tuple[Entry | VerbatimEntry, ...]


class CapturedPlaylist(NamedTuple):
    """A real list as someone once got it; `fields` are all but its entries."""

    id: str
    name: str
    owner_id: str | None
    fields: JsonObject
    contents: Contents


@dataclass(frozen=True, slots=True)
class Documents:
    """The objects as one request sees them: on a day, in a market, under an address.

    Attributes:
        base: Address of the API with its version and without a slash at its end; `href` fields start with it.
        market: Country of the request. With it, tracks and albums tell whether they can be played there
            instead of in which markets.
    """

    catalogue: Catalogue
    trends: Trends
    on: date
    base: str
    market: str | None = None

    def track(self, track: Track) -> JsonObject:
        """Return a full track."""
        return {
            "album": self.simplified_album(self.catalogue.albums[track.album_id]),
            **self.simplified_track(track),
            "external_ids": {"isrc": track.isrc},
            "popularity": self.trends.popularity(track, self.on),
        }

    def simplified_track(self, track: Track) -> JsonObject:
        """Return a track as it stands in its album."""
        album = self.catalogue.albums[track.album_id]
        return {
            "artists": [self.simplified_artist(self.catalogue.artists[id_]) for id_ in track.artist_ids],
            **self._availability(),
            "disc_number": 1,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            **self._identity("track", track.id),
            "is_local": False,
            "name": track.name,
            "preview_url": None,
            "track_number": album.track_ids.index(track.id) + 1,
        }

    def album(self, album: Album) -> JsonObject:
        """Return a full album with all of its tracks."""
        tracks = [self.catalogue.tracks[id_] for id_ in album.track_ids]
        year = album.release_date[:4]
        return {
            **self.simplified_album(album),
            "copyrights": [
                {"text": f"{year} {album.label}", "type": "C"},
                {"text": f"{year} {album.label}", "type": "P"},
            ],
            "external_ids": {"upc": album.upc},
            "genres": [],
            "label": album.label,
            "popularity": self._popularity(tracks),
            "tracks": {
                "href": f"{self.base}/albums/{album.id}/tracks?offset=0&limit=50",
                "items": [self.simplified_track(track) for track in tracks],
                "limit": 50,
                "next": None,
                "offset": 0,
                "previous": None,
                "total": len(tracks),
            },
        }

    def simplified_album(self, album: Album) -> JsonObject:
        """Return an album as it stands in a track."""
        return {
            "album_type": album.album_type,
            "artists": [self.simplified_artist(self.catalogue.artists[album.artist_id])],
            **self._availability(),
            **self._identity("album", album.id),
            "images": _images("ab67616d", album.id, {640: "0000b273", 300: "00001e02", 64: "00004851"}),
            "name": album.name,
            "release_date": album.release_date,
            "release_date_precision": album.release_date_precision,
            "total_tracks": len(album.track_ids),
        }

    def artist(self, artist: Artist) -> JsonObject:
        """Return a full artist."""
        return {
            **self.simplified_artist(artist),
            "followers": {"href": None, "total": artist.followers},
            "genres": list(artist.genres),
            "images": _images("ab676161", artist.id, {640: "0000e5eb", 320: "00005174", 160: "0000f178"}),
            "popularity": self._popularity(self.catalogue.tracks[id_] for id_ in artist.track_ids),
        }

    def simplified_artist(self, artist: Artist) -> JsonObject:
        """Return an artist as it stands in a track or an album."""
        return {**self._identity("artist", artist.id), "name": artist.name}

    def audio_features(self, track: Track) -> JsonObject:
        """Return the audio features of a track."""
        return {
            **asdict(track.features),
            "type": "audio_features",
            "id": track.id,
            "uri": f"spotify:track:{track.id}",
            "track_href": f"{self.base}/tracks/{track.id}",
            "analysis_url": f"{self.base}/audio-analysis/{track.id}",
            "duration_ms": track.duration_ms,
        }

    def playlist(
        self,
        playlist: TrendingPlaylist | CapturedPlaylist,
        contents: Contents,
        shape: PlaylistShape,
        page: Page,
        query: dict[str, str],
    ) -> JsonObject:
        """Return a playlist with a page of its entries under each name that the shape has for it.

        Args:
            playlist: The list.
            contents: Its version and its entries.
            shape: The names of the API's generation.
            page: The page to embed.
            query: Parameters of the request that the addresses in the answer repeat.
        """
        return {
            **self.playlist_metadata(playlist, contents, query),
            **{name: self.playlist_page(playlist.id, contents, shape, page, query, route=name) for name in shape.pages},
        }

    def playlist_metadata(
        self, playlist: TrendingPlaylist | CapturedPlaylist, contents: Contents, query: dict[str, str]
    ) -> JsonObject:
        """Return a playlist without its entries."""
        identity = self._identity("playlist", playlist.id)
        identity["href"] += "?" + urlencode(query) if query else ""
        if isinstance(playlist, CapturedPlaylist):
            return {**identity, **playlist.fields, "id": playlist.id, "snapshot_id": contents.snapshot_id}
        return {
            "collaborative": False,
            "description": playlist.description,
            **identity,
            "followers": {"href": None, "total": playlist.followers},
            "images": _images("ab67706c", playlist.id, {640: "0000da84"}),
            "name": playlist.name,
            "owner": {**self.user(playlist.owner), "display_name": playlist.owner.name},
            "primary_color": None,
            "public": True,
            "simulated": True,
            "snapshot_id": contents.snapshot_id,
        }

    def playlist_page(
        self,
        playlist_id: str,
        contents: Contents,
        shape: PlaylistShape,
        page: Page,
        query: dict[str, str],
        *,
        route: str,
    ) -> JsonObject:
        """Return a page of a playlist's entries as the route `items` or `tracks` serves it."""
        total = len(contents.entries)
        end = page.offset + page.limit

        def address(offset: int) -> str:
            parameters = {"offset": str(offset), "limit": str(page.limit), **query}
            return f"{self.base}/playlists/{playlist_id}/{route}?{urlencode(parameters)}"

        return {
            "href": address(page.offset),
            "items": [self._entry(entry, shape) for entry in contents.entries[page.offset : end]],
            "limit": page.limit,
            "next": address(end) if end < total else None,
            "offset": page.offset,
            "previous": address(max(0, page.offset - page.limit)) if page.offset else None,
            "total": total,
        }

    def user(self, user: User) -> JsonObject:
        """Return a user as it stands in an entry."""
        return self._identity("user", user.id)

    def _entry(self, entry: Entry | VerbatimEntry, shape: PlaylistShape) -> JsonObject:
        if isinstance(entry, VerbatimEntry):
            return {**entry.fields, **dict.fromkeys(shape.tracks, entry.track)}
        track = {**self.track(entry.track), "episode": False, "track": True}
        return {
            "added_at": f"{entry.added_on.isoformat()}T00:00:00Z",
            "added_by": self.user(entry.added_by),
            "is_local": False,
            "primary_color": None,
            **dict.fromkeys(shape.tracks, track),
            "video_thumbnail": {"url": None},
        }

    def _availability(self) -> JsonObject:
        if self.market is None:
            return {"available_markets": list(MARKETS)}
        return {"is_playable": self.market in MARKETS}

    def _popularity(self, tracks: Iterable[Track]) -> int:
        """Spotify derives the popularity of artists and albums from their tracks'; here the best three count."""
        best = sorted((self.trends.popularity(track, self.on) for track in tracks), reverse=True)
        return round(fmean(best[:_TRACKS_THAT_COUNT]))

    def _identity(self, kind: str, id_: str) -> JsonObject:
        return {
            "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{id_}"},
            "href": f"{self.base}/{kind}s/{id_}",
            "id": id_,
            "type": kind,
            "uri": f"spotify:{kind}:{id_}",
        }


def _images(family: str, id_: str, sizes: dict[int, str]) -> list[JsonObject]:
    picture = seeded.digest("image", id_, size=12).hex()
    return [
        {"height": pixels, "url": f"https://i.scdn.co/image/{family}{size}{picture}", "width": pixels}
        for pixels, size in sizes.items()
    ]
