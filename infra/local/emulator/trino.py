"""Athena's SQL (engine version 3, which is Trino) as DuckDB's.

sqlglot translates the grammar. What it leaves unchanged although the two engines differ is corrected here,
because most of it would not fail but answer something else. Each difference is named by its rewrite.

Source of Trino's side: https://trino.io/docs/current/functions.html
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify as qualify_columns
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema
from sqlglot.tokenizer_core import TokenType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CATALOG: Final = "awsdatacatalog"

MACROS: Final = """
CREATE MACRO every(x) AS bool_and(x);
CREATE MACRO map_agg(k, v) AS map(list(k) FILTER (k IS NOT NULL), list(v) FILTER (k IS NOT NULL));
CREATE MACRO width_bucket(x, bins) AS len(list_filter(bins, lambda bin: bin <= x)),
    (x, low, high, buckets) AS CASE
        WHEN low < high AND x < low OR low > high AND x > low THEN 0
        WHEN low < high AND x >= high OR low > high AND x <= high THEN buckets + 1
        ELSE CAST(floor(buckets * (x - low) / CAST(high - low AS DOUBLE)) AS BIGINT) + 1
    END;
CREATE MACRO json_array_contains(document, value) AS json_contains(document, to_json(value));
CREATE MACRO json_array_get(document, position) AS json_extract(document, '$[' || position || ']');
CREATE MACRO arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO e() AS exp(1);
CREATE MACRO nan() AS CAST('nan' AS DOUBLE);
CREATE MACRO infinity() AS CAST('infinity' AS DOUBLE);
"""
"""Functions of Trino that DuckDB lacks and can say itself."""

NORMALIZE: Final = "unicode_normalize"
"""What `normalize` becomes, with the form before the text: DuckDB knows NFC alone."""

_JODA: Final = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "xxxx": "%G", "ww": "%V", "e": "%u",
    "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m",
    "dd": "%d", "d": "%-d", "DDD": "%j", "D": "%-j", "EEEE": "%A", "EEE": "%a", "E": "%a",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "a": "%p", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S",
    "SSS": "%g", "ZZ": "%z", "Z": "%z",
}  # fmt: skip
_JODA_TOKEN: Final = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>.)", re.DOTALL)
_FORMAT_SPECIFIER: Final = re.compile(r"%[-#+ 0,(]*\d*(?:\.\d+)?(?P<conversion>[a-zA-Z%])")
_FORMAT_TYPES: Final = {"s": "varchar", "d": "bigint", "x": "bigint", "f": "double", "e": "double", "g": "double"}
_UNNAMED: Final = "_unnamed_"


class UnsupportedSqlError(ValueError):
    """The statement is none that the local Athena can run; the message is a sentence for the user."""


class TableName(NamedTuple):
    """A table of the catalog, in lower case as Glue stores it."""

    database: str
    table: str


def parse(sql: str, *, database: str) -> exp.Query | exp.Create | exp.Drop:
    """Parse one statement and give every table its database.

    Raises:
        UnsupportedSqlError: It is not exactly one statement of those that run here, or names another catalog.
    """
    try:
        statements = [s for s in sqlglot.parse(sql, read="athena") if s is not None]
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if len(statements) != 1:
        raise UnsupportedSqlError(f"Only one SQL statement is allowed, got {len(statements)}.")
    statement = normalize_identifiers(statements[0], dialect="athena")
    if not isinstance(statement, exp.Query) and not (
        isinstance(statement, exp.Create | exp.Drop) and statement.args["kind"] == "VIEW"
    ):
        raise UnsupportedSqlError(
            "NOT_SUPPORTED: the local Athena runs SELECT, CREATE and DROP VIEW, CREATE EXTERNAL TABLE and DROP "
            "TABLE, and no other statement."
        )
    qualify_tables(statement, db=database, catalog=CATALOG, dialect="athena", canonicalize_table_aliases=False)
    for table in statement.find_all(exp.Table):
        if table.catalog and table.catalog != CATALOG:
            raise UnsupportedSqlError(
                f"CATALOG_NOT_FOUND: Catalog '{table.catalog}' does not exist; there is only '{CATALOG}'."
            )
    return statement


def tables(statement: exp.Expr) -> set[TableName]:
    """Every table of the catalog that the statement reads."""
    return {TableName(t.db, t.name) for t in statement.find_all(exp.Table) if t.db and t.name}


def relation_name(name: TableName) -> str:
    """Returns the name of a table's relation in DuckDB, where temporary views have no schema."""
    return f"{name.database}.{name.table}"


def to_duckdb(qualified: exp.Query, views: Mapping[TableName, str] = MappingProxyType({})) -> str:
    """Translate a query of `qualify`.

    Args:
        qualified: The query.
        views: SQL of this function's for each view that the query names, or that these name: each after those that it
            names.

    Returns:
        SQL for a DuckDB connection in which `MACROS` ran and each table is the relation of its `relation_name`.
        Columns without a name are called `_unnamed_<n>`; `column_name` turns that into Athena's name.

    Raises:
        UnsupportedSqlError: The query uses what has no counterpart, or what Athena refuses too.
    """
    query = qualified.copy()
    nodes = list(query.walk())
    for node in nodes:
        _check_types(node)
    for node in reversed(nodes):
        _replace(node, _rewrite(node))
    for table in query.find_all(exp.Table):
        if table.db:
            table.set("this", _relation(TableName(table.db, table.name)))
            table.set("db", None)
        table.set("catalog", None)
    if views:
        ctes = [exp.CTE(this=exp.Var(this=sql), alias=exp.TableAlias(this=_relation(n))) for n, sql in views.items()]
        own = query.args.get("with_") or exp.With()
        own.set("expressions", ctes + own.expressions)
        query.set("with_", own)
    try:
        return query.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE, copy=False)
    except SqlglotError as error:
        raise UnsupportedSqlError(f"NOT_SUPPORTED: {error}") from error


def _relation(name: TableName) -> exp.Identifier:
    return exp.to_identifier(relation_name(name), quoted=True)


def qualify(statement: exp.Query, columns: Mapping[TableName, Mapping[str, str]]) -> exp.Query:
    """Returns the query with every column's table, every star as its columns, and the type of every expression.

    Args:
        statement: From `parse`.
        columns: For each of its tables and views the columns in the order of the catalog, with their types as Athena
            writes them.

    Raises:
        UnsupportedSqlError: It names a column that none of its tables has.
    """
    schema = MappingSchema(dialect="athena")
    for name, types in columns.items():
        schema.add_table(exp.table_(name.table, db=name.database, catalog=CATALOG), dict(types))
    query = statement.copy()
    _name_unnamed(query)
    try:
        query = qualify_columns(
            query,
            dialect="athena",
            schema=schema,
            expand_alias_refs=False,
            canonicalize_table_aliases=False,
        )
        return annotate_types(query, schema=schema, dialect="athena")
    except SqlglotError as error:
        raise _syntax_error(error) from error


def column_name(name: str, position: int) -> str:
    """Athena's name of a result column: `_col0`, `_col1` … where the query gives none."""
    return f"_col{position}" if name.startswith(_UNNAMED) else name


def bind(sql: str, values: Sequence[str]) -> str:
    """Returns the statement with a value, written as SQL has it, in the place of each question mark.

    Raises:
        UnsupportedSqlError: There are fewer or more values than question marks.
    """
    try:
        places = [t for t in sqlglot.tokenize(sql, read="athena") if t.token_type is TokenType.PLACEHOLDER]
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if len(places) != len(values):
        raise UnsupportedSqlError(f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {len(places)}.")
    for place, value in reversed(list(zip(places, values, strict=True))):
        sql = f"{sql[: place.start]}{value}{sql[place.end + 1 :]}"
    return sql


def partition_filters(
    qualified: exp.Query, keys: Mapping[TableName, frozenset[str]], views: Mapping[TableName, exp.Query]
) -> dict[TableName, list[exp.Expr | None]]:
    """Returns the conditions of a qualified query on the keys of partitioned tables, one for each reference to a table.

    A view, which is qualified too, counts wherever it is named, as if its query stood there. A demand are those terms
    of WHERE and ON that look at nothing but the keys, those of outer queries with them as far as Trino pushes them
    down: through columns that are expressions of the keys, through groups and windows if they are of what the term
    looks at, and through joins over columns that are equal. The optional side of an outer join has none of its own in
    WHERE, for rows that are left out there would come back as NULL. None: all partitions are needed.
    """
    found: dict[TableName, list[exp.Expr | None]] = {}
    scopes = {name: scope for name, query in views.items() if (scope := build_scope(query))}
    if scope := build_scope(qualified):
        _collect_demands(scope, [], keys, scopes, found)
    return found


def _collect_demands(
    scope: Scope,
    of_the_outer_query: Sequence[exp.Expr],
    keys: Mapping[TableName, frozenset[str]],
    views: Mapping[TableName, Scope],
    found: dict[TableName, list[exp.Expr | None]],
) -> None:
    for inner in scope.subquery_scopes:
        _collect_demands(inner, [], keys, views, found)
    for branch in scope.set_operation_scopes:
        of_the_branch = [_of_branch(term, scope, branch) for term in of_the_outer_query]
        _collect_demands(branch, of_the_branch, keys, views, found)
    select = scope.expression
    if not isinstance(select, exp.Select):
        return
    joins = select.args.get("joins") or []
    undecided = any(join.side in {"RIGHT", "FULL"} for join in joins)
    optional = {join.alias_or_name: _terms(join.args.get("on")) for join in joins if join.side == "LEFT"}
    where = select.args.get("where")
    terms = _terms(where and where.this) + _pushed_down(of_the_outer_query, select)
    terms += [term for join in joins if not join.side for term in _terms(join.args.get("on"))]
    for alias, (_, source) in scope.selected_sources.items():
        if undecided:
            usable = []
        elif alias in optional:
            required = [term for term in terms if not _tables_of(term) & optional.keys()]
            usable = _about(alias, required, optional[alias]) + [t for t in optional[alias] if _tables_of(t) == {alias}]
        else:
            usable = _about(alias, terms, [term for term in terms if _tables_of(term).isdisjoint(optional)])
        bare = [term.transform(_without_table) for term in usable]
        if isinstance(source, Scope):
            _collect_demands(source, bare, keys, views, found)
        elif (name := TableName(source.db, source.name)) in views:
            _collect_demands(views[name], bare, keys, views, found)
        elif name in keys:
            decided = [term for term in bare if all(column.name in keys[name] for column in term.find_all(exp.Column))]
            found.setdefault(name, []).append(exp.and_(*decided) if decided else None)


def _of_branch(term: exp.Expr, union: Scope, branch: Scope) -> exp.Expr:
    """The term about a union in the columns of one of its branches, which have their places and not their names."""
    names = dict(zip(_result_columns(union), _result_columns(branch), strict=True))

    def renamed(node: exp.Expr) -> exp.Expr:
        return exp.column(names[node.name], quoted=True) if isinstance(node, exp.Column) else node

    return term.transform(renamed)


def _result_columns(scope: Scope) -> list[str]:
    return scope.expression.named_selects if isinstance(scope.expression, exp.Query) else []


def _terms(condition: exp.Expr | None) -> list[exp.Expr]:
    """Yields the conditions that must all hold, without those that vary or query other tables."""
    terms = list(exp.and_(condition, exp.true(), wrap=False).flatten()) if condition else []
    return [term for term in terms if term.find(exp.Column) and not term.find(exp.Query, exp.Rand)]


def _tables_of(term: exp.Expr) -> set[str]:
    return {column.table for column in term.find_all(exp.Column)}


def _about(alias: str, terms: Sequence[exp.Expr], equalities: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Returns the terms in columns of one source: those of others in columns that are equal to theirs."""
    equal: dict[tuple[str, str], exp.Column] = {}
    for equality in equalities:
        left, right = equality.this, equality.args.get("expression")
        if isinstance(equality, exp.EQ) and isinstance(left, exp.Column) and isinstance(right, exp.Column):
            equal |= {
                (one.table, one.name): other for one, other in ((left, right), (right, left)) if other.table == alias
            }

    def is_about(term: exp.Expr) -> bool:
        columns = list(term.find_all(exp.Column))
        return bool(columns) and all(each.table == alias or (each.table, each.name) in equal for each in columns)

    def rewritten(node: exp.Expr) -> exp.Expr:
        return equal[node.table, node.name].copy() if isinstance(node, exp.Column) and node.table != alias else node

    return [term.transform(rewritten) for term in terms if is_about(term)]


def _pushed_down(terms: Sequence[exp.Expr], select: exp.Select) -> list[exp.Expr]:
    """Returns those terms that may be asked before the query is done, in the columns that it selects from."""
    if not terms or select.args.get("limit") or select.args.get("offset"):
        return []
    projections = {projection.alias_or_name: projection.unalias() for projection in select.selects}
    group = select.args.get("group")
    needed = [group.expressions] if group else []
    needed += [
        window.args.get("partition_by") or [] for window in select.find_all(exp.Window) if _is_of(window, select)
    ]

    def may_be_asked(term: exp.Expr) -> bool:
        found = [projections.get(column.name) for column in term.find_all(exp.Column)]
        return all(
            each
            and not each.find(exp.AggFunc, exp.Window, exp.Query, exp.Rand)
            and all(each in expressions for expressions in needed)
            for each in found
        )

    def replaced(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        projection = projections[node.name].copy()
        return projection if isinstance(projection, exp.Column) else exp.Paren(this=projection)

    return [term.transform(replaced) for term in terms if may_be_asked(term)]


def _is_of(window: exp.Expr, select: exp.Select) -> bool:
    return window.find_ancestor(exp.Select) is select


def _without_table(node: exp.Expr) -> exp.Expr:
    return exp.column(node.name, quoted=True) if isinstance(node, exp.Column) else node


def joda_to_strftime(pattern: str) -> str:
    """Returns a pattern of Joda-Time, as `format_datetime` takes it, in the letters of strftime.

    Raises:
        UnsupportedSqlError: A letter has no counterpart.
    """
    return "".join(_joda_tokens(pattern))


def _joda_tokens(pattern: str) -> Iterator[str]:
    for match in _JODA_TOKEN.finditer(pattern):
        if letters := match["letters"]:
            if letters not in _JODA:
                known = ", ".join(_JODA)
                raise UnsupportedSqlError(f"NOT_SUPPORTED: date pattern '{letters}'; known are {known}.")
            yield _JODA[letters]
        else:
            text = match["other"] or match["quoted"].replace("''", "'") or "'"
            yield text.replace("%", "%%")


def _syntax_error(error: SqlglotError) -> UnsupportedSqlError:
    """Returns the sentence alone: the lines after it show the place with a terminal's underline."""
    return UnsupportedSqlError(f"SYNTAX_ERROR: {str(error).splitlines()[0]}")


def _name_unnamed(query: exp.Query) -> None:
    for position, projection in enumerate(query.selects):
        if not isinstance(projection, exp.Alias | exp.Column | exp.Star | exp.Dot):
            projection.replace(exp.alias_(projection.copy(), f"{_UNNAMED}{position}"))


def _check_types(node: exp.Expr) -> None:
    """Refuse what Trino refuses: DuckDB would compare a text with a number or a date by casting it."""
    match node:
        case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
            operands = [node.this, node.expression]
        case exp.In():
            operands = [node.this, *node.expressions]
        case exp.Between():
            operands = [node.this, node.args["low"], node.args["high"]]
        case exp.DPipe():
            operands = [node.this, node.expression, exp.cast(exp.null(), "varchar")]
        case _:
            return
    kinds = {kind: operand for operand in operands if (kind := _kind(operand))}
    if len(kinds) > 1:
        found = " and ".join(sorted(kinds))
        raise UnsupportedSqlError(
            f"TYPE_MISMATCH: {found} in '{node.sql(dialect='athena')}'; Athena never casts by itself."
        )


def _kind(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Any | exp.All):
        return None
    families = {
        "varchar": exp.DataType.TEXT_TYPES,
        "number": exp.DataType.NUMERIC_TYPES,
        "date or timestamp": exp.DataType.TEMPORAL_TYPES,
        "boolean": {exp.DataType.Type.BOOLEAN},
    }
    return next((kind for kind, types in families.items() if node.is_type(*types)), None)


def _replace(node: exp.Expr, rewritten: exp.Expr) -> None:
    if rewritten is not node:
        if rewritten.type is None:
            rewritten.type = node.type
        node.replace(rewritten)


def _rewrite(node: exp.Expr) -> exp.Expr:  # noqa: C901, PLR0911, PLR0912 - a table of differences, one line each
    match node:
        case exp.Div():
            return _decimal_division(node)
        case exp.DateTrunc() | exp.TimestampTrunc() | exp.DateAdd() | exp.DateSub() if _is_date(node.this):
            return exp.cast(node, "date")
        case exp.Add() | exp.Sub() if _is_date(node.this) and isinstance(node.expression, exp.Interval):
            return exp.cast(node, "date")
        case exp.DateDiff():
            # Trino counts whole units, DuckDB's function of the same name the boundaries crossed.
            unit = exp.Literal.string(node.text("unit") or "day")
            start, end = (exp.cast(side, "timestamp") for side in (node.expression, node.this))
            return exp.Anonymous(this="DATE_SUB", expressions=[unit, start, end])
        case exp.AtTimeZone():
            return _at_timezone(node.this, node.args["zone"])
        case exp.Extract() if node.name.upper() in {"DOW", "DAY_OF_WEEK", "DAYOFWEEK"}:
            # Monday is 1 in Trino, Sunday is 0 in DuckDB.
            return exp.Anonymous(this="ISODOW", expressions=[node.expression])
        case exp.TimeToStr() | exp.StrToTime():
            # sqlglot leaves MySQL's week of the ISO year as it is.
            node.args["format"].set("this", node.text("format").replace("%v", "%V"))
            return node
        case exp.ParseDatetime():
            return _strptime(node.this, node.args["format"])
        case exp.Normalize():
            form = exp.Literal.string(node.text("form") or "NFC")
            return exp.Anonymous(this=NORMALIZE, expressions=[form, node.this])
        case exp.Format():
            return _printf(node.this, node.expressions)
        case exp.RegexpExtract():
            # DuckDB returns '' without a match.
            return exp.Case().when(exp.RegexpLike(this=node.this.copy(), expression=node.expression.copy()), node)
        case exp.ApproxQuantile():
            return exp.Anonymous(this="APPROX_QUANTILE", expressions=[node.this, node.args["quantile"]])
        case exp.Cast() if _is_text(node.to) and node.this.is_type("timestamp") and _is_column(node.this):
            # Timestamps of a Hive table have milliseconds, and Trino prints them all.
            return exp.TimeToStr(this=node.this, format=exp.Literal.string("%Y-%m-%d %H:%M:%S.%g"))
        case exp.RegexpReplace() if isinstance(replacement := node.args.get("replacement"), exp.Literal):
            # Groups are $1 in Trino, \\1 in DuckDB.
            replacement.set("this", re.sub(r"\$(\d)", r"\\\1", replacement.name))
            return node
        case exp.SplitPart():
            # Beyond the last part Trino answers NULL, DuckDB ''.
            parts = exp.Anonymous(this="STR_SPLIT", expressions=[node.this, node.args["delimiter"]])
            return exp.Anonymous(this="LIST_EXTRACT", expressions=[parts, node.args["part_index"]])
        case exp.ArraySlice():
            return _array_slice(node)
        case exp.CountIf():
            # Over no rows, or only NULL, DuckDB returns NULL.
            return exp.Count(this=exp.Case().when(node.this, exp.Literal.number(1)))
        case exp.ArgMax() | exp.ArgMin():
            # DuckDB leaves rows out whose value is NULL.
            function = "ARG_MAX_NULL" if isinstance(node, exp.ArgMax) else "ARG_MIN_NULL"
            return exp.Anonymous(this=function, expressions=[node.this, node.expression])
        case exp.Unnest() if len(node.expressions) > 1:
            return _unnest_side_by_side(node)
        case exp.GenerateSeries() if _is_date(node.args["start"]):
            return exp.cast(node, "array<date>", dialect="athena")
        case exp.Anonymous():
            return _rewrite_function(node)
    return node


def _rewrite_function(node: exp.Anonymous) -> exp.Expr:
    match node.name.lower(), node.expressions:
        case "at_timezone", [time, zone]:
            return _at_timezone(time, zone)
        case "format_datetime", [time, pattern]:
            return exp.Anonymous(this="STRFTIME", expressions=[time, _strftime_pattern(pattern)])
        case "any_match", [array, predicate]:
            return exp.GT(this=_matches(array, predicate), expression=exp.Literal.number(0))
        case "none_match", [array, predicate]:
            return exp.EQ(this=_matches(array, predicate), expression=exp.Literal.number(0))
        case "all_match", [array, predicate]:
            length = exp.Anonymous(this="LEN", expressions=[array.copy()])
            return exp.EQ(this=_matches(array, predicate), expression=length)
    return node


def _array_slice(node: exp.ArraySlice) -> exp.Expr:
    """Trino's third argument is a length, DuckDB's the last position."""
    start, length = node.args["start"], node.args["end"]
    last = exp.Sub(this=exp.Add(this=start.copy(), expression=length), expression=exp.Literal.number(1))
    return exp.Anonymous(this="LIST_SLICE", expressions=[node.this, start, last])


def _unnest_side_by_side(node: exp.Unnest) -> exp.Expr:
    """DuckDB unnests one array in FROM, but several in SELECT; the shorter ones are filled up with NULL there too."""
    alias = node.args["alias"].copy()
    arrays = [exp.Anonymous(this="UNNEST", expressions=[array]) for array in node.expressions]
    offset = node.args.get("offset")
    if offset:
        lengths = [exp.Anonymous(this="LEN", expressions=[array.copy()]) for array in node.expressions]
        longest = exp.Anonymous(this="GREATEST", expressions=lengths)
        numbers = exp.Anonymous(this="GENERATE_SERIES", expressions=[exp.Literal.number(1), longest])
        arrays.append(exp.Anonymous(this="UNNEST", expressions=[numbers]))
        if isinstance(offset, exp.Identifier):
            alias.append("columns", offset.copy())
    return exp.Lateral(this=exp.select(*arrays).subquery(), alias=alias)


def _matches(array: exp.Expr, predicate: exp.Expr) -> exp.Expr:
    filtered = exp.Anonymous(this="LIST_FILTER", expressions=[array, predicate])
    return exp.Anonymous(this="LEN", expressions=[filtered])


def _at_timezone(time: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """Returns the wall clock of that zone. DuckDB keeps no zone beside an instant, so it is lost in the result."""
    return exp.Anonymous(this="TIMEZONE", expressions=[zone, exp.cast(time, "timestamptz")])


def _strptime(text: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="STRPTIME", expressions=[text, _strftime_pattern(pattern)])


def _strftime_pattern(pattern: exp.Expr) -> exp.Expr:
    if not isinstance(pattern, exp.Literal):
        raise UnsupportedSqlError("NOT_SUPPORTED: a date pattern must be a constant text.")
    return exp.Literal.string(joda_to_strftime(pattern.name))


def _printf(pattern: exp.Expr, values: list[exp.Expr]) -> exp.Expr:
    """`format` takes any value for %s; DuckDB's printf insists on the exact type."""
    conversions = [c for c in _FORMAT_SPECIFIER.findall(pattern.name) if c != "%"]
    typed = [
        exp.cast(value, _FORMAT_TYPES[conversion.lower()]) if conversion.lower() in _FORMAT_TYPES else value
        for value, conversion in zip(values, conversions, strict=False)
    ]
    return exp.Anonymous(this="PRINTF", expressions=[pattern, *typed, *values[len(typed) :]])


def _decimal_division(node: exp.Div) -> exp.Expr:
    """Trino rounds the quotient of decimals to the larger of their scales: 100.0 * 1 / 3 is 33.3."""
    scale = _decimal_scale(node)
    if scale is None or not (_is_decimal(node.this) or _is_decimal(node.expression)):
        return node
    quotient = exp.Div(this=exp.cast(node.this, "double"), expression=exp.cast(node.expression, "double"))
    return exp.cast(exp.Round(this=quotient, decimals=exp.Literal.number(scale)), f"decimal(38, {scale})")


def _is_decimal(node: exp.Expr) -> bool:
    return _decimal_scale(node) is not None and not node.is_type(*exp.DataType.INTEGER_TYPES)


def _decimal_scale(node: exp.Expr) -> int | None:
    """Digits behind the point of an exact number by Trino's rules; None for any other value."""
    match node:
        case exp.Paren() | exp.Neg() | exp.Sum() | exp.Max() | exp.Min() | exp.Abs():
            return _decimal_scale(node.this)
        case exp.Literal() if not node.is_string:
            text = node.name.lower()
            return None if "e" in text else len(text.partition(".")[2])
        case exp.Cast() if node.to.is_type("decimal"):
            return int(node.to.expressions[1].name) if len(node.to.expressions) > 1 else 0
        case exp.Mul() | exp.Div() | exp.Add() | exp.Sub():
            left, right = _decimal_scale(node.this), _decimal_scale(node.expression)
            if left is None or right is None:
                return None
            return left + right if isinstance(node, exp.Mul) else max(left, right)
    return 0 if node.is_type(*exp.DataType.INTEGER_TYPES) else None


def _is_date(node: exp.Expr) -> bool:
    return node.is_type("date")


def _is_text(type_: exp.DataType) -> bool:
    return type_.is_type(*exp.DataType.TEXT_TYPES)


def _is_column(node: exp.Expr) -> bool:
    return node.find(exp.Column) is not None
