"""Takes type annotations apart."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin


def bare(hint: Any) -> Any:
    """Returns the type within `Annotated`."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Returns the members of a union, or the type itself if it is no union."""
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


def class_of(hint: Any) -> Any:
    """Returns the class of a parametrized generic type, or the type itself if it has no arguments."""
    return get_origin(hint) or hint
