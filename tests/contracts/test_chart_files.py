"""Which chart of which days a file is: by its name, its contents and who loads it, and never by a guess."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.chart import write_raw_chart
from contracts.chart_files import chart_in
from contracts.elements import UnreadableSnapshotError
from contracts.layouts.layout import ChartIdentity
from tests.charts import (
    OLD_REGIONAL,
    OLD_VIRAL,
    REGIONAL_DAILY,
    REGIONAL_WEEKLY,
    VIRAL_WEEKLY,
    chart_file,
    loaded,
    sitewide,
)

THURSDAY = date(2026, 10, 1)


@pytest.mark.parametrize(
    ("name", "header", "chart_id", "first", "last"),
    [
        (
            "regional-global-weekly-2020-01-17--2020-01-24.csv",
            OLD_REGIONAL,
            "regional-global-weekly",
            date(2020, 1, 17),
            date(2020, 1, 23),
        ),
        (
            "viral-gb-weekly-2017-12-28--2017-12-28.csv",
            OLD_VIRAL,
            "viral-gb-weekly",
            date(2017, 12, 22),
            date(2017, 12, 28),
        ),
        (
            "regional-global-weekly-2026-10-01.csv",
            REGIONAL_WEEKLY,
            "regional-global-weekly",
            date(2026, 9, 25),
            THURSDAY,
        ),
        ("regional-de-daily-2024-02-29.csv", REGIONAL_DAILY, "regional-de-daily", date(2024, 2, 29), date(2024, 2, 29)),
        ("Regional-DE-weekly-2026-10-01 (2).CSV", REGIONAL_WEEKLY, "regional-de-weekly", date(2026, 9, 25), THURSDAY),
        ("regional-de-weekly-2026-10-01-2.csv", REGIONAL_WEEKLY, "regional-de-weekly", date(2026, 9, 25), THURSDAY),
        ("regional-de-weekly-2026-10-01 2.csv.gz", REGIONAL_WEEKLY, "regional-de-weekly", date(2026, 9, 25), THURSDAY),
    ],
)
def test_a_name_says_region_frequency_and_days_both_inclusive(
    name: str, header: str, chart_id: str, first: date, last: date
) -> None:
    envelope = loaded(name, chart_file(header, [1])).envelope

    assert (envelope.chart_id, envelope.period_start, envelope.period_end) == (chart_id, first, last)
    assert envelope.region == ("global" if "global" in chart_id else chart_id.split("-")[1].upper())
    assert envelope.source == "spotify_charts"
    assert envelope.loaded_from is not None
    assert envelope.loaded_from.name == name
    assert envelope.run_id is None
    assert envelope.retrieved_at is None


def test_what_no_name_says_can_be_given() -> None:
    latest = chart_file(REGIONAL_WEEKLY, [1])

    envelope = loaded("regional-us-weekly-latest.csv", latest, period_end=THURSDAY).envelope
    nameless = loaded("chart.csv", latest, period_end=THURSDAY, region="US").envelope

    assert envelope.list_id == nameless.list_id == "spotify_charts-regional-us-weekly"
    assert envelope.period_start == nameless.period_start == date(2026, 9, 25)


def test_a_raw_object_says_what_it_is_itself_and_an_option_may_not_say_otherwise() -> None:
    name, latest = "regional-de-weekly-2026-10-01.csv", chart_file(REGIONAL_WEEKLY, [1])
    body = write_raw_chart(loaded(name, latest))

    again = loaded("chart.json", body, region="DE", frequency="weekly", period_end=THURSDAY)
    assert again.envelope == loaded(name, latest).envelope
    with pytest.raises(UnreadableSnapshotError, match="the document says region DE, the option FR: leave the option o"):
        loaded("chart.json", body, region="FR")


def test_an_answer_of_listenbrainz_says_its_week_itself() -> None:
    envelope = loaded("sitewide.json", json.dumps(sitewide()).encode()).envelope

    assert envelope.list_id == "listenbrainz-recordings-global-weekly"
    assert (envelope.period_start, envelope.period_end) == (date(2025, 11, 17), date(2025, 11, 23))


WEEKLY, DAILY, VIRAL, OLD = (
    chart_file(header, [1]) for header in (REGIONAL_WEEKLY, REGIONAL_DAILY, VIRAL_WEEKLY, OLD_REGIONAL)
)


@pytest.mark.parametrize(
    ("name", "body", "given_", "problem"),
    [
        ("regional-de-weekly-latest.csv", WEEKLY, {}, "it does not say its last day: give it with --period-end"),
        ("chart.csv", WEEKLY, {"period_end": THURSDAY}, "it does not say its region: give .* with --region"),
        ("chart.csv", OLD, {"region": "DE", "period_end": THURSDAY}, "daily or weekly: say so with --frequency"),
        ("regional-de-daily-2026-10-01.csv", WEEKLY, {}, "name says frequency daily, the document weekly"),
        ("regional-de-weekly-2026-10-01.csv", DAILY, {}, "name says frequency weekly, the document daily"),
        ("viral-de-weekly-2026-10-01.csv", WEEKLY, {}, "name says ranking viral, the document regional"),
        ("regional-de-weekly-2026-10-01.csv", VIRAL, {}, "name says ranking regional, the document viral"),
        ("regional-de-weekly-2026-10-01.csv", WEEKLY, {"region": "FR"}, "name says region DE, the option FR"),
        (
            "regional-de-weekly-2026-10-01.csv",
            WEEKLY,
            {"period_end": date(2026, 10, 8)},
            "name says period_end 2026-10-01, the option 2026-10-08",
        ),
        ("regional-de-weekly-2026-10-02.csv", WEEKLY, {}, "2026-10-02, a Friday, .* end on a Thursday"),
        ("regional-de-weekly-latest.csv", WEEKLY, {"period_end": date(2026, 9, 30)}, "2026-09-30, a Wednesday"),
        ("regional-de-weekly-2020-01-18--2020-01-25.csv", OLD, {}, "2020-01-24, a Friday"),
        ("regional-de-weekly-2020-01-17--2020-01-31.csv", OLD, {}, "not seven days apart"),
        ("regional-de-weekly-2020-01-24--2020-01-17.csv", OLD, {}, "not seven days apart"),
        ("regional-de-daily-2020-01-17--2020-01-18.csv", OLD, {}, "daily, which is one day"),
        ("regional-de-daily-2023-02-29.csv", DAILY, {}, "a day that is none: day"),
        ("regional-xx-weekly-2026-10-01.csv", WEEKLY, {}, "region 'xx' is neither `global` nor"),
        ("regional-berlin-weekly-2026-10-01.csv", WEEKLY, {}, "region 'berlin' is neither `global` nor"),
        ("citytoptrack-berlin-weekly-2026-10-01.csv", VIRAL, {"region": "DE"}, "name says ranking citytoptrack, and"),
        ("genre-drum-and-bass-weekly-latest.csv", VIRAL, {"region": "DE"}, "name says ranking genre, .*; rename it if"),
        ("chart.csv", WEEKLY, {"region": "Germany", "period_end": THURSDAY}, "region 'Germany' is neither"),
    ],
)
def test_what_is_missing_contradictory_or_impossible_is_refused_with_a_sentence(
    name: str, body: bytes, given_: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UnreadableSnapshotError, match=problem):
        chart_in(name, body, ChartIdentity(**given_))


@given(day=st.dates(min_value=date(2016, 12, 1), max_value=date(2035, 1, 1)), two_days=st.booleans())
def test_a_weekly_name_is_a_week_that_ends_on_a_thursday_or_refused(day: date, *, two_days: bool) -> None:
    name = f"{day}--{day + timedelta(days=7)}" if two_days else str(day)
    last = day + timedelta(days=6) if two_days else day
    try:
        envelope = loaded(f"regional-global-weekly-{name}.csv", OLD).envelope
    except UnreadableSnapshotError:
        assert f"{last:%A}" != "Thursday"
    else:
        assert (envelope.period_start, envelope.period_end) == (last - timedelta(days=6), last)
        assert f"{last:%A}" == "Thursday"
