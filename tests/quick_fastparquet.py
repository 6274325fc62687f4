"""Makes fastparquet quicker: it computes how many rows fit on a page, which takes long, and hundreds always do."""

from typing import Any

from fastparquet import writer


def quicken() -> None:
    _take_few_rows_for_a_page(writer)


def _take_few_rows_for_a_page(of_writer: Any) -> None:
    rows_per_page = of_writer._rows_per_page

    def rows(data: Any, *arguments: Any) -> int:
        """Of so few rows fastparquet would look at all: together they are far from the 500 MB of a page."""
        return len(data) or 1 if len(data) <= 1000 else rows_per_page(data, *arguments)

    of_writer._rows_per_page = rows
