"""Compares the Glue catalog with stacks and lake, and creates tables and partitions again as these have them."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contracts.tables import OPERATIONS, TABLES, Table
from infra.catalog import declared_tables
from infra.cli.cloud import CONNECTIONS, Cloud
from infra.cli.screen import ConsoleError
from infra.deploying.stacks import ANALYTICS, CATALOG, stack_name
from shared import objects
from shared.catalog import Catalog
from shared.errors import TransientError
from shared.lake import KINDS, Partition, table_prefix

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableInputTypeDef, TableTypeDef
    from mypy_boto3_s3 import S3Client


def altered_views(cloud: Cloud) -> dict[str, str]:
    """Returns the views that are missing from the catalog or differ from their deployment, each with what is wrong."""
    declared = declared_by(cloud, ANALYTICS)
    if not declared:
        return {}
    found = {name: table.get("ViewOriginalText") for name, table in _found(cloud).items()}
    return {
        name: "the view in the catalog differs" if name in found else "the view is missing from the catalog"
        for name, view in declared.items()
        if found.get(name) != view.get("ViewOriginalText")
    }


def mend(cloud: Cloud, names: Iterable[str]) -> list[str]:
    """Creates tables and views again as the deployed stacks declare them.

    Returns:
        The names that were created; no deployed stack declares the others.
    """
    glue, database = cloud.client("glue"), cloud.platform.database
    wanted = set(names)
    declared = {
        name: table
        for component in (CATALOG, ANALYTICS)
        for name, table in declared_by(cloud, component).items()
        if name in wanted
    }
    found = _found(cloud) if declared else {}
    for name, table in declared.items():
        if name in found:
            glue.update_table(DatabaseName=database, TableInput=table)
        else:
            glue.create_table(DatabaseName=database, TableInput=table)
    return list(declared)


def register(cloud: Cloud, names: Iterable[str] = (*TABLES, *OPERATIONS)) -> int:
    """Registers the partitions of tables that the lake has and the catalog lacks or has wrong, and returns how many.

    Raises:
        ConsoleError: A table is missing, or the catalog refuses a partition.
    """
    platform, tables, s3 = cloud.platform, {**TABLES, **OPERATIONS}, cloud.client("s3")
    prefixes = [prefix for name in names if name in tables for prefix in _prefixes(tables[name])]
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        by_prefix = pool.map(lambda prefix: _in_lake(s3, platform.bucket, prefix), prefixes)
        found = [partition for partitions in by_prefix for partition in partitions]
    try:
        return Catalog(cloud.client("glue"), platform.database, platform.bucket).repair(found)
    except TransientError as fault:
        raise ConsoleError(f"The partitions of the lake are not all registered: {fault}.") from None


def _prefixes(table: Table[Any]) -> list[str]:
    prefix = table_prefix(table)
    return [prefix] if table.kind else [f"{prefix}{kind.folder}/" for kind in KINDS.values()]


def _in_lake(s3: "S3Client", bucket: str, prefix: str) -> list[Partition]:
    """Returns the partitions that have objects: three levels of folders, for year, month and day."""
    folders = [prefix]
    for _ in range(3):
        folders = [found for folder in folders for found in objects.folders(s3, bucket, folder)]
    return [partition for folder in folders if (partition := Partition.of(folder))]


def declared_by(cloud: Cloud, component: str) -> "Mapping[str, TableInputTypeDef]":
    """Returns the tables and views that a component's deployed stack declares; none if it is not deployed.

    Raises:
        ConsoleError: The template is of another version than this console.
    """
    if (template := _deployed_template(cloud, component)) is None:
        return {}
    platform = cloud.platform
    values = {"Environment": cloud.environment, "Bucket": platform.bucket, "Database": platform.database}
    try:
        return declared_tables(template, values)
    except KeyError as name:
        raise ConsoleError(
            f"The deployed template of {component} names {name}, which this console does not know: "
            f"run `{cloud.command(f'deploy {component}')}`."
        ) from None


def owns_tables(cloud: Cloud, component: str) -> bool:
    """Returns whether a component's deployed stack declares a table, in whatever words of whatever version."""
    return "AWS::Glue::Table" in str(_deployed_template(cloud, component))


def _deployed_template(cloud: Cloud, component: str) -> "str | Mapping[str, Any] | None":
    """Returns the template of a component's stack as it was sent; None if it is not deployed."""
    try:
        deployed = cloud.client("cloudformation").get_template(
            StackName=stack_name(cloud.environment, component), TemplateStage="Original"
        )
    except ClientError as fault:
        if "does not exist" not in fault.response["Error"]["Message"]:
            raise
        return None
    return deployed["TemplateBody"]


def _found(cloud: Cloud) -> "dict[str, TableTypeDef]":
    pages = cloud.client("glue").get_paginator("get_tables").paginate(DatabaseName=cloud.platform.database)
    return {table["Name"]: table for page in pages for table in page["TableList"]}
