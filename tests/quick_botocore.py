"""Makes sessions and clients of botocore quicker: each mocked AWS, and each command, makes new ones.

What is kept depends on nothing but the versions of the libraries.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from botocore import hooks
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from botocore.loaders import Loader

_models: dict[Any, Any] = {}
_begin = Loader.__init__
_alias = EventAliaser._alias_event_name
_aliases: dict[str, str] = {}
_methods_of = ClientCreator._create_methods
_methods: dict[str, dict[str, Callable[..., Any]]] = {}


def _begin_with_what_is_loaded(loader: Loader, *arguments: Any, **options: Any) -> None:
    """Reads no model twice, but for moto's own loader, which alters what it loads."""
    _begin(loader, *arguments, **options)
    if type(loader) is Loader:
        loader._cache = _models  # type: ignore[attr-defined]


def _known_alias(aliaser: EventAliaser, event_name: str) -> str:
    if event_name not in _aliases:
        _aliases[event_name] = _alias(aliaser, event_name)
    return _aliases[event_name]


def _known_methods(creator: ClientCreator, service_model: Any) -> dict[str, Callable[..., Any]]:
    if service_model.service_name not in _methods:
        _methods[service_model.service_name] = _methods_of(creator, service_model)
    return dict(_methods[service_model.service_name])


_accepts_keywords = lru_cache(1000)(hooks.accepts_kwargs)


def quicken() -> None:
    Loader.__init__ = _begin_with_what_is_loaded  # type: ignore[method-assign, assignment]
    EventAliaser._alias_event_name = _known_alias  # type: ignore[method-assign]
    ClientCreator._create_methods = _known_methods  # type: ignore[method-assign]
    hooks.accepts_kwargs = lambda of: _accepts_keywords(getattr(of, "__func__", of))
