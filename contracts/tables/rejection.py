from typing import Annotated

from pydantic import Field

from contracts.fields import Text
from contracts.tables.table import Row


class Rejection(Row):
    """Something that a contract refused: its location, the reason, and the code that refused it."""

    table_name: Annotated[Text, Field(description="Table of the row")]
    location: Annotated[Text, Field(description="JSON path in the raw snapshot that the row was made from")]
    reason: Annotated[Text, Field(description="What is wrong; for a row, each broken column, separated by semicolons")]
    raw_key: Annotated[Text, Field(description="S3 key of the raw snapshot")]
    raw_etag: Annotated[Text, Field(description="ETag of the raw snapshot that was read")]
    service_version: Annotated[Text, Field(description="Version of the service that refused it")]
