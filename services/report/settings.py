from typing import Annotated

from pydantic import Field

from shared.settings import Settings


class ReportSettings(Settings):
    """What the report needs to know.

    Attributes:
        earworm_env: The environment, `dev` or `prod`.
        athena_database: Where the tables are.
        athena_workgroup: Where queries run and their results go.
        alarm_topic_arn: The topic that a link to the page goes to.
        link_hours: How long the link is to work, 12 hours at most; with 0 there is none.
        spotify_simulator_url: The simulator that snapshots are taken of; empty if they are Spotify's.
    """

    earworm_env: str
    athena_database: str
    athena_workgroup: str
    alarm_topic_arn: str
    link_hours: Annotated[int, Field(ge=0, le=12)]
    spotify_simulator_url: str = ""
