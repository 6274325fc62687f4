from collections.abc import Iterator, Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")


def batches(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Yields consecutive parts of some items, each as long as a call takes but for the last."""
    return (items[start : start + size] for start in range(0, len(items), size))
