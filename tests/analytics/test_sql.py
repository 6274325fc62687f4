import re
from datetime import date

import pytest

from analytics.sql import ParameterError, Query, queries

TODAY = date(2026, 11, 25)
QUERY = queries()["sound_of_the_top"]


def test_defaults_are_counted_from_today_or_from_what_is_given() -> None:
    assert QUERY.values({}, TODAY) == {"top": "10", "from": "2026-05-27", "to": "2026-11-25", "playlist": "all"}
    assert QUERY.values({"to": "2024-01-01"}, TODAY)["from"] == "2023-07-03"
    assert QUERY.values({"from": "2020-01-01", "top": "3"}, TODAY) == {
        "top": "3",
        "from": "2020-01-01",
        "to": "2026-11-25",
        "playlist": "all",
    }


def test_values_go_to_the_question_marks_that_carry_their_name() -> None:
    assert QUERY.execution_parameters({}, TODAY) == ["10", "'2026-05-27'", "'2026-11-25'", "'all'"]
    assert queries()["data_coverage"].execution_parameters({}, TODAY) == [
        "'2026-11-25'",
        "'2026-05-27'",
        "'2026-11-25'",
        "'all'",
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"until": "2026-01-01"}, "no parameter until: it has top, from, to, playlist."),
        ({"to": "yesterday"}, "to is 'yesterday': it must be a day such as 2026-11-23."),
        ({"to": "2026-01-01' OR '1'='1"}, "it must be a day"),
        ({"top": "1; DROP"}, "top is '1; DROP': it must be a whole number, 0 or more."),
        ({"top": "-1"}, "top is '-1': it must be a whole number, 0 or more."),
        ({"from": "2026-11-26"}, "There is no day from 2026-11-26 to 2026-11-25: choose --from before --to."),
        ({"from": "2026-10-02", "to": "2026-10-01"}, "There is no day from 2026-10-02 to 2026-10-01: choose --from be"),
    ],
)
def test_what_a_query_cannot_take_is_refused_with_what_it_takes(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(sentence)):
        QUERY.execution_parameters(given, TODAY)


@pytest.mark.parametrize("query", queries().values(), ids=lambda query: query.name)
def test_a_query_says_its_question_its_row_its_scan_and_every_parameter(query: Query) -> None:
    header = [line for line in query.text.splitlines() if line.startswith("-- ")]

    assert query.question.endswith("?")
    assert header[1].startswith("-- Row: ")
    assert any(line.startswith("-- Scans: ") for line in header)
    marks = query.text.count("?", query.text.index("SELECT"))
    named = re.findall(r"\? /\* (\w+) \*/", query.text)
    assert marks == len(named)
    assert set(named) == {parameter.name for parameter in query.parameters}
