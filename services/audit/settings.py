from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, Json

from shared.settings import Settings


class AuditSettings(Settings):
    """The settings of the audit.

    Attributes:
        alarm_topic_arn: The topic that the letter is sent to.
        earworm_env: The environment, such as `dev`.
        grace_minutes: How long a raw snapshot may take to be in every table before its absence is a gap.
        glue_database: The database of the catalog that has the tables.
        least_shares: The lowest share of a watched column that is not told of, where it is not the contract's.
        most_days_without_snapshot: How old the newest snapshot of a playlist may be.
    """

    alarm_topic_arn: str
    earworm_env: str
    glue_database: str
    grace_minutes: Annotated[int, Field(ge=0)]
    least_shares: Json[Mapping[str, float]]
    most_days_without_snapshot: Annotated[int, Field(ge=1)]
