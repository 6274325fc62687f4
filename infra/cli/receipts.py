"""Reads receipts for the console."""

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from contracts.tables.receipts import Receipt, read_receipt
from infra.cli.screen import ConsoleError
from shared import objects
from shared.errors import sentence_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def find_receipt(s3: "S3Client", bucket: str, key: str) -> Receipt | None:
    """Read the receipt at a key; None if there is none.

    Raises:
        ConsoleError: The object is not a receipt.
    """
    found = objects.get(s3, bucket, key)
    if found is None:
        return None
    try:
        return read_receipt(found["Body"].read())
    except ValueError as fault:
        problem = sentence_of(fault) if isinstance(fault, ValidationError) else fault
        raise ConsoleError(
            f"s3://{bucket}/{key} is not a receipt: {problem}. `earworm audit --repair` writes it again."
        ) from None


def skipped_by_rule(receipt: Receipt) -> str:
    """Returns a receipt's skipped entries by rule, such as `2 episode, 1 null_entry`; empty if there are none."""
    try:
        counts = json.loads(receipt["skipped"])
        return ", ".join(f"{count} {rule}" for rule, count in counts.items())
    except (ValueError, AttributeError):
        return receipt["skipped"]
