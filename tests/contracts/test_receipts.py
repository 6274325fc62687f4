"""Receipts of every age can be read."""

import json
from typing import Any

import pytest

from contracts.tables.receipts import RECEIPTS, read_receipt
from tests.rows import row_of

RECEIPT: dict[str, Any] = {**row_of(RECEIPTS), "skipped": "{}", "gaps": "[]", "shares": "{}"}
LATER = (
    *("parquet_etag", "parquet_bytes", "quarantine_key", "quarantine_etag", "quarantine_bytes"),
    *("gaps", "shares", "refused_values", "refused_values_key", "refused_values_etag", "refused_values_bytes"),
)


def test_what_a_receipt_was_written_without_is_none() -> None:
    of_old = {name: value for name, value in RECEIPT.items() if name not in LATER}

    assert read_receipt(json.dumps(RECEIPT, default=str).encode()) == RECEIPT
    assert read_receipt(json.dumps(of_old, default=str).encode()) == {**RECEIPT, **dict.fromkeys(LATER)}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff", b'{"rows": "many"}', b"{}\n{}\n", b"null"])
def test_what_is_no_receipt_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_receipt(body)


@pytest.mark.parametrize(
    "column", [{"gaps": "[1, 2"}, {"gaps": '["1"]'}, {"gaps": "{}"}, {"shares": '{"x": '}, {"shares": '{"x": "y"}'}]
)
def test_a_receipt_with_other_json_in_a_column_than_its_description_says_is_refused(column: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_receipt(json.dumps({**RECEIPT, **column}, default=str).encode())
