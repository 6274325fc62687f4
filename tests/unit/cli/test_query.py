import csv
import json
import sys
from datetime import date
from io import BytesIO, StringIO, TextIOWrapper

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from analytics.athena import Answer
from infra.cli import query, screen
from infra.cli.cloud import Cloud
from infra.cli.query import Form
from infra.cli.screen import UsageError

ANSWER = Answer(
    columns=("track_name", "position", "share", "explicit", "day"),
    types=("varchar", "bigint", "double", "boolean", "date"),
    rows=(('Say "Hi", please', "1", "0.5", "true", "2026-11-23"), (None, None, None, None, None)),
)
RECORDS = [
    {"track_name": 'Say "Hi", please', "position": 1, "share": 0.5, "explicit": True, "day": "2026-11-23"},
    dict.fromkeys(ANSWER.columns),
]
NOWHERE = Cloud("dev", {})


def test_csv_quotes_what_must_be_quoted_and_null_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    query.print_answer("", ANSWER, Form.CSV)

    assert capsys.readouterr().out == (
        'track_name,position,share,explicit,day\n"Say ""Hi"", please",1,0.5,true,2026-11-23\n,,,,\n'
    )


def test_what_athena_answers_nothing_to_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    query.print_answer("", Answer((), (), ()), Form.TABLE)

    assert capsys.readouterr().out.startswith("Done")


@pytest.mark.parametrize(("is_terminal", "shown"), [(True, 500), (False, 501)])
def test_a_terminal_shows_the_first_rows_of_many_and_says_how_to_have_all(
    *, is_terminal: bool, shown: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen.out, "_force_terminal", is_terminal)
    many = Answer(("track_name",), ("varchar",), tuple((f"Song {n}",) for n in range(501)))

    query.print_answer("", many, Form.TABLE)

    printed = capsys.readouterr()
    assert printed.out.count("Song") == shown
    assert ("the first 500 of 501 rows" in printed.err, "--csv" in printed.err) == (is_terminal, is_terminal)


FOREIGN = Answer(
    columns=("=name", "position"),
    types=("varchar", "bigint"),
    rows=(('=HYPERLINK("http://x")', "-1"), ("\x1b[31m+1\u202e", None), ("＝1", "2"), ("-ish", "3")),
)


@pytest.mark.parametrize("form", [Form.CSV, Form.JSON])
def test_a_file_holds_texts_as_they_are_and_a_terminal_gets_none_that_act(
    form: Form, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    query.print_answer("", FOREIGN, form)
    assert "+1\u202e" in capsys.readouterr().out

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    query.print_answer("", FOREIGN, form)
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().out)


def test_a_spreadsheet_knows_the_encoding_and_calculates_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    query.print_answer("", FOREIGN, Form.SPREADSHEET)

    printed = capsys.readouterr().out
    assert printed.startswith("\ufeff")
    assert list(csv.reader(StringIO(printed.removeprefix("\ufeff")))) == [
        ["'=name", "position"],
        ['\'=HYPERLINK("http://x")', "-1"],
        ["\x1b[31m+1\u202e", ""],
        ["'＝1", "2"],
        ["'-ish", "3"],
    ]


def test_json_has_numbers_flags_and_nulls(capsys: pytest.CaptureFixture[str]) -> None:
    query.print_answer("", ANSWER, Form.JSON)

    assert json.loads(capsys.readouterr().out) == RECORDS


def test_parquet_has_the_types_of_athena(monkeypatch: pytest.MonkeyPatch) -> None:
    file = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(file))

    query.print_answer("", ANSWER, Form.PARQUET)

    table = pq.read_table(BytesIO(file.getvalue()))
    assert [str(field.type) for field in table.schema] == ["string", "int64", "double", "bool", "date32[day]"]
    assert table.to_pylist() == [RECORDS[0] | {"day": date(2026, 11, 23)}, RECORDS[1]]


def test_parquet_is_not_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    with pytest.raises(UsageError, match="send it to a file"):
        query.print_answer("", ANSWER, Form.PARQUET)


def test_an_answer_without_rows_says_of_which_days_and_lists_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "find_cloud", lambda *_, **__: NOWHERE)
    monkeypatch.setattr(query, "today", lambda: date(2026, 11, 25))
    monkeypatch.setattr(query, "_answer", lambda *_: Answer(ANSWER.columns, ANSWER.types, ()))

    told = CliRunner().invoke(query.app, ["drops", "--playlist", "[mine]", "--csv"])

    assert told.stdout == "track_name,position,share,explicit,day\n"
    assert told.stderr == (
        "No rows of --from 2026-10-28 --to 2026-11-25 --playlist [mine] --limit 100. "
        "`earworm tables` shows the days that there are.\n"
    )


@pytest.mark.parametrize("form", Form)
def test_an_answer_without_rows_keeps_its_columns(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    file = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(file, write_through=True))

    query.print_answer("", Answer(ANSWER.columns, ANSWER.types, ()), form)

    if form is Form.PARQUET:
        assert pq.read_table(BytesIO(file.getvalue())).column_names == list(ANSWER.columns)
    elif form is Form.JSON:
        assert json.loads(file.getvalue()) == []
    elif form is Form.SPREADSHEET:
        assert file.getvalue().decode("utf-8-sig").split(",")[0] == '"track_name"'
    elif form is Form.CSV:
        assert file.getvalue() == b"track_name,position,share,explicit,day\n"


@pytest.mark.parametrize(
    ("question", "arguments", "sentence"),
    [
        ("top_concerts", [], "There is no query 'top_concerts': choose among artist_churn,"),
        ("top_artists", ["--until", "2026-01-01"], "has no parameter until: it has from, to"),
        ("top_artists", ["--to"], "'--to' is not a parameter with a value: write --name value"),
        ("top_artists", ["2026-01-01"], "'2026-01-01' is not a parameter with a value"),
        ("top_artists", ["--to=soon"], "--to: 'soon' is not a day: write YYYY-MM-DD"),
        ("top_artists", ["--from", "2036-01-01"], "--from: 2036-01-01 is outside the tables' days"),
        ("SELECT 1", ["--to", "soon"], "SQL of your own takes no parameters"),
        ("DROP TABLE songs", [], "The SQL may do more than read: it holds DROP. .* add --write to run it"),
        ("SELECT 1; DROP TABLE songs", [], "for these are several statements: .* add --write"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(question: str, arguments: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        query.ask(NOWHERE, question, arguments, date(2026, 11, 25))


@pytest.mark.parametrize(
    ("question", "arguments"), [("SELECT '\udcff'", []), ("top_artists", ["--playlist", "\udcff"])]
)
def test_bytes_that_are_no_text_are_not_sent(question: str, arguments: list[str]) -> None:
    with pytest.raises(UnicodeEncodeError):
        query.ask(NOWHERE, question, arguments, date(2026, 11, 25))


def test_sql_that_writes_is_started_once_nothing_else_may_refuse_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class FakeAthena:
        def ask(self, sql: str) -> Answer:
            done.append(sql)
            return ANSWER

    monkeypatch.setattr(Cloud, "tables", lambda _: done.append("look at the tables"))
    monkeypatch.setattr(Cloud, "athena", FakeAthena())

    query.ask(NOWHERE, "DROP VIEW weekly_chart", [], date(2026, 11, 26), write=True)

    assert done == ["look at the tables", "DROP VIEW weekly_chart"]
