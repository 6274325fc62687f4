"""Chart files as anybody can download them, made up of the simulator's songs, and loaded as anybody would load them."""

import os
from datetime import date
from typing import Final

from infra.cli import load, query
from infra.cli.cloud import STATE, Cloud, bound_to, local
from infra.cli.query import Form
from infra.cli.screen import out
from infra.local.spotify.catalogue import load_catalogue
from infra.local.spotify.charts import newest_chart_day, write_chart_files

_FOLDER: Final = STATE / "charts"
WEEKS: Final = 12
_NEWEST: Final = """
SELECT
    position, previous_position AS last_week, title, artist_credit AS artists, weeks_on_chart AS weeks,
    peak_position AS peak, metric_value AS streams
FROM charts
WHERE year = '{day:%Y}' AND month = '{day:%m}' AND day = '{day:%d}' AND chart_id = 'regional-global-weekly'
ORDER BY position
LIMIT 5
"""


def load_made_up_charts(today: date) -> None:
    """Writes the chart files of the last weeks and loads them into the local cloud."""
    files = write_chart_files(load_catalogue(), _FOLDER, newest_chart_day(today), WEEKS)
    out.print(
        f"And weekly charts, from files as anybody can download them; these {len(files)} are made up: "
        f"{os.path.relpath(files[0].parent)}"
    )
    with bound_to(local()):
        load.load(files)


def show_newest_chart(cloud: Cloud, today: date) -> None:
    """Prints the first places of the newest one."""
    day = newest_chart_day(today)
    _, answer = query.ask(cloud, _NEWEST.format(day=day), (), today)
    query.print_answer(f"The chart of the week until {day}, made up", answer, Form.TABLE)
