"""Completes names in the shell."""

from collections.abc import Callable, Iterable


def one_of(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Complete one of these names, which are looked up only when the shell asks."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete
