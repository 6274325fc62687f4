"""The report of a week."""

from analytics.report.page import Contents, lists_of, page

__all__ = ["Contents", "lists_of", "page"]
