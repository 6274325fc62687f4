"""Trino's SQL, as Athena runs it: expected values are those of Trino's documentation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.emulator.athena import run_query
from infra.local.emulator.trino import UnsupportedSqlError, bind, joda_to_strftime


def answer(sql: str) -> str | None:
    """The only value of a query's result."""
    result, _ = run_query(sql, "default")
    ((value,),) = result["rows"]
    text: str | None = value
    return text


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # Numbers: integers divide to integers, decimals to the larger scale, as Trino's types have it.
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("count(*) / 2", "0"),
        ("7e0 / 2", "3.5"),
        ("CAST(7 AS double) / 2", "3.5"),
        ("100.0 * 1 / 3", "33.3"),
        ("12.50 / 3", "4.17"),
        ("sum(1) * 100.0 / count(*)", "100.0"),
        ("date_diff('day', DATE '2026-11-15', DATE '2026-11-22') / 2", "3"),
        ("try(1 / 0)", None),
        ("10000000e0", "1.0E7"),
        ("1e-4", "1.0E-4"),
        ("0.5e0", "0.5"),
        ("width_bucket(5.3, 0.2, 10.6, 5)", "3"),
        ("width_bucket(0.1, 0.2, 10.6, 5)", "0"),
        ("width_bucket(10.6, 0.2, 10.6, 5)", "6"),
        ("width_bucket(2, ARRAY[1, 2, 3])", "2"),
        # Dates stay dates, and differences count whole units.
        ("date_add('day', 7, DATE '2026-11-22')", "2026-11-29"),
        ("DATE '2026-11-22' + INTERVAL '1' DAY", "2026-11-23"),
        ("date_trunc('week', DATE '2026-11-22')", "2026-11-16"),
        ("date_trunc('month', TIMESTAMP '2026-11-22 07:00:00')", "2026-11-01 00:00:00.000"),
        ("date_diff('hour', TIMESTAMP '2026-11-22 07:30:00', TIMESTAMP '2026-11-22 08:10:00')", "0"),
        ("date_diff('week', DATE '2026-11-15', DATE '2026-11-22')", "1"),
        ("sequence(DATE '2026-11-01', DATE '2026-11-02', INTERVAL '1' DAY)", "[2026-11-01, 2026-11-02]"),
        ("extract(DOW FROM DATE '2026-11-22')", "7"),
        ("day_of_week(DATE '2026-11-22')", "7"),
        ("date_format(TIMESTAMP '2026-11-22 07:05:09', '%Y-%m-%d %H:%i:%s')", "2026-11-22 07:05:09"),
        ("date_format(DATE '2026-01-01', '%x-W%v')", "2026-W01"),
        ("format_datetime(TIMESTAMP '2026-11-22 07:05:00', 'yyyy-MM-dd HH:mm')", "2026-11-22 07:05"),
        ("format_datetime(DATE '2026-11-22', 'xxxx-''W''ww')", "2026-W47"),
        ("parse_datetime('2026-11-22', 'yyyy-MM-dd')", "2026-11-22 00:00:00.000"),
        ("date_parse('22.11.2026', '%d.%m.%Y')", "2026-11-22 00:00:00.000"),
        ("from_iso8601_timestamp('2026-11-22T07:00:00Z')", "2026-11-22 07:00:00.000 UTC"),
        ("at_timezone(TIMESTAMP '2026-11-22 07:00:00 UTC', 'America/New_York')", "2026-11-22 02:00:00.000"),
        ("TIMESTAMP '2026-11-22 07:00:00' AT TIME ZONE 'America/New_York'", "2026-11-22 02:00:00.000"),
        # Text.
        ("normalize('ﬁ Ａ', NFKC)", "fi A"),
        ("normalize('e\u0301')", "é"),
        ("format('%05.2f', 3.14159)", "03.14"),
        ("format('%s has %,d at %.1f%%', DATE '2026-11-22', 1234567, 50)", "2026-11-22 has 1,234,567 at 50.0%"),
        ("regexp_extract('track 12', '\\d+')", "12"),
        ("regexp_extract('track', '\\d+')", None),
        ("regexp_replace('ab', '(a)(b)', '$2$1')", "ba"),
        ("split_part('a,b', ',', 2)", "b"),
        ("split_part('a,b', ',', 3)", None),
        ("'a' || NULL", None),
        # Arrays, maps, JSON.
        ("slice(ARRAY[1, 2, 3], 2, 2)", "[2, 3]"),
        ("element_at(ARRAY[1, 2, 3], 9)", None),
        ("any_match(ARRAY[1, 2], x -> x > 1)", "true"),
        ("all_match(ARRAY[1, 2], x -> x > 1)", "false"),
        ("none_match(ARRAY[1, 2], x -> x > 2)", "true"),
        ("map_agg('a', 1)", "{a=1}"),
        ("map_agg('a', 1)['a']", "1"),
        ("CAST(json_parse('[\"a\",null]') AS array(varchar))", "[a, null]"),
        ("json_extract_scalar('{\"a\": {\"b\": 5}}', '$.a.b')", "5"),
        ("json_array_length('[1, 2]')", "2"),
        ("json_array_contains('[1, 2]', 2)", "true"),
        ("CAST(ROW(1, 'x') AS row(n integer, t varchar))", "{n=1, t=x}"),
        # Aggregates.
        ("max_by(CAST(NULL AS integer), 1)", None),
        ("every(true)", "true"),
        ("approx_distinct(5)", "1"),
        ("approx_percentile(5, 0.5)", "5"),
        ("approx_percentile(5, ARRAY[0.25, 0.75])", "[5, 5]"),
        ("array_join(array_agg('x'), ', ')", "x"),
    ],
)
def test_an_expression_has_the_value_that_trino_gives_it(expression: str, expected: str | None) -> None:
    assert answer(f"SELECT {expression}") == expected


@pytest.mark.parametrize("rows", ["VALUES (CAST(NULL AS bigint), CAST(NULL AS boolean))", "SELECT 1, true WHERE false"])
@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("count(n)", "0"),
        ("count(DISTINCT n)", "0"),
        ("count_if(yes)", "0"),
        ("count_if(yes) FILTER (WHERE n > 0)", "0"),
        ("approx_distinct(n)", "0"),
        ("sum(n)", None),
        ("avg(n)", None),
        ("max(n)", None),
        ("bool_and(yes)", None),
        ("every(yes)", None),
        ("map_agg(n, yes)", None),
        ("array_agg(n) FILTER (WHERE n IS NOT NULL)", None),
        ("approx_percentile(n, 0.5)", None),
        ("max_by(n, n)", None),
        ("stddev(n)", None),
    ],
)
def test_an_aggregate_of_no_value_is_what_it_is_in_trino(rows: str, aggregate: str, expected: str | None) -> None:
    assert answer(f"SELECT {aggregate} FROM ({rows}) t(n, yes)") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", "integer"),
        ("count(*)", "bigint"),
        ("sum(1)", "bigint"),
        ("0.5e0", "double"),
        ("0.5", "decimal"),
        ("'a'", "varchar"),
        ("true", "boolean"),
        ("DATE '2026-11-22'", "date"),
        ("TIMESTAMP '2026-11-22 07:00:00'", "timestamp"),
        ("now()", "timestamp with time zone"),
        ("ARRAY[1]", "array"),
        ("map_agg(1, 2)", "map"),
        ("json_parse('1')", "json"),
        ("NULL", "unknown"),
    ],
)
def test_a_type_has_the_name_that_athena_gives_it(expression: str, expected: str) -> None:
    result, _ = run_query(f"SELECT {expression}", "default")
    assert result["column_types"] == [expected]


def test_columns_without_a_name_are_numbered_as_in_athena() -> None:
    result, _ = run_query("SELECT 1 AS n, 2, upper('x') FROM (VALUES 1) t(x) ORDER BY 3", "default")
    assert result["columns"] == ["n", "_col1", "_col2"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 1 WHERE '2026' = 2026", "TYPE_MISMATCH: number and varchar"),
        ("SELECT 1 WHERE '2026-11-22' > DATE '2026-11-15'", "TYPE_MISMATCH: date or timestamp and varchar"),
        ("SELECT 'a' || 1", "TYPE_MISMATCH: number and varchar"),
        ("SELECT x + 1 AS y FROM (VALUES 1) t(x) GROUP BY y", "Column 'y' could not be resolved"),
        ("SELECT nope FROM (VALUES 1) t(x)", "Column 'nope' could not be resolved"),
        ("SELECT * FROM nowhere.songs", "SCHEMA_NOT_FOUND: Schema 'nowhere'"),
        ("SELECT * FROM other.nowhere.songs", "CATALOG_NOT_FOUND: Catalog 'other'"),
        ("SELECT 1; SELECT 2", "Only one SQL statement"),
        ("SELEC 1", "SYNTAX_ERROR"),
        ("INSERT INTO songs VALUES (1)", "NOT_SUPPORTED"),
        ("SHOW TABLES", "NOT_SUPPORTED"),
        ("SELECT reduce(ARRAY[1], 0, (s, x) -> s + x, s -> s * 2)", "NOT_SUPPORTED"),
        ("SELECT format_datetime(now(), 'QQ')", "NOT_SUPPORTED: date pattern 'QQ'"),
    ],
)
def test_what_athena_refuses_or_nobody_translated_fails_with_a_reason(sql: str, reason: str) -> None:
    with pytest.raises(UnsupportedSqlError, match=reason.replace("(", r"\(")):
        run_query(sql, "default")


@given(st.text(alphabet=st.characters(exclude_characters="'", codec="utf-8")))
def test_quoted_text_in_a_date_pattern_stays_as_it_is(text: str) -> None:
    assert joda_to_strftime(f"'{text}'").replace("%%", "%") == (text or "'")


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(-(2**52), 2**52), st.integers(1, 10**6)), min_size=1))
def test_integers_divide_towards_zero(divisions: list[tuple[int, int]]) -> None:
    result, _ = run_query(
        f"SELECT {', '.join(f'{dividend} / {divisor}' for dividend, divisor in divisions)}", "default"
    )
    expected = [str(abs(dividend) // divisor * (1 if dividend >= 0 else -1)) for dividend, divisor in divisions]
    assert result["rows"] == [expected]


def test_values_take_the_place_of_question_marks_but_not_of_those_in_texts_and_comments() -> None:
    sql = "SELECT ? /* first? */, '?' -- why?\nWHERE ? = 1"

    assert bind(sql, ["'a'", "1"]) == "SELECT 'a' /* first? */, '?' -- why?\nWHERE 1 = 1"


@pytest.mark.parametrize("values", [[], ["1", "2"]])
def test_a_statement_needs_as_many_values_as_it_has_question_marks(values: list[str]) -> None:
    with pytest.raises(UnsupportedSqlError, match="expected 1"):
        bind("SELECT ?", values)
