"""The raw chart: what a source published as a ranking, as it came, with the envelope that says what it is.

A chart never pretends to be a playlist. Its raw object is written in one PUT by whoever collected or loaded it, and is
the only input of the table `charts`: `snapshot` tells which chart of which days it is and how it was come by,
`document` is what the source sent, byte for byte but for blanks around JSON, and `lookups` are the answers to what else
was asked about it.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, DecodeError, Meta, Raw, Struct, UnsetType
from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json

from contracts.elements import UnreadableSnapshotError, decoder, where_and_what
from contracts.fields import Unverified
from contracts.ids import RUN_ID
from contracts.regions import read_region

SCHEMA_VERSION: Final = 1

Frequency: TypeAlias = Literal["daily", "weekly"]
DAYS: Final[dict[Frequency, int]] = {"daily": 1, "weekly": 7}
"""How many days a chart of each frequency covers."""

Source: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""Who published it. Without a hyphen, so that `<source>-<chart_id>` can be taken apart again."""
RunId: TypeAlias = Annotated[str, Meta(pattern=f"^{RUN_ID.pattern}$")]
ChartId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class LoadedFrom(Struct, frozen=True):
    """The file that a chart was loaded from.

    Attributes:
        name: Its name, without the folders that it was in on somebody's machine.
        sha256: Of its contents, unpacked, in hexadecimal.
    """

    name: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class ChartEnvelope(Struct, frozen=True, kw_only=True):
    """Which chart of which days a raw object holds, and how it was come by.

    Attributes:
        chart_id: What tells the source's charts apart, `<ranking>-<region>-<frequency>` such as
            `regional-global-weekly`.
        region: `global` or a country, ISO 3166-1 alpha-2 in capitals.
        period_start: First day that the chart counts.
        period_end: Last day that it counts, inclusive whatever the source's own habit: a chart week from Friday to
            Thursday ends on the Thursday, one from Monday to Monday on the Sunday.
        retrieved_at: When a collector read it, UTC; None if it was loaded.
        loaded_from: The file that it was loaded from; None if it was collected.
        run_id: The collector's invocation; None if it was loaded, when the object's metadata names the run.
    """

    schema_version: Unverified = SCHEMA_VERSION
    kind: Literal["chart"] = "chart"
    source: Source
    chart_id: ChartId
    region: str
    frequency: Frequency
    period_start: date
    period_end: date
    retrieved_at: datetime | None = None
    loaded_from: LoadedFrom | None = None
    run_id: RunId | None = None

    def __post_init__(self) -> None:
        if self.region != read_region(self.region):
            raise ValueError(f"region {self.region!r} should be {read_region(self.region)!r}")
        if self.period_end - self.period_start != timedelta(DAYS[self.frequency] - 1):
            raise ValueError(
                f"a {self.frequency} chart cannot cover {self.period_start} to {self.period_end}, both included"
            )
        if (self.retrieved_at is None) is (self.loaded_from is None):
            raise ValueError("a chart has either `retrieved_at` or `loaded_from`")

    @property
    def list_id(self) -> str:
        """What the chart is called among all lists."""
        return f"{self.source}-{self.chart_id}"


class Lookup(Struct, frozen=True):
    """What else was asked about a chart.

    Attributes:
        name: What was asked for, such as `recording_metadata`.
        outcome: `ok`, or why there is no answer.
        document: The answer as it came, JSON; unset if there is none.
    """

    name: str
    outcome: str
    document: Raw | UnsetType = UNSET


Encoding: TypeAlias = Literal["json", "text", "base64"]


class _RawChart(Struct, frozen=True, kw_only=True):
    """A raw object.

    Attributes:
        encoding: How `document` holds what came: as the JSON that it is, as a text, or in base64 where it is neither.
    """

    snapshot: ChartEnvelope
    encoding: Encoding
    document: Raw
    lookups: list[Lookup]


@dataclass(frozen=True, slots=True)
class RawChart:
    """What a raw object of a chart holds.

    Attributes:
        document: What the source sent.
    """

    envelope: ChartEnvelope
    document: bytes
    lookups: Sequence[Lookup] = ()


def write_raw_chart(chart: RawChart) -> bytes:
    """The body of a chart's raw object: equal charts have equal bodies."""
    encoding, document = _encoded(chart.document)
    return encode_json(
        _RawChart(snapshot=chart.envelope, encoding=encoding, document=document, lookups=list(chart.lookups))
    )


def is_raw_chart(body: bytes) -> bool:
    """Whether a document in UTF-8 says that it is a raw object of a chart, in whatever version."""
    try:
        decoder(_Identified).decode(body)
    except (ValueError, RecursionError):
        return False
    return True


def read_raw_chart(body: bytes) -> RawChart:
    """Reads a raw object of a chart.

    Raises:
        UnreadableSnapshotError: It is none, or of an unknown schema version.
    """
    try:
        version = decoder(_Identified).decode(body).snapshot.schema_version
    except (ValueError, RecursionError) as fault:
        raise _not_a_chart(fault) from None
    if version != SCHEMA_VERSION:
        raise UnreadableSnapshotError(
            "$.snapshot.schema_version",
            f"{version!r} is unknown: this release reads {SCHEMA_VERSION}; deploy one that reads it and replay",
        )
    try:
        raw = decoder(_RawChart).decode(body)
        return RawChart(raw.snapshot, _decoded(raw.encoding, raw.document), raw.lookups)
    except (ValueError, RecursionError) as fault:
        raise _not_a_chart(fault) from None


def _not_a_chart(fault: Exception) -> UnreadableSnapshotError:
    where, what = where_and_what(fault)
    return UnreadableSnapshotError(
        f"${where}", f"not a raw chart: {what}; load its file with `earworm load`, or collect it again"
    )


def _encoded(document: bytes) -> tuple[Encoding, Raw]:
    try:
        text = document.decode()
    except UnicodeDecodeError:
        return "base64", Raw(encode_json(b64encode(document).decode()))
    try:
        decoder(Raw).decode(document)
    except (DecodeError, RecursionError):
        return "text", Raw(encode_json(text))
    return "json", Raw(document.strip())


def _decoded(encoding: Encoding, document: Raw) -> bytes:
    if encoding == "json":
        return bytes(document)
    text = decode_json(document, type=str)
    try:
        return text.encode() if encoding == "text" else b64decode(text, validate=True)
    except NotBase64Error as fault:
        raise ValueError(f"`document` is not base64: {fault}") from None


class _Identity(Struct):
    kind: Literal["chart"]
    schema_version: Unverified


class _Identified(Struct):
    snapshot: _Identity
