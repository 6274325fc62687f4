"""Whether a statement only reads."""

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from analytics.sql import queries
from infra.cli.statement import StatementError, writing_word

SPACE = st.sampled_from([" ", "\n", "\t", "/**/", "/* SELECT 1; */", "-- SELECT\n", " /* it's */ ", '-- "\n'])
SPACES = st.lists(SPACE, min_size=1, max_size=3).map("".join)
READING = st.sampled_from(
    [
        "SELECT * FROM songs",
        "SELECT 'DROP TABLE songs; --' FROM songs",
        "SELECT \"delete\", 'it''s' FROM \"insert into\"",
        "WITH q AS (SELECT 1) SELECT * FROM q",
        "WITH RECURSIVE q (n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM q WHERE n < 9) SELECT n FROM q",
        "(SELECT 1) UNION (SELECT 2)",
        "VALUES 1, 2",
        "SHOW CREATE TABLE songs",
        "SHOW TABLES",
        "DESCRIBE songs",
        "SELECT created_at, inserted, dropped FROM songs",
    ]
)
WRITING = st.sampled_from(
    [
        "DROP TABLE songs",
        "CREATE TABLE x AS SELECT * FROM songs",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "INSERT INTO songs SELECT * FROM songs",
        "WITH q AS (SELECT 1) INSERT INTO songs SELECT * FROM q",
        "WITH q AS (SELECT 1) DELETE FROM songs",
        "WITH q AS (SELECT 1) UPDATE songs SET a = 1",
        "WITH q AS (SELECT 1) MERGE INTO songs USING q ON true WHEN MATCHED THEN DELETE",
        "DELETE FROM songs",
        "UPDATE songs SET a = 1",
        "MERGE INTO songs USING q ON true WHEN MATCHED THEN DELETE",
        "ALTER TABLE songs ADD COLUMNS (a int)",
        "MSCK REPAIR TABLE songs",
        "TRUNCATE TABLE songs",
        "VACUUM songs",
        "OPTIMIZE songs REWRITE DATA USING BIN_PACK",
        "UNLOAD (SELECT 1) TO 's3://x/' WITH (format = 'PARQUET')",
        "GRANT SELECT ON songs TO everybody",
        "PREPARE p FROM SELECT 1",
        "EXECUTE p",
        "EXECUTE IMMEDIATE 'DROP TABLE songs'",
        "CALL system.sync_partition_metadata('a', 'b')",
        "SET SESSION a = 1",
        "USE another",
        "FROM songs INSERT OVERWRITE TABLE x SELECT *",
    ]
)

HIDING = st.sampled_from(
    [
        ", 'DROP TABLE songs'",
        ", 'it''s'",
        ', "INSERT INTO songs"',
        "-- DROP TABLE songs\n",
        "/* DROP TABLE songs */",
        ", 1",
    ]
)
"""What may follow in a statement that reads: what would write stands in a string, a quoted name or a comment."""
BREAKING_OUT = st.sampled_from(["'", '"', "--", "\n", "/*", "*/", "; DROP TABLE songs", "; INSERT INTO songs SELECT 1"])


def spelled(sql: str, spaces: list[str]) -> str:
    """A statement whose spaces outside of quotes are others."""
    parts, quoted, number = [], False, 0
    for character in sql:
        quoted ^= character in "'\""
        if character == " " and not quoted:
            parts.append(spaces[number % len(spaces)])
            number += 1
        else:
            parts.append(character)
    return "".join(parts)


@given(sql=READING, before=SPACES, after=SPACES, explain=st.sampled_from(["", "EXPLAIN ", "EXPLAIN ANALYZE VERBOSE "]))
def test_what_reads_is_let_through(sql: str, before: str, after: str, explain: str) -> None:
    assert writing_word(f"{before}{explain}{sql}{after};{after}") is None


@given(
    sql=WRITING,
    spaces=st.lists(SPACES, min_size=1, max_size=4),
    prefix=st.sampled_from(["", "(", "EXPLAIN ", "EXPLAIN ANALYZE ", "EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON) "]),
    case=st.sampled_from([str.lower, str.upper, str.title, str]),
)
def test_nothing_that_writes_is_let_through(sql: str, spaces: list[str], prefix: str, case: type[str]) -> None:
    assert writing_word(spelled(f" {prefix}{case(sql)}", spaces)) is not None


@given(first=READING, second=READING | WRITING, between=SPACES)
def test_several_statements_are_refused(first: str, second: str, between: str) -> None:
    with pytest.raises(StatementError, match="several statements"):
        writing_word(f"{first}{between};{between}{second}")


@given(st.lists(HIDING | BREAKING_OUT, max_size=6).map(" ".join))
@settings(max_examples=500)
def test_no_arrangement_hides_what_a_parser_of_athenas_sql_finds(pieces: str) -> None:
    sql = f"SELECT 1 {pieces}"
    try:
        is_let_through = writing_word(sql) is None
        parsed = sqlglot.parse(sql, dialect="athena")
    except (StatementError, sqlglot.errors.SqlglotError):
        return  # refused here, or no SQL: Athena would refuse it

    if is_let_through:
        # A comment behind the last semicolon counts as a statement of its own.
        (statement,) = (each for each in parsed if each and not isinstance(each, exp.Semicolon))
        assert not statement.find(exp.Drop, exp.Insert, exp.Create, exp.Delete, exp.Command)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("", "there is no statement"),
        ("  -- nothing", "there is no statement"),
        (";", "there is no statement"),
        ("SELECT 'songs", 'what begins with "\'songs" does not end'),
        ("SELECT 1 /* and", "does not end"),
        ('SELECT "a', "does not end"),
    ],
)
def test_what_is_not_one_statement_is_not_judged(sql: str, why: str) -> None:
    with pytest.raises(StatementError, match=why):
        writing_word(sql)


@pytest.mark.parametrize("name", queries())
def test_the_named_queries_read(name: str) -> None:
    assert writing_word(queries()[name].text) is None
