"""Decides whether an SQL statement only reads.

Athena runs queries as Trino and most of its DDL as Hive. Only words and punctuation matter here, not comments, strings
and quoted names. Trino reserves the words that write, so no query contains them unquoted; UPDATE alone is also refused
as the name of a column.
Sources: https://trino.io/docs/current/language/reserved.html,
https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html
"""

import re
from collections.abc import Sequence
from itertools import dropwhile
from typing import Final

READS: Final = ("SELECT", "WITH", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN")
"""The first words of statements that read."""
_WRITES: Final = frozenset(
    ("ALTER", "CREATE", "DEALLOCATE", "DELETE", "DROP", "EXECUTE", "INSERT", "INTO", "PREPARE", "UPDATE")
)
_TOKENS: Final = re.compile(
    r"(?P<skipped>\s+|--[^\r\n]*|/\*.*?\*/)"
    r"""|(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`)"""
    r"|(?P<word>\w+)|(?P<mark>.)",
    re.DOTALL | re.ASCII,
)


class StatementError(ValueError):
    """The text is not a single readable statement; the message says why."""


def writing_word(sql: str) -> str | None:
    """Returns the word by which a statement writes, or may; None if it only reads.

    Raises:
        StatementError: It is not a statement, or several, or a quote or comment in it does not end.
    """
    tokens = _tokens(sql)
    while tokens and tokens[-1] == ";":
        tokens.pop()
    if ";" in tokens:
        raise StatementError("these are several statements: Athena runs one at a time")
    return _judge(tokens)


def _tokens(sql: str) -> list[str]:
    tokens = []
    for token in _TOKENS.finditer(sql):
        if token["mark"] and (token["mark"] in "'\"`" or sql.startswith("/*", token.start())):
            raise StatementError(f"what begins with {sql[token.start() : token.start() + 20]!r} does not end")
        if not token["skipped"]:
            tokens.append("quoted" if token["quoted"] else token[0].upper())
    return tokens


def _judge(tokens: Sequence[str]) -> str | None:
    match list(dropwhile(lambda mark: mark == "(", tokens)):
        case ["SHOW" | "DESCRIBE" | "DESC", *_]:
            return None
        case ["EXPLAIN", *explained]:
            return _judge(_without_options(explained))
        case [first, *rest] if first in READS:
            return next((token for token in rest if token in _WRITES), None)
        case [first, *_]:
            return first
    raise StatementError("there is no statement in it")


def _without_options(explained: Sequence[str]) -> Sequence[str]:
    """Drops the options of EXPLAIN, whose statement EXPLAIN ANALYZE runs."""
    match explained:
        case ["ANALYZE" | "VERBOSE", *rest]:
            return _without_options(rest)
        case ["(", "FORMAT" | "TYPE", *rest] if ")" in rest:
            return rest[rest.index(")") + 1 :]
    return explained
