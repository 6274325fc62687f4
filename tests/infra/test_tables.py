from collections.abc import Callable
from typing import Any

import pytest

from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES, Table
from infra.deploying.stacks import PLATFORM
from shared.lake import KINDS, table_prefix

EVERY_TABLE = pytest.mark.parametrize("table", [*TABLES.values(), *OPERATIONS.values()], ids=lambda table: table.name)


@EVERY_TABLE
def test_the_catalog_has_the_contract_and_finds_partitions_itself(
    table: Table[Any], expanded: Callable[[str], dict[str, Any]]
) -> None:
    declared = _table_input(expanded(table.name if table.name in TABLES else PLATFORM), table.name)
    storage, parameters = declared["StorageDescriptor"], declared["Parameters"]

    assert declared["Description"] == table.description
    assert declared["TableType"] == "EXTERNAL_TABLE"
    assert [(c["Name"], c["Type"]) for c in storage["Columns"]] == [(c.name, c.glue_type) for c in columns(table.row)]
    assert [(key["Name"], key["Type"]) for key in declared["PartitionKeys"]] == [
        (key, "string") for key in table.partition_keys
    ]
    assert not {c["Name"] for c in storage["Columns"]} & set(table.partition_keys)
    assert storage["Location"]["Fn::Sub"].endswith(f"/{table_prefix(table)}")
    assert parameters["storage.location.template"]["Fn::Sub"] == (
        storage["Location"]["Fn::Sub"]
        + ("" if table.kind else "${!kind}/")
        + "year=${!year}/month=${!month}/day=${!day}"
    )
    assert parameters["classification"] == ("parquet" if table.name in TABLES else "json")


@EVERY_TABLE
def test_partitions_are_projected_over_the_years_to_come(
    table: Table[Any], expanded: Callable[[str], dict[str, Any]]
) -> None:
    parameters = _table_input(expanded(table.name if table.name in TABLES else PLATFORM), table.name)["Parameters"]

    assert {name: value for name, value in parameters.items() if name.startswith("projection.")} == {
        "projection.enabled": "true",
        "projection.year.type": "integer",
        "projection.year.range": "2006,2035",
        "projection.month.type": "integer",
        "projection.month.range": "1,12",
        "projection.month.digits": "2",
        "projection.day.type": "integer",
        "projection.day.range": "1,31",
        "projection.day.digits": "2",
        **(
            {}
            if table.kind
            else {
                "projection.kind.type": "enum",
                "projection.kind.values": ",".join(kind.folder for kind in KINDS.values()),
            }
        ),
    }


def _table_input(template: dict[str, Any], name: str) -> dict[str, Any]:
    inputs = [
        resource["Properties"]["TableInput"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Glue::Table"
    ]
    (declared,) = (each for each in inputs if each["Name"] == name)
    return dict(declared)
