"""The Lambda functions, each deployed on its own."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.candidates import Candidates


def transform_of(table: str) -> "Callable[[Any], Candidates[Any]]":
    """Returns a table's pure transform: the function `<table>` in `services/<table>/transform.py`.

    Raises:
        ModuleNotFoundError: The table has no service.
    """
    transform: Callable[[Any], Candidates[Any]] = getattr(import_module(f"services.{table}.transform"), table)
    return transform
