from collections.abc import Callable
from typing import Any

import pytest

from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES, Table
from infra.deploying.stacks import CATALOG, COMPONENTS
from shared.lake import table_prefix


@pytest.mark.parametrize("table", [*TABLES.values(), *OPERATIONS.values()], ids=lambda table: table.name)
def test_the_catalog_has_the_contract(table: Table[Any], expanded: Callable[[str], dict[str, Any]]) -> None:
    declared = _tables(expanded(CATALOG))[table.name]
    storage = declared["StorageDescriptor"]

    assert declared["Description"] == table.description
    assert declared["TableType"] == "EXTERNAL_TABLE"
    assert [(c["Name"], c["Type"]) for c in storage["Columns"]] == [(c.name, c.glue_type) for c in columns(table.row)]
    assert [(key["Name"], key["Type"]) for key in declared["PartitionKeys"]] == [
        (key, "string") for key in table.partition_keys
    ]
    assert not {c["Name"] for c in storage["Columns"]} & set(table.partition_keys)
    assert storage["Location"]["Fn::Sub"].endswith(f"/{table_prefix(table)}")
    assert declared["Parameters"]["classification"] == ("parquet" if table.name in TABLES else "json")


@pytest.mark.parametrize("component", COMPONENTS)
def test_no_table_projects_its_partitions(component: str, expanded: Callable[[str], dict[str, Any]]) -> None:
    for table in _tables(expanded(component)).values():
        assert not any(name.startswith(("projection.", "storage.")) for name in table["Parameters"])


@pytest.mark.parametrize("component", sorted({*COMPONENTS} - {CATALOG}))
def test_tables_that_are_no_views_are_declared_apart_from_who_writes_them(
    component: str, expanded: Callable[[str], dict[str, Any]]
) -> None:
    assert {table["TableType"] for table in _tables(expanded(component)).values()} <= {"VIRTUAL_VIEW"}


def _tables(template: dict[str, Any]) -> dict[str, Any]:
    inputs = [
        resource["Properties"]["TableInput"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Glue::Table"
    ]
    return {each["Name"]: each for each in inputs}
