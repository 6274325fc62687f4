"""The report of a week."""

from analytics.report.page import Contents, page, playlists

__all__ = ["Contents", "page", "playlists"]
