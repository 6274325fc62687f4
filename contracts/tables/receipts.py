from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter
from pydantic_core import from_json

from contracts.fields import Count, JsonText, Ordinal, Text
from contracts.tables.table import Row, Table


class Receipt(Row):
    """States that a table is complete for a snapshot: entries = rows + rejected + skipped_entries."""

    table_name: Annotated[Text, Field(description="Table that is complete for the snapshot")]
    entries: Annotated[Count, Field(description="Candidates in the table's grain")]
    rows: Annotated[Count, Field(description="Rows written")]
    rejected: Annotated[Count, Field(description="Rows that broke the contract, in rejected_rows")]
    refused_values: Annotated[
        Count | None,
        Field(description="Values that rows are kept without, in rejected_values; null in old receipts"),
    ]
    skipped_entries: Annotated[Count, Field(description="Candidates that do not belong in the table")]
    skipped: Annotated[JsonText, Field(description="The skipped counted by rule, a JSON object")]
    gaps: Annotated[
        JsonText | None,
        Field(description="Ranks without a row up to the last one, a JSON list; null for a table without ranks"),
    ]
    shares: Annotated[
        JsonText | None,
        Field(description="Shares that the contract watches, a JSON object; null for none and in old receipts"),
    ]
    raw_key: Annotated[Text, Field(description="S3 key of the raw snapshot")]
    raw_etag: Annotated[Text, Field(description="ETag of the raw snapshot that was read")]
    raw_version_id: Annotated[Text | None, Field(description="S3 version of the raw snapshot that was read")]
    parquet_key: Annotated[Text, Field(description="S3 key of the rows")]
    parquet_etag: Annotated[Text | None, Field(description="ETag of the rows' object; null in old receipts")]
    parquet_bytes: Annotated[Count | None, Field(description="Size of the rows' object; null in old receipts")]
    quarantine_key: Annotated[Text | None, Field(description="S3 key of the rejected rows; null if there are none")]
    quarantine_etag: Annotated[Text | None, Field(description="ETag of the rejected rows' object")]
    quarantine_bytes: Annotated[Count | None, Field(description="Size of the rejected rows' object")]
    refused_values_key: Annotated[Text | None, Field(description="S3 key of the refused values; null for none")]
    refused_values_etag: Annotated[Text | None, Field(description="ETag of the refused values' object")]
    refused_values_bytes: Annotated[Count | None, Field(description="Size of the refused values' object")]
    service_version: Annotated[Text, Field(description="Version of the service that wrote them")]
    contract_version: Annotated[Ordinal, Field(description="Version of the table's contract")]


RECEIPTS = Table(
    name="receipts",
    row=Receipt,
    key=("table_name", "playlist_id", "snapshot_date"),
    version=1,
    description="One row for each table that is complete for a snapshot",
    kind=None,
)

_LATER = (
    "refused_values",
    "gaps",
    "shares",
    "parquet_etag",
    "parquet_bytes",
    "quarantine_key",
    "quarantine_etag",
    "quarantine_bytes",
    "refused_values_key",
    "refused_values_etag",
    "refused_values_bytes",
)
"""Columns that older receipts lack."""


def read_receipt(body: bytes) -> Receipt:
    """Reads a receipt; a column that it lacks is None.

    Raises:
        ValueError: It is not a receipt.
    """
    content = from_json(body)
    columns = {**dict.fromkeys(_LATER), **content} if isinstance(content, dict) else content
    of_receipts, of_gaps, of_shares = _adapters()
    receipt = of_receipts.validate_python(columns)
    of_gaps.validate_json(receipt["gaps"] or "[]", strict=True)
    of_shares.validate_json(receipt["shares"] or "{}", strict=True)
    return receipt


@cache
def _adapters() -> tuple[TypeAdapter[Receipt], TypeAdapter[list[int]], TypeAdapter[dict[str, float]]]:
    """Returns what reads a receipt, and what reads its columns of JSON of which others calculate."""
    return TypeAdapter(Receipt), TypeAdapter(list[int]), TypeAdapter(dict[str, float])
