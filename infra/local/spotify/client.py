"""A client for the simulator's own routes: what it serves, and the day, the tier and the faults that it shows."""

import datetime as dt
from collections.abc import Iterable, Mapping

from infra.local.faults import FAULTS_PATH
from infra.local.loopback import INFO_PATH
from infra.local.own_routes import OwnRoutes
from infra.local.spotify.admin import (
    CONSENT_PATH,
    TIER_PATH,
    ConsentSetting,
    Decoration,
    Fault,
    FaultPlan,
    Generation,
    SimulatorInfo,
    TierName,
    TierSetting,
)


def find_simulator(variables: Mapping[str, str]) -> "SimulatorClient | None":
    """Return a client of the simulator that an environment leads to; None if it leads to none."""
    address = variables.get("SPOTIFY_SIMULATOR_URL")
    return SimulatorClient(address, variables.get("SPOTIFY_SIMULATOR_SECRET", "")) if address else None


class SimulatorClient(OwnRoutes):
    """Talks to the simulator."""

    def info(self) -> SimulatorInfo:
        """Return what the simulator is, its clock, its tier and its playlists."""
        return SimulatorInfo.model_validate_json(self.get(INFO_PATH))

    def set_tier(self, tier: TierName, generation: Generation | None = None) -> TierSetting:
        """Change what Spotify grants the application; without a generation it is the tier's own.

        Raises:
            SimulatorError: The tier does not exist in that generation.
        """
        return TierSetting.model_validate_json(self.put(TIER_PATH, TierSetting(tier=tier, generation=generation)))

    def faults(self) -> FaultPlan:
        """Return the faults that are still to come, and the decorations."""
        return FaultPlan.model_validate_json(self.get(FAULTS_PATH))

    def set_faults(self, faults: Iterable[Fault], decorations: Iterable[Decoration] = ()) -> FaultPlan:
        """Let these faults come and no others; edits of before are undone.

        Raises:
            SimulatorError: A fault names an endpoint, or a decoration a playlist, that is not served.
        """
        plan = FaultPlan(faults=tuple(faults), decorations=tuple(decorations))
        return FaultPlan.model_validate_json(self.put(FAULTS_PATH, plan))

    def set_consent_date(self, day: dt.date) -> ConsentSetting:
        """Let the user have consented on a day to every refresh token so far: six months later they are void."""
        return ConsentSetting.model_validate_json(self.put(CONSENT_PATH, ConsentSetting(date=day)))
