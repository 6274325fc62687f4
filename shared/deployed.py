"""Finds the deployed tables, which may be fewer than the declared ones: services come and go independently."""

from typing import TYPE_CHECKING

from contracts.tables import TABLES

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def deployed_tables(ssm: "SSMClient", environment: str) -> tuple[str, ...]:
    """Returns the deployed tables: the stack of each has a parameter `/earworm/<environment>/tables/<table>`.

    Args:
        ssm: The client.
        environment: Its name, such as `dev`.
    """
    # Without a trailing slash, as in the policies: IAM compares the path literally.
    path = f"/earworm/{environment}/tables"
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    found = {parameter["Name"].removeprefix(f"{path}/") for page in pages for parameter in page["Parameters"]}
    return tuple(table for table in TABLES if table in found)
