from typing import Annotated

from pydantic import Field

from contracts.fields import Text
from contracts.tables.rejection import Rejection
from contracts.tables.table import Table


class RejectedRow(Rejection):
    """A row that broke its contract, with the reason."""

    row_json: Annotated[Text, Field(description="The row as JSON as far as it was made, or the value in its place")]


REJECTED_ROWS = Table(
    name="rejected_rows",
    row=RejectedRow,
    key=("table_name", "playlist_id", "snapshot_date", "location"),
    version=1,
    description="One row for each row that broke its contract",
    kind=None,
)
