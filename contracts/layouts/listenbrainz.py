"""ListenBrainz' sitewide recordings: what people listened to most who tell ListenBrainz so. It measures open listening.

Sources: https://listenbrainz.readthedocs.io/en/latest/users/api/statistics.html,
https://listenbrainz.readthedocs.io/en/latest/users/api/metadata.html
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, Final

from msgspec import Raw, Struct

from contracts.broken import Broken
from contracts.candidates import Reject
from contracts.chart import Lookup
from contracts.elements import Elements, decoder, replace_lone_surrogates
from contracts.fields import Unverified, integer
from contracts.layouts.layout import DOCUMENT, ChartEntry, ChartIdentity, ChartIdentityError, Layout
from contracts.regions import GLOBAL
from contracts.spotify import ApiObject

SOURCE: Final = "listenbrainz"
RECORDING_METADATA: Final = "recording_metadata"
"""Name of the look-up of recordings by their MBIDs: `POST /1/metadata/recording/`."""

MOST_ROWS: Final = 1000
"""How many rows ListenBrainz gives at once, which are all that it calculates."""

RANGE: Final = "week"
"""What ListenBrainz calls the charts of a week."""
_SUNDAY: Final = 6


class _Recording(ApiObject):
    recording_mbid: Unverified = None
    track_name: Unverified = None
    artist_name: Unverified = None
    listen_count: Unverified = None


class _Payload(Struct):
    recordings: list[Raw]
    range: Unverified = None
    from_ts: Unverified = None
    to_ts: Unverified = None
    count: Unverified = None
    offset: Unverified = None
    total_recording_count: Unverified = None
    user_id: Unverified = None
    simulated: Unverified = None


class _Answer(Struct):
    payload: _Payload


class _Metadata(Struct):
    isrcs: Unverified = None


class _Described(Struct):
    recording: _Metadata | None = None


class SitewideRecordings(Layout):
    """The answer of `GET /1/stats/sitewide/recordings`.

    The position of a recording is its place in the list. An MBID may be absent, and may stand several times: rows are
    grouped by recording and release.
    """

    name = "ListenBrainz, sitewide recordings"
    source = SOURCE
    metric = "listens"
    signature = "JSON with payload.recordings"
    weeks_end_on = _SUNDAY
    terms = (
        "ListenBrainz publishes its statistics as CC0; whoever uses them commercially is asked for a supporter plan. "
        "They measure open listening."
    )

    def recognises(self, text: str) -> bool:
        """Whether it is JSON of this shape."""
        return _answer(text) is not None

    def says(self, text: str) -> ChartIdentity:
        """The week that the answer is of.

        Raises:
            ChartIdentityError: It is of no week, of one user, which has the same shape, or a part of a chart.
        """
        answer = _answer(text)
        payload = answer.payload if answer else _Payload([])
        if payload.user_id is not None:
            raise ChartIdentityError(f"it tells what one user listened to, {payload.user_id!r}: charts are sitewide")
        if payload.offset is not None and payload.offset != 0:
            raise ChartIdentityError(f"its offset is {payload.offset!r}: charts begin at 0")
        if payload.range != RANGE:
            raise ChartIdentityError(f"its range is {payload.range!r}: charts are of `{RANGE}`")
        start, end = _moment("from_ts", payload.from_ts, 0), _moment("to_ts", payload.to_ts, 1)
        return ChartIdentity(
            ranking="recordings", region=GLOBAL, frequency="weekly", period_start=start, period_end=end
        )

    def name_says(self, name: str) -> ChartIdentity:  # noqa: ARG002 - answers have no names
        """Nothing."""
        return ChartIdentity()

    def is_simulated(self, text: str) -> bool:
        """Whether it says so; ListenBrainz sends no such field."""
        answer = _answer(text)
        return answer is not None and answer.payload.simulated is True

    def length(self, text: str) -> int | None:
        """The lesser of `count`, what was asked for and may come, and `total_recording_count`, what there is."""
        answer = _answer(text)
        told = (answer.payload.count, answer.payload.total_recording_count) if answer else ()
        counted = [number for each in told if (number := integer(each)) is not None]
        return min([*counted, MOST_ROWS]) if counted else None

    def entries(self, text: str, lookups: Sequence[Lookup]) -> Iterator[ChartEntry | Reject]:
        """Each recording in order."""
        answer = _answer(text)
        isrcs = _isrcs(lookups)
        path = f"{DOCUMENT}.payload.recordings"
        for index, recording in enumerate(Elements(path, answer.payload.recordings if answer else (), _Recording)):
            location = f"{path}[{index}]"
            if isinstance(recording, Broken):
                yield Reject(location, recording.reason, recording.raw)
            else:
                mbid = None if recording.recording_mbid == "" else recording.recording_mbid
                yield ChartEntry(
                    location,
                    position=index + 1,
                    metric_value=recording.listen_count,
                    title=recording.track_name,
                    artist_credit=recording.artist_name,
                    recording_mbid=mbid,
                    isrcs=isrcs.get(mbid) if isinstance(mbid, str) else None,
                )


def _answer(text: str) -> _Answer | None:
    for read in (str.encode, lambda text: replace_lone_surrogates(text.encode())):
        with suppress(ValueError, RecursionError):
            answer: _Answer = decoder(_Answer).decode(read(text))
            return answer
    return None


def _moment(name: str, timestamp: Unverified, exclusive: int) -> date:
    """The day, UTC, of a moment, or of the second before one that is exclusive."""
    seconds = integer(timestamp)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds - exclusive, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    raise ChartIdentityError(f"its {name} is {timestamp!r}, which is no moment")


def _isrcs(lookups: Sequence[Lookup]) -> Mapping[str, Unverified]:
    """The ISRCs of recordings by MBID. What a look-up did not bring, or not as documented, is not known."""
    found: dict[str, Unverified] = {}
    for lookup in lookups:
        if lookup.name == RECORDING_METADATA and isinstance(lookup.document, Raw):
            try:
                described: dict[str, Any] = decoder(dict[str, Raw]).decode(lookup.document)
            except ValueError:
                continue
            found.update({mbid: _isrcs_of(about) for mbid, about in described.items()})
    return found


def _isrcs_of(about: Raw) -> Unverified:
    try:
        recording = decoder(_Described).decode(about).recording
    except ValueError:
        return None
    return recording.isrcs if recording else None


LAYOUTS: Final = (SitewideRecordings(),)
