"""A chart in one shape, whatever layout it came in: the input of the table `charts`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from msgspec.structs import asdict

from contracts.broken import Broken
from contracts.candidates import Reject
from contracts.chart import ChartEnvelope, Lookup, read_raw_chart
from contracts.elements import UnreadableSnapshotError
from contracts.fields import naive_utc
from contracts.layouts import LAYOUTS, Layout, layout_of, text_of
from contracts.layouts.layout import DOCUMENT, ChartEntry, ChartIdentity, ChartIdentityError
from contracts.snapshot import Provenance
from contracts.tables.table import Row


@dataclass(frozen=True, slots=True)
class ChartEntries:
    """The entries of a chart in the document's order, each a place or why it is none."""

    layout: Layout
    text: str
    lookups: Sequence[Lookup] = ()

    def __iter__(self) -> Iterator[ChartEntry | Reject]:
        places: dict[int, str] = {}
        for entry in self.layout.entries(self.text, self.lookups):
            if isinstance(entry, ChartEntry) and isinstance(entry.position, int):
                taken = places.setdefault(entry.position, entry.location)
                if taken != entry.location:
                    yield Reject(entry.location, f"position: {entry.position} stands at {taken} already", _sent(entry))
                    continue
            yield entry

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of a period.

    Attributes:
        origin: The columns that all that is told of the snapshot shares.
        day: Last day of the period, which the snapshot is filed under.
        layout: The layout that its document has.
        length: How many ranks the document says that there are; None if it does not say.
        simulated: Whether the document says that a simulator made it up.
        entries: Each entry, or why it is none.
    """

    origin: Row
    day: date
    envelope: ChartEnvelope
    layout: Layout
    length: int | None
    simulated: bool
    entries: ChartEntries


def read_chart(body: bytes, provenance: Provenance, layouts: Sequence[Layout] = LAYOUTS) -> Chart:
    """Reads a raw object of a chart.

    Args:
        body: The object.
        provenance: What its key and metadata tell.
        layouts: The layouts that are known.

    Raises:
        UnreadableSnapshotError: It is none, of an unknown schema version or layout, or of another source, chart or
            period than its key or its own envelope says.
    """
    raw = read_raw_chart(body)
    envelope = raw.envelope
    list_id, day = provenance.playlist_id, provenance.snapshot_date
    if envelope.period_end != day:
        raise UnreadableSnapshotError(
            "$.snapshot.period_end",
            f"{envelope.period_end} contradicts the object's key, which says {day}: put it under its day",
        )
    if envelope.list_id != list_id:
        raise UnreadableSnapshotError(
            "$.snapshot.chart_id",
            f"{envelope.list_id!r} contradicts the object's key, which says {list_id!r}: put it under its own chart",
        )
    text = text_of(raw.document)
    layout = layout_of(text, layouts)
    _refuse_contradictions(envelope, layout, text)
    run_id = envelope.run_id or provenance.run_id
    return Chart(
        origin={
            "snapshot_date": day.isoformat(),
            "playlist_id": list_id,
            "run_id": run_id,
            "extracted_at": envelope.retrieved_at and naive_utc(envelope.retrieved_at),
        },
        day=day,
        envelope=envelope,
        layout=layout,
        length=layout.length(text),
        simulated=layout.is_simulated(text),
        entries=ChartEntries(layout, text, raw.lookups),
    )


def _refuse_contradictions(envelope: ChartEnvelope, layout: Layout, text: str) -> None:
    if layout.source != envelope.source:
        raise UnreadableSnapshotError(
            "$.snapshot.source",
            f"{envelope.source!r} contradicts the document, whose layout is that of {layout.name}",
        )
    try:
        said = layout.says(text)
    except ChartIdentityError as fault:
        raise UnreadableSnapshotError(DOCUMENT, f"not a chart: {fault}") from None
    of_envelope = ChartIdentity(
        region=envelope.region,
        frequency=envelope.frequency,
        period_start=envelope.period_start,
        period_end=envelope.period_end,
    )
    if name := said.contradiction(of_envelope):
        raise UnreadableSnapshotError(
            f"$.snapshot.{name}",
            f"{getattr(of_envelope, name)!s} contradicts the document, which says {getattr(said, name)!s}",
        )


def _sent(entry: ChartEntry) -> dict[str, object]:
    return {
        name: value.raw if isinstance(value, Broken) else value
        for name, value in asdict(entry).items()
        if name != "location"
    }
