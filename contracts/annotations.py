"""What type annotations are made of."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin


def bare(hint: Any) -> Any:
    """The type within `Annotated`."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union; of any other type, itself."""
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


def class_of(hint: Any) -> Any:
    """The class of a generic type with its arguments; of any other type, itself."""
    return get_origin(hint) or hint
