from dataclasses import replace

from infra.deploying.stacks import ROOT
from infra.tools.cost import (
    QUERIES,
    Charge,
    alarms,
    beyond_free,
    charges,
    listed,
    markdown,
    markdown_of_listings,
    with_cost,
)


def test_the_table_in_the_readme_is_the_formula_s() -> None:
    text = (ROOT / "infra/README.md").read_text()

    assert with_cost(text) == text, "run `make generate`"
    assert markdown() in text
    assert markdown_of_listings() in text


def test_a_year_of_twenty_playlists_is_within_its_budget() -> None:
    assert sum(listed(20).values()) <= 75
    assert sum(beyond_free(20).values()) <= 12.5


def test_a_year_of_nothing_costs_what_stands_by() -> None:
    nothing, one = listed(0), listed(1)

    assert nothing["CloudWatch: alarms"] == alarms() * 1.2
    assert nothing["X-Ray"] == 0
    assert all(one[item] >= nothing[item] for item in nothing)


def test_what_is_paid_by_the_snapshot_grows_with_the_playlists() -> None:
    twenty, forty = listed(20), listed(40)

    assert forty["X-Ray"] == 2 * twenty["X-Ray"]
    assert 20 * 52 * (1 * 10 + 5 * 5) * 0.0000133334 < twenty["Lambda"] < forty["Lambda"] < 2 * twenty["Lambda"]


def test_what_is_free_is_free_once_an_account_and_month() -> None:
    charge = Charge("requests", units=18e6, price=0.40e-6, free=1e6)

    assert round(charge.listed, 6) == 7.2
    assert round(charge.beyond_free(1), 6) == round(6e6 * 0.40e-6, 6)
    assert round(charge.beyond_free(2), 6) == round(24e6 * 0.40e-6, 6)


def test_two_environments_need_no_alarm_and_no_dashboard_beyond_what_is_free() -> None:
    both = beyond_free(20, environments=2)

    assert both["CloudWatch: alarms"] == both["CloudWatch: dashboard"] == both["CloudWatch: metrics"] == 0
    assert {charge.item for charge in charges(20)} == set(both)


def test_a_query_lists_the_days_that_there_are_and_would_list_every_day_of_a_projection() -> None:
    undated, _, dated = QUERIES

    # 50 a week, over 1 + 2 + … + 52 days, and over 30 years of 12 months of 31 days
    assert undated.listings() == 50 * 52 * 53 // 2
    assert undated.projected_listings() == 50 * 52 * 11_160
    # a query of half a year lists 26 days each week of the second half
    assert replace(dated, weeks=26).listings() == dated.a_week * dated.scans * (26 * 27 // 2 + 26 * 26)


def test_listings_of_queries_cost_less_than_two_dollars_a_year() -> None:
    assert sum(query.listings() for query in QUERIES) * 0.005 / 1000 < 2
