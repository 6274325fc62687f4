from typing import Annotated

from pydantic import Field

from contracts.fields import Text
from contracts.tables.rejection import Rejection
from contracts.tables.table import Table


class RejectedValue(Rejection):
    """A value that its column refused, with the reason; its row is kept without it."""

    column_name: Annotated[Text, Field(description="Column that is null in the row instead")]
    value_json: Annotated[Text, Field(description="The value as JSON")]


REJECTED_VALUES = Table(
    name="rejected_values",
    row=RejectedValue,
    key=("table_name", "playlist_id", "snapshot_date", "location", "column_name"),
    version=1,
    description="One row for each value that its column refused",
    kind=None,
)
