from typing import Annotated

from pydantic import Field

from contracts.fields import Text
from contracts.tables.table import Row, Table


class RejectedValue(Row):
    """A value that its column refused, with why; its row is kept without it."""

    table_name: Annotated[Text, Field(description="Table of the row")]
    location: Annotated[Text, Field(description="JSON path in the raw snapshot of what the row was made of")]
    column_name: Annotated[Text, Field(description="Column that is null in the row instead")]
    reason: Annotated[Text, Field(description="What is wrong with the value")]
    value_json: Annotated[Text, Field(description="The value as JSON")]
    raw_key: Annotated[Text, Field(description="S3 key of the raw snapshot")]
    raw_etag: Annotated[Text, Field(description="ETag of the raw snapshot that was read")]
    service_version: Annotated[Text, Field(description="Version of the service that refused it")]


REJECTED_VALUES = Table(
    name="rejected_values",
    row=RejectedValue,
    key=("table_name", "playlist_id", "snapshot_date", "location", "column_name"),
    version=1,
    description="One row for each value that its column refused",
    kind=None,
)
