"""Compares the Glue catalog with the deployed stacks, and creates tables again as they declare them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contracts.tables import TABLES
from infra.catalog import declared_tables
from infra.cli.cloud import Cloud
from infra.cli.screen import ConsoleError
from infra.deploying.stacks import ANALYTICS, PLATFORM, stack_name

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableInputTypeDef, TableTypeDef


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
        for component in (PLATFORM, *TABLES, ANALYTICS)
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


def declared_by(cloud: Cloud, component: str) -> "Mapping[str, TableInputTypeDef]":
    """Returns the tables and views that a component's deployed stack declares; none if it is not deployed.

    Raises:
        ConsoleError: The template is of another version than this console.
    """
    try:
        deployed = cloud.client("cloudformation").get_template(
            StackName=stack_name(cloud.environment, component), TemplateStage="Original"
        )
    except ClientError as fault:
        if "does not exist" not in fault.response["Error"]["Message"]:
            raise
        return {}
    platform = cloud.platform
    values = {"Environment": cloud.environment, "Bucket": platform.bucket, "Database": platform.database}
    try:
        return declared_tables(deployed["TemplateBody"], values)
    except KeyError as name:
        raise ConsoleError(
            f"The deployed template of {component} names {name}, which this console does not know: "
            f"run `{cloud.command(f'deploy {component}')}`."
        ) from None


def _found(cloud: Cloud) -> "dict[str, TableTypeDef]":
    pages = cloud.client("glue").get_paginator("get_tables").paginate(DatabaseName=cloud.platform.database)
    return {table["Name"]: table for page in pages for table in page["TableList"]}
