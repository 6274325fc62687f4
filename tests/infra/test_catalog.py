"""A template declares tables as Glue takes them."""

from base64 import b64decode
from typing import Any

import pytest

from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES, Table
from infra.catalog import declared_tables
from infra.deploying.stacks import ANALYTICS, CATALOG, template
from shared.lake import table_prefix

VALUES = {"Environment": "dev", "Bucket": "lake"}
DECLARED = {
    name: table
    for component in (CATALOG, ANALYTICS)
    for name, table in declared_tables(template(component).read_text(), VALUES).items()
}


@pytest.mark.parametrize("table", [*TABLES.values(), *OPERATIONS.values()], ids=lambda table: table.name)
def test_a_table_is_declared_as_its_contract_has_it(table: Table[Any]) -> None:
    declared = DECLARED[table.name]

    storage, parameters = declared["StorageDescriptor"], declared["Parameters"]
    assert [(each["Name"], each["Type"]) for each in storage["Columns"]] == [
        (column.name, column.glue_type) for column in columns(table.row)
    ]
    assert storage["Location"].startswith("s3://lake/")
    assert storage["Location"] == f"s3://lake/{table_prefix(table)}"
    assert [(key["Name"], key["Type"]) for key in declared["PartitionKeys"]] == [
        (key, "string") for key in table.partition_keys
    ]
    assert not any("projection" in name for name in parameters)


def test_a_view_is_declared_as_athena_writes_it() -> None:
    text = DECLARED["weekly_chart"]["ViewOriginalText"]

    assert '"schema":"earworm_dev"' in b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")).decode()


def test_a_value_that_nobody_knows_is_named() -> None:
    with pytest.raises(KeyError, match="Bucket"):
        declared_tables(template(CATALOG).read_text(), {"Environment": "dev"})
