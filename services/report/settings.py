from typing import Annotated, TypeAlias

from pydantic import Field

from analytics.alerts import Thresholds
from shared.settings import Settings

Percent: TypeAlias = Annotated[int, Field(ge=0, le=100)]


class ReportSettings(Settings):
    """The settings of the report.

    Attributes:
        earworm_env: The environment, such as `dev`.
        athena_database: Where the tables are.
        athena_workgroup: The workgroup of the queries.
        pages_topic_arn: The topic that a link to the page is sent to.
        alert_topic_arn: The topic that alerts are sent to.
        alert_move_percent: See `Thresholds`, as of the following.
        spike_climb_percent: See there.
        spike_growth_percent: See there.
        spike_lists: See there.
        link_hours: How long the link is valid, 12 hours at most; 0 sends none.
    """

    earworm_env: str
    athena_database: str
    athena_workgroup: str
    pages_topic_arn: str
    alert_topic_arn: str
    alert_move_percent: Percent
    spike_climb_percent: Percent
    spike_growth_percent: Annotated[int, Field(ge=1)]
    spike_lists: Annotated[int, Field(ge=2)]
    link_hours: Annotated[int, Field(ge=0, le=12)]

    @property
    def thresholds(self) -> Thresholds:
        """What an alert tells."""
        return Thresholds(
            move_percent=self.alert_move_percent,
            climb_percent=self.spike_climb_percent,
            growth_percent=self.spike_growth_percent,
            lists=self.spike_lists,
        )
