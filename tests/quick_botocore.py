"""Makes sessions and clients of botocore quicker: each mocked AWS, and each command, makes new ones.

What is kept depends on nothing but the versions of the libraries.
"""

from functools import cache, lru_cache
from typing import Any

from botocore import hooks, httpsession, regions
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from botocore.loaders import Loader


def quicken() -> None:
    _read_models_once(Loader)
    _make_models_once(ClientCreator)
    _make_methods_once(ClientCreator)
    _find_aliases_once(EventAliaser)
    _look_at_handlers_once(hooks)
    _read_endpoints_once(regions)
    httpsession.create_urllib3_context = cache(httpsession.create_urllib3_context)


def _read_models_once(loaders: Any) -> None:
    models: dict[Any, Any] = {}
    begin = loaders.__init__

    def begin_with_what_is_loaded(loader: Any, *arguments: Any, **options: Any) -> None:
        begin(loader, *arguments, **options)
        if type(loader) is loaders:  # moto's own loader alters what it loads
            loader._cache = models

    loaders.__init__ = begin_with_what_is_loaded


def _make_models_once(creators: Any) -> None:
    kept: dict[str, Any] = {}
    load = creators._load_service_model

    def model(creator: Any, service_name: str, api_version: str | None = None) -> Any:
        if service_name not in kept:
            kept[service_name] = load(creator, service_name, api_version)
        return kept[service_name]

    creators._load_service_model = model


def _make_methods_once(creators: Any) -> None:
    kept: dict[str, dict[str, Any]] = {}
    create = creators._create_methods

    def methods(creator: Any, service_model: Any) -> dict[str, Any]:
        name = service_model.service_name
        if name not in kept:
            kept[name] = create(creator, service_model)
        return dict(kept[name])

    creators._create_methods = methods


def _find_aliases_once(aliasers: Any) -> None:
    aliases: dict[str, str] = {}
    find = aliasers._alias_event_name

    def alias(aliaser: Any, event_name: str) -> str:
        if event_name not in aliases:
            aliases[event_name] = find(aliaser, event_name)
        return aliases[event_name]

    aliasers._alias_event_name = alias


def _look_at_handlers_once(of_hooks: Any) -> None:
    look = lru_cache(1000)(of_hooks.accepts_kwargs)
    of_hooks.accepts_kwargs = lambda handler: look(getattr(handler, "__func__", handler))


def _read_endpoints_once(of_regions: Any) -> None:
    kept: dict[int, tuple[Any, Any]] = {}
    make = of_regions.EndpointProvider

    def provider(ruleset_data: Any, **further: Any) -> Any:
        """There is one of each service's rules, which are kept with it lest others come to their place in memory."""
        if id(ruleset_data) not in kept:
            kept[id(ruleset_data)] = ruleset_data, make(ruleset_data, **further)
        return kept[id(ruleset_data)][1]

    of_regions.EndpointProvider = provider
