from typing import Annotated

from pydantic import Field

from shared.settings import Settings


class ReportSettings(Settings):
    """The settings of the report.

    Attributes:
        earworm_env: The environment, such as `dev`.
        athena_database: Where the tables are.
        athena_workgroup: The workgroup of the queries.
        pages_topic_arn: The topic that a link to the page is sent to.
        link_hours: How long the link is valid, 12 hours at most; 0 sends none.
    """

    earworm_env: str
    athena_database: str
    athena_workgroup: str
    pages_topic_arn: str
    link_hours: Annotated[int, Field(ge=0, le=12)]
