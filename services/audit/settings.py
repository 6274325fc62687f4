from typing import Annotated

from pydantic import Field

from shared.settings import Settings


class AuditSettings(Settings):
    """The settings of the audit.

    Attributes:
        earworm_env: The environment, such as `dev`.
        grace_minutes: How long a raw snapshot may take to be in every table before its absence is a gap.
        glue_database: The database of the catalog that has the tables.
    """

    earworm_env: str
    glue_database: str
    grace_minutes: Annotated[int, Field(ge=0)]
