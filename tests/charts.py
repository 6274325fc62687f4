"""Charts as small as a test needs them, in each layout; everything in them is made up."""

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from io import StringIO
from typing import Any

from contracts.chart import ChartEnvelope, RawChart, write_raw_chart
from contracts.chart_files import chart_in
from contracts.chart_snapshot import Chart, read_chart
from contracts.layouts.layout import ChartIdentity
from contracts.snapshot import Provenance
from contracts.tables.charts import CHARTS, ChartPosition
from contracts.validation import Judgement, judge
from services.charts.transform import charts

REGIONAL_WEEKLY = "rank,uri,artist_names,track_name,source,peak_rank,previous_rank,weeks_on_chart,streams"
REGIONAL_DAILY = REGIONAL_WEEKLY.replace("weeks", "days")
VIRAL_WEEKLY = REGIONAL_WEEKLY.removesuffix(",streams")
VIRAL_DAILY = REGIONAL_DAILY.removesuffix(",streams")
OLD_REGIONAL = "Position,Track Name,Artist,Streams,URL"
OLD_VIRAL = "Position,Track Name,Artist,URL"
MONDAY = date(2025, 11, 17)


def track_id(number: int) -> str:
    """An id of Spotify's length."""
    return f"{number:022}"


def chart_file(header: str, ranks: Sequence[int], *, streams: int = 1_000_000) -> bytes:
    """A file with a header whose tracks are numbered by their ranks."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = header.split(",")
    writer.writerow(names)
    for rank in ranks:
        cells = {
            "rank": rank,
            "uri": f"spotify:track:{track_id(rank)}",
            "artist_names": f"Artist {rank}, The Band",
            "track_name": f"Song {rank}",
            "source": "Label / Group",
            "peak_rank": rank,
            "previous_rank": -1 if rank % 5 == 0 else rank + 1,
            "weeks_on_chart": rank + 3,
            "days_on_chart": rank + 3,
            "streams": streams - rank,
            "Position": rank,
            "Track Name": f"Song {rank}",
            "Artist": f"Artist {rank}, The Band",
            "Streams": streams - rank,
            "URL": f"https://open.spotify.com/track/{track_id(rank)}",
        }
        writer.writerow([cells[name] for name in names])
    return text.getvalue().encode()


def sitewide(*recordings: Any, monday: date = MONDAY, **other: Any) -> dict[str, Any]:
    """ListenBrainz' answer for the week that begins on a Monday."""
    start = (monday - date(1970, 1, 1)) // timedelta(seconds=1)
    payload = {
        "range": "week",
        "from_ts": start,
        "to_ts": start + 7 * 86_400,
        "count": len(recordings),
        "offset": 0,
        "total_recording_count": len(recordings),
        "recordings": list(recordings),
    }
    return {"payload": {**payload, **other}}


def recording(number: int, **fields: Any) -> dict[str, Any]:
    """A recording as ListenBrainz counts it."""
    return {
        "recording_mbid": mbid(number),
        "track_name": f"Song {number}",
        "artist_name": f"Artist {number}",
        "artist_mbids": [mbid(1000 + number)],
        "listen_count": 5000 - number,
        "release_name": None,
        **fields,
    }


def mbid(number: int) -> str:
    """An MBID."""
    return f"00000000-0000-4000-8000-{number:012}"


def loaded(name: str, body: bytes, **given: Any) -> RawChart:
    """What a file is in the lake."""
    chart = chart_in(name, body, ChartIdentity(**given))
    assert chart is not None
    return chart


def chart_of(raw: RawChart, run_id: str | None = "load-1") -> Chart:
    """The chart that a worker reads of it."""
    return read_chart(write_raw_chart(raw), provenance(raw.envelope, run_id))


def provenance(envelope: ChartEnvelope, run_id: str | None = "load-1") -> Provenance:
    """What the key and the metadata of its raw object tell."""
    return Provenance(envelope.list_id, envelope.period_end, run_id)


def judged(raw: RawChart) -> Judgement[ChartPosition]:
    """Where its entries end."""
    return judge(CHARTS, charts(chart_of(raw)))
