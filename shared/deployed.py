"""Which tables are deployed. Declared are more: services come and go while the others work."""

from typing import TYPE_CHECKING

from contracts.tables import TABLES

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def deployed_tables(ssm: "SSMClient", environment: str) -> tuple[str, ...]:
    """The tables that are deployed: the stack of each has a parameter `/earworm/<environment>/tables/<table>`.

    Args:
        ssm: Where the parameters are.
        environment: `dev` or `prod`.
    """
    # Without a slash at its end, for IAM judges it as it is written, and the policies name it so.
    path = f"/earworm/{environment}/tables"
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    found = {parameter["Name"].removeprefix(f"{path}/") for page in pages for parameter in page["Parameters"]}
    return tuple(table for table in TABLES if table in found)
