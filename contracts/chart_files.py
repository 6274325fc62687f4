"""Files of charts that somebody has: which chart of which days each is, by its name, its contents and who loads it.

Nothing is guessed. What these say differently is refused, and so are days that such a chart cannot be of.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from itertools import combinations
from typing import Final

from contracts.chart import DAYS, ChartEnvelope, Frequency, LoadedFrom, RawChart, is_raw_chart, read_raw_chart
from contracts.documents import unpacked
from contracts.elements import UnreadableSnapshotError
from contracts.foreign import foreign_text
from contracts.layouts import LAYOUTS, Layout, layout_of, text_of
from contracts.layouts.layout import ChartIdentity, ChartIdentityError

_CSV: Final = (".csv", ".csv.gz")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def chart_in(name: str, body: bytes, given: ChartIdentity, layouts: Sequence[Layout] = LAYOUTS) -> RawChart | None:
    """What a file is in the lake, be it a raw object of one; None for what is neither a chart nor called CSV.

    Args:
        name: The file's name, without its folders.
        body: The file, packed by gzip or not.
        given: What whoever loads it says of it.
        layouts: The layouts that are known.

    Raises:
        UnreadableSnapshotError: It has no known layout, does not say which chart of which days it is, or says it in
            two ways.
    """
    document = unpacked(body)
    if is_raw_chart(document):
        raw = read_raw_chart(document)
        _require_agreement({"the document": _identity_of(raw.envelope), "the option": given})
        return raw
    is_csv = name.lower().endswith(_CSV)
    try:
        text = text_of(document)
    except UnreadableSnapshotError:
        if is_csv:
            raise
        return None
    if not is_csv and not any(layout.recognises(text) for layout in layouts):
        return None
    try:
        layout = layout_of(text, layouts)
    except UnreadableSnapshotError as fault:
        hint = foreign_text(text.encode())
        raise _refusal(f"{fault.problem}{f'; this is {hint}' if hint else ''}") from None
    loaded_from = LoadedFrom(name, sha256(document).hexdigest())
    return RawChart(_envelope(layout, _identity(name, text, layout, given), loaded_from), document)


def _identity(name: str, text: str, layout: Layout, given: ChartIdentity) -> ChartIdentity:
    try:
        says: Mapping[str, ChartIdentity] = {
            "the name": layout.name_says(name),
            "the document": layout.says(text),
            "the option": given,
        }
    except ChartIdentityError as fault:
        raise _refusal(f"{fault}; give it its right name, or download it again") from None
    _require_agreement(says)
    identity = ChartIdentity()
    for each in says.values():
        identity = identity.with_defaults(each)
    return identity


def _identity_of(envelope: ChartEnvelope) -> ChartIdentity:
    return ChartIdentity(region=envelope.region, frequency=envelope.frequency, period_end=envelope.period_end)


def _require_agreement(says: Mapping[str, ChartIdentity]) -> None:
    for (one, said), (other, also_said) in combinations(says.items(), 2):
        if what := said.contradiction(also_said):
            ways_out = [
                "leave the option out" if other == "the option" else "download it again",
                *(["give the file its right name"] if one == "the name" else []),
            ]
            raise _refusal(
                f"{one} says {what} {getattr(said, what)}, {other} {getattr(also_said, what)}: {', or '.join(ways_out)}"
            )


def _envelope(layout: Layout, identity: ChartIdentity, loaded_from: LoadedFrom) -> ChartEnvelope:
    if identity.ranking is None:
        raise _refusal(
            f"it does not say which ranking of {layout.source} it is; give it the name that it was downloaded with"
        )
    if identity.region is None:
        raise _refusal(
            "it does not say its region: give `global`, or a country's two letters, with --region, or give it the name "
            "that it was downloaded with"
        )
    if identity.frequency is None:
        raise _refusal("it does not say whether it is daily or weekly: say so with --frequency")
    if identity.period_end is None:
        raise _refusal("it does not say its last day: give it with --period-end YYYY-MM-DD")
    first = identity.period_start or identity.period_end - timedelta(DAYS[identity.frequency] - 1)
    _refuse_impossible_week(layout, identity.frequency, identity.period_end)
    try:
        return ChartEnvelope(
            source=layout.source,
            chart_id=f"{identity.ranking}-{identity.region.lower()}-{identity.frequency}",
            region=identity.region,
            frequency=identity.frequency,
            period_start=first,
            period_end=identity.period_end,
            loaded_from=loaded_from,
        )
    except ValueError as fault:
        raise _refusal(f"there is no such chart: {fault}; give it its right name") from None


def _refuse_impossible_week(layout: Layout, frequency: Frequency, last: date) -> None:
    ends_on = layout.weeks_end_on
    if frequency == "weekly" and ends_on is not None and last.weekday() != ends_on:
        raise _refusal(
            f"it would be of a week that ends on {last}, a {_WEEKDAYS[last.weekday()]}, and chart weeks of "
            f"{layout.source} end on a {_WEEKDAYS[ends_on]}: give it its right name, or another --period-end"
        )


def _refusal(problem: str) -> UnreadableSnapshotError:
    return UnreadableSnapshotError("$", problem)
