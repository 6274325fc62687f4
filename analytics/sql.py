"""The views and queries of this folder: SQL for Athena whose header says what a person must know."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final, Literal, get_args

ParameterKind = Literal["date", "integer", "text"]

_FOLDER: Final = Path(__file__).parent
_PARAMETER: Final = re.compile(
    rf"-- (?P<name>\w+) \((?P<kind>{'|'.join(get_args(ParameterKind))}), default (?P<default>[^)]+)\): (?P<meaning>.+)"
)
_PLACE: Final = re.compile(r"\? /\* (\w+) \*/")
_SOURCE: Final = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")
_WEEKS_BEFORE: Final = re.compile(r"(?P<weeks>\d+) weeks? before (?P<other>\w+)")


class ParameterError(ValueError):
    """A query has no such parameter, or the value is none that the parameter can have."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a query must be told, in the place of question marks that carry its name.

    Attributes:
        name: Its name.
        kind: What its values are.
        default: A value, `today`, or `<n> weeks before <another parameter>`.
        meaning: What it says.
    """

    name: str
    kind: ParameterKind
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class View:
    """A view of the tables.

    Attributes:
        name: Its name in the catalog.
        text: Its query, without the header.
        columns: Its columns in order, each with the type that Athena gives it, as the end of the header declares them.
    """

    name: str
    text: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Query:
    """A question in SQL.

    Attributes:
        name: Its name.
        question: The question.
        parameters: What it must be told.
        text: The whole file, which Athena runs as it stands once the question marks have values.
    """

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    text: str

    def values(self, given: Mapping[str, str], today: date) -> dict[str, str]:
        """The value of each parameter: the one given, or its default.

        Raises:
            ParameterError: A name is not among the parameters, or a value is none of its kind.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            raise ParameterError(
                f"The query {self.name} has no parameter {', '.join(unknown)}: it has {', '.join(known) or 'none'}."
            )
        return {name: given.get(name) or self._default(parameter, given, today) for name, parameter in known.items()}

    def execution_parameters(self, given: Mapping[str, str], today: date) -> list[str]:
        """The values in the order of the question marks, each as a literal of SQL, as Athena's API wants them.

        Raises:
            ParameterError: A name is not among the parameters, a value is none of its kind, or `from` is after `to`.
        """
        values = self.values(given, today)
        literals = {parameter.name: _literal(parameter, values[parameter.name]) for parameter in self.parameters}
        if {"from", "to"} <= values.keys() and values["from"] > values["to"]:
            raise ParameterError(f"There is no day from {values['from']} to {values['to']}: choose --from before --to.")
        return [literals[name] for name in _PLACE.findall(self.text)]

    def _default(self, parameter: Parameter, given: Mapping[str, str], today: date) -> str:
        relative = _WEEKS_BEFORE.fullmatch(parameter.default)
        if relative:
            (other,) = (each for each in self.parameters if each.name == relative["other"])
            end = _day(other, given.get(other.name) or self._default(other, given, today))
            return str(end - timedelta(weeks=int(relative["weeks"])))
        return str(today) if parameter.default == "today" else parameter.default


def views() -> tuple[View, ...]:
    """All views, each after those that it reads."""
    known = {view.name: view for view in map(_view, sorted((_FOLDER / "views").glob("*.sql")))}
    read = {view.name: sorted(known.keys() & _SOURCE.findall(view.text)) for view in known.values()}
    return tuple(known[name] for name in TopologicalSorter(read).static_order())


def queries() -> dict[str, Query]:
    """All queries by name."""
    return {path.stem: _query(path) for path in sorted((_FOLDER / "queries").glob("*.sql"))}


def _view(path: Path) -> View:
    lines = path.read_text("utf-8").splitlines()
    header = [line for line in lines if line.startswith("-- ")]
    _, _, declared = " ".join(line.removeprefix("--").strip() for line in header).partition("Columns: ")
    columns = dict(column.split(" ", 1) for column in declared.split(", ") if column)
    return View(path.stem, "\n".join(lines[len(header) :]), columns)


def _query(path: Path) -> Query:
    text = path.read_text("utf-8")
    found = [_PARAMETER.fullmatch(line) for line in text.splitlines()]
    parameters = tuple(
        Parameter(each["name"], _kind(each["kind"]), each["default"], each["meaning"]) for each in found if each
    )
    return Query(path.stem, text.splitlines()[0].removeprefix("-- "), parameters, text)


def _kind(text: str) -> ParameterKind:
    kinds: tuple[ParameterKind, ...] = get_args(ParameterKind)
    return kinds[kinds.index(text)]


def _literal(parameter: Parameter, value: str) -> str:
    match parameter.kind:
        case "date":
            return f"'{_day(parameter, value)}'"
        case "integer":
            if not re.fullmatch(r"[0-9]{1,9}", value):
                raise ParameterError(f"{parameter.name} is {value!r}: it must be a whole number, 0 or more.")
            return value
        case "text":
            quoted = value.replace("'", "''")
            return f"'{quoted}'"


def _day(parameter: Parameter, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ParameterError(f"{parameter.name} is {value!r}: it must be a day such as 2026-11-23.") from None
