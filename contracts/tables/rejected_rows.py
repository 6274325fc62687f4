from typing import Annotated

from pydantic import Field

from contracts.fields import Text
from contracts.tables.table import Row, Table


class RejectedRow(Row):
    """A row that broke its contract, with why."""

    table_name: Annotated[Text, Field(description="Table that it was meant for")]
    location: Annotated[Text, Field(description="JSON path of the entry in the raw snapshot")]
    reason: Annotated[Text, Field(description="Each broken column with what is wrong, by semicolons")]
    row_json: Annotated[Text, Field(description="The row as JSON as far as it was made, or what stood there instead")]
    raw_key: Annotated[Text, Field(description="S3 key of the raw snapshot")]
    raw_etag: Annotated[Text, Field(description="ETag of the raw snapshot that was read")]
    service_version: Annotated[Text, Field(description="Version of the service that rejected it")]


REJECTED_ROWS = Table(
    name="rejected_rows",
    row=RejectedRow,
    key=("table_name", "playlist_id", "snapshot_date", "location"),
    version=1,
    description="One row for each row that broke its contract",
    kind=None,
)
