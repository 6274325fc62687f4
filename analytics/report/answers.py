"""What the lake answers to the questions of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
"""A row of a query by column."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The rows that answer the questions of a week, by the names of their queries.

    Attributes:
        made_on: The day of the report.
        monday: The first day of the week.
        last_day: The last day that was asked for; before the week's Sunday, the week is not over.
        place: The environment and the cloud, for a person.
        lists: The answer of `lists_of_the_week`.
        entries: The answer of `week_on_the_lists`.
        labels: The answer of `track_labels`.
        stays: The answer of `time_on_list`.
        genres: The answer of `genre_momentum`.
        sound: The answer of `sound_momentum`.
        watch_list: The answer of `watch_list`.
        absent: Tables that are not deployed, so that they have nothing new.
    """

    made_on: date
    monday: date
    last_day: date
    place: str
    lists: Sequence[Row] = ()
    entries: Sequence[Row] = ()
    labels: Sequence[Row] = ()
    stays: Sequence[Row] = ()
    genres: Sequence[Row] = ()
    sound: Sequence[Row] = ()
    watch_list: Sequence[Row] = ()
    absent: Sequence[str] = ()
