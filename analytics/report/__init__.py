"""The report of a week."""

from analytics.report.answers import Answers
from analytics.report.page import INDEX, report, single_file

__all__ = ["INDEX", "Answers", "report", "single_file"]
