"""A client for the simulator's own routes: what it serves, and the day that it shows."""

import datetime as dt

import requests

from infra.local.spotify.admin import CLOCK_PATH, INFO_PATH, Clock, ClockSetting, SimulatorInfo

_SECONDS_TO_ANSWER = 10.0


class SimulatorError(Exception):
    """The simulator refused a request; the text is its own."""


class SimulatorClient:
    """Talks to the simulator at a base address such as `http://127.0.0.1:4570`.

    Every method raises `requests.RequestException` when there is no simulator to answer.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")

    def info(self) -> SimulatorInfo:
        """Return what the simulator is, its clock and its playlists."""
        return SimulatorInfo.model_validate_json(self._request("GET", INFO_PATH))

    def set_date(self, day: dt.date) -> Clock:
        """Make the simulator show a day.

        Raises:
            SimulatorError: The day is before the first one that the simulator knows.
        """
        return self._set_clock(ClockSetting(date=day))

    def reset(self) -> Clock:
        """Let the simulator follow the calendar (UTC) again."""
        return self._set_clock(ClockSetting(date=None))

    def _set_clock(self, setting: ClockSetting) -> Clock:
        return Clock.model_validate_json(self._request("PUT", CLOCK_PATH, setting.model_dump_json()))

    def _request(self, method: str, path: str, body: str | None = None) -> bytes:
        response = requests.request(method, self._base_url + path, data=body, timeout=_SECONDS_TO_ANSWER)
        if response.status_code == requests.codes.bad_request:
            raise SimulatorError(response.json()["error"]["message"])
        response.raise_for_status()
        return response.content
