"""Makes moto's answers quicker: for each call it loads and fills in the URLs of a service, and lists its methods."""

from functools import cache
from typing import Any

from moto.core import responses
from moto.core.base_backend import BaseBackend


def quicken() -> None:
    _find_urls_once(BaseBackend)
    _list_methods_once(responses)


def _find_urls_once(backends: Any) -> None:
    kept: dict[type, Any] = {}
    find = backends.urls.fget

    def urls(backend: Any) -> Any:
        if type(backend) not in kept:
            kept[type(backend)] = find(backend)
        return kept[type(backend)]

    backends.urls = property(urls)


def _list_methods_once(of_responses: Any) -> None:
    of_responses.method_names_from_class = cache(of_responses.method_names_from_class)
