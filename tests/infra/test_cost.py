from infra.deploying.stacks import ROOT
from infra.tools.cost import alarms, markdown, of_a_year, with_cost


def test_the_table_in_the_readme_is_the_formula_s() -> None:
    text = (ROOT / "infra/README.md").read_text()

    assert with_cost(text) == text, "run `make generate`"
    assert markdown() in text


def test_a_year_of_nothing_costs_what_stands_by() -> None:
    nothing, one = of_a_year(0), of_a_year(1)

    assert nothing["CloudWatch: alarms and dashboard"] == alarms() * 1.2 + 36
    assert nothing["X-Ray"] == 0
    assert all(one[item] >= nothing[item] for item in nothing)


def test_what_is_paid_by_the_snapshot_grows_with_the_playlists() -> None:
    twenty, forty = of_a_year(20), of_a_year(40)

    assert forty["X-Ray"] == 2 * twenty["X-Ray"]
    assert 20 * 52 * (1 * 10 + 5 * 5) * 0.0000133334 < twenty["Lambda"] < forty["Lambda"] < 2 * twenty["Lambda"]
