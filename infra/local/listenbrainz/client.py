"""A client for the simulator's own routes: the day that it shows, and its faults."""

from collections.abc import Iterable, Mapping

from infra.local.faults import FAULTS_PATH
from infra.local.listenbrainz.admin import Fault, FaultPlan, SimulatorInfo
from infra.local.loopback import INFO_PATH
from infra.local.own_routes import OwnRoutes


def find_simulator(variables: Mapping[str, str]) -> "SimulatorClient | None":
    """Return a client of the simulator that an environment leads to; None if it leads to none."""
    address = variables.get("LISTENBRAINZ_SIMULATOR_URL")
    return SimulatorClient(address, variables.get("LISTENBRAINZ_SIMULATOR_SECRET", "")) if address else None


class SimulatorClient(OwnRoutes):
    """Talks to the simulator."""

    def info(self) -> SimulatorInfo:
        """Return what the simulator is, and its clock."""
        return SimulatorInfo.model_validate_json(self.get(INFO_PATH))

    def set_faults(self, faults: Iterable[Fault]) -> FaultPlan:
        """Let these faults come and no others."""
        return FaultPlan.model_validate_json(self.put(FAULTS_PATH, FaultPlan(faults=tuple(faults))))

    def faults(self) -> FaultPlan:
        """Return the faults that are still to come."""
        return FaultPlan.model_validate_json(self.get(FAULTS_PATH))
