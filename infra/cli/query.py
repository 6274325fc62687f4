"""Named queries and SQL of one's own, asked on the console and written in the forms that others read."""

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from io import StringIO
from typing import Annotated, Final, Literal

import typer

from analytics.athena import Answer
from analytics.sql import ParameterError, Query, queries
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.completion import one_of
from infra.cli.days import read_day, today
from infra.cli.environment import Environment
from infra.cli.screen import UsageError, err, grid, out, printable
from infra.cli.statement import READS, StatementError, writing_word

_FORMULA: Final = re.compile(r"[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]")
"""What a spreadsheet takes for the beginning of a formula.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


_MOST_ROWS: Final = 500
"""Rows that a terminal shows: rich takes four milliseconds to lay out each, and nobody scrolls through thousands."""
_TO_WRITE: Final = f"Without --write, `earworm query` runs one statement of {', '.join(READS)}; add --write to run it."


class Form(Enum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    SPREADSHEET = "spreadsheet"
    JSON = "json"
    PARQUET = "parquet"


app = typer.Typer(add_completion=False)


@app.command("query", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def query_command(
    context: typer.Context,
    question: Annotated[
        str | None,
        typer.Argument(
            autocompletion=one_of(queries),
            help="Name of a query in analytics/queries, or SQL. [default: show the names]",
        ),
    ] = None,
    environment: Environment = "dev",
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="Write CSV for a spreadsheet: with a byte order mark and no formula.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write JSON, a list of rows.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet; redirect it to a file.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Let SQL do more than read, such as CREATE or DROP.")] = False,
) -> None:
    """Ask Athena. A named query takes its parameters as `--name value`; SQL of your own reads, unless --write."""
    forms = (
        (Form.SPREADSHEET, spreadsheet),
        (Form.CSV, csv and not spreadsheet),
        (Form.JSON, json),
        (Form.PARQUET, parquet),
    )
    chosen = [form for form, is_wanted in forms if is_wanted]
    if len(chosen) > 1:
        raise UsageError("An answer has one format: choose one of --csv, --spreadsheet, --json and --parquet.")
    if question is None:
        show_queries()
    else:
        cloud = find_cloud(environment, writes=write)
        title, answer = ask(cloud, question, context.args, today(), write=write)
        print_answer(title, answer, *(chosen or [Form.TABLE]))
        if not answer.rows and question in queries():
            _say_what_has_no_rows(queries()[question], context.args, today())


def ask(
    cloud: Cloud, question: str, arguments: Sequence[str], today: date, *, write: bool = False
) -> tuple[str, Answer]:
    """The title and the answer of a question.

    Args:
        cloud: Where to ask.
        question: The name of a query in `analytics/queries`, or SQL.
        arguments: The parameters of a named query, `--name value` or `--name=value`.
        today: The day that defaults are counted from.
        write: Whether SQL may do more than read.

    Raises:
        AthenaError: Athena failed it.
        UsageError: There is no such query or parameter, or the SQL may do more than read.
    """
    " ".join((question, *arguments)).encode()  # raises what is not UTF-8, which is no fault of Athena's
    query = queries().get(question)
    if query:
        given = _named_values(arguments)
        _check_days(query, given)
        try:
            parameters = query.execution_parameters(given, today)
        except ParameterError as fault:
            raise UsageError(str(fault)) from None
        return query.question, _answer(cloud, query.text, parameters)
    if not re.search(r"\s", question.strip()):
        raise UsageError(f"There is no query {question!r}: choose among {', '.join(queries())}, or write SQL.")
    if arguments:
        raise UsageError(f"SQL of your own takes no parameters: write {' '.join(arguments)} into it.")
    if write:
        cloud.tables()  # where that is refused, nothing is written
        return "", cloud.athena.ask(question)
    _only_reads(question)
    return "", _answer(cloud, question)


def _answer(cloud: Cloud, sql: str, parameters: Sequence[str] = ()) -> Answer:
    query = cloud.athena.start(sql, parameters)
    cloud.tables()  # says which of them are not deployed, while Athena is at work
    return cloud.athena.answer(query)


def _say_what_has_no_rows(query: Query, arguments: Sequence[str], today: date) -> None:
    """Prints what was asked for, defaults included: an archive may have ended long before them."""
    asked = " ".join(f"--{name} {value}" for name, value in query.values(_named_values(arguments), today).items())
    if asked:
        err.print(f"No rows of {asked}. `earworm tables` shows the days that there are.", soft_wrap=True, markup=False)


def _check_days(query: Query, given: Mapping[str, str]) -> None:
    for parameter in query.parameters:
        if parameter.kind == "date" and parameter.name in given:
            try:
                read_day(given[parameter.name])
            except ValueError as fault:
                raise UsageError(f"--{parameter.name}: {fault}.") from None


def _only_reads(sql: str) -> None:
    try:
        word = writing_word(sql)
    except StatementError as fault:
        raise UsageError(f"Nobody can tell whether the SQL only reads, for {fault}. {_TO_WRITE}") from None
    if word:
        raise UsageError(f"The SQL may do more than read: it holds {word}. {_TO_WRITE}")


def show_queries() -> None:
    """Print what can be asked by name."""
    rows = [
        (
            query.name,
            query.question,
            ", ".join(f"--{parameter.name} ({parameter.default})" for parameter in query.parameters),
        )
        for query in queries().values()
    ]
    out.print(grid("Queries", ("name", "question", "parameters (defaults)"), rows))


def print_answer(title: str, answer: Answer, form: Form) -> None:
    """Write an answer to standard output. Dates are ISO; in JSON and Parquet numbers are numbers, and NULL is null.

    CSV and JSON hold texts as they are, unless standard output is a terminal; CSV for a spreadsheet begins with a byte
    order mark and holds no formula.

    Raises:
        UsageError: It is Parquet, and standard output is a terminal.
    """
    match form:
        case Form.TABLE if not answer.columns:
            out.print("Done; Athena answers nothing to that.")
        case Form.TABLE:
            shown = answer.rows[:_MOST_ROWS] if out.is_terminal else answer.rows
            out.print(grid(title, answer.columns, shown, numbers=answer.number_columns))
            if len(shown) < len(answer.rows):
                err.print(
                    f"[yellow]These are the first {len(shown)} of {len(answer.rows):,} rows.[/] For all of them, write "
                    "them to a file: `earworm query … --csv > FILE`.",
                    soft_wrap=True,
                )
        case Form.CSV:
            _write_text(_csv([answer.columns, *answer.rows]))
        case Form.SPREADSHEET:
            _write_text("\ufeff" + _csv(_without_formulas(answer), csv.QUOTE_ALL))
        case Form.JSON:
            _write_text(json.dumps(answer.records(), ensure_ascii=False, indent=1, default=str) + "\n")
        case Form.PARQUET:
            if sys.stdout.isatty():
                raise UsageError("Parquet is not text: send it to a file, `earworm query … --parquet > FILE`.")
            # It takes longer to import than the shell has patience when it completes a word.
            from infra.cli.parquet import write_parquet  # noqa: PLC0415

            write_parquet(answer, sys.stdout.buffer)


def _write_text(text: str) -> None:
    sys.stdout.write(printable(text) if sys.stdout.isatty() else text)


def _csv(rows: Iterable[Sequence[str | None]], quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> str:
    file = StringIO()
    csv.writer(file, lineterminator="\n", quoting=quoting).writerows(rows)
    return file.getvalue()


def _without_formulas(answer: Answer) -> Iterator[Sequence[str | None]]:
    """The columns and rows with an apostrophe before what a spreadsheet would calculate; numbers stay numbers."""
    numbers = set(answer.number_columns)
    yield [_as_text(name) for name in answer.columns]
    for row in answer.rows:
        yield [text if text is None or place in numbers else _as_text(text) for place, text in enumerate(row)]


def _as_text(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _named_values(arguments: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name = re.fullmatch(r"--(?P<name>\w+)(=(?P<value>.*))?", argument, re.DOTALL)
        value = (name["value"] if name["value"] is not None else next(rest, None)) if name else None
        if not name or value is None:
            raise UsageError(f"{argument!r} is not a parameter with a value: write --name value.")
        values[name["name"]] = value
    return values
