"""The routes by which a simulator tells of itself and is turned."""

import datetime as dt
from typing import Final

import requests
from pydantic import BaseModel

from infra.local.clock import CLOCK_PATH, Clock, ClockSetting
from infra.local.loopback import SECRET_HEADER

_SECONDS_TO_ANSWER: Final = 60.0


class SimulatorError(Exception):
    """The simulator refused a request; the text is its own."""


class OwnRoutes:
    """Talks to a simulator, past every proxy.

    Every method raises `requests.RequestException` when there is no simulator to answer, or the secret is another's.

    Args:
        base_url: Its address, such as `http://127.0.0.1:4570`.
        secret: What its own routes ask for.
    """

    def __init__(self, base_url: str, secret: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers[SECRET_HEADER] = secret

    def set_date(self, day: dt.date) -> Clock:
        """Make the simulator show a day.

        Raises:
            SimulatorError: The day is before the first one that the simulator knows.
        """
        return Clock.model_validate_json(self.put(CLOCK_PATH, ClockSetting(date=day)))

    def reset(self) -> Clock:
        """Let the simulator follow the calendar (UTC) again."""
        return Clock.model_validate_json(self.put(CLOCK_PATH, ClockSetting(date=None)))

    def get(self, path: str) -> bytes:
        """What a route tells."""
        return self._request("GET", path)

    def put(self, path: str, message: BaseModel) -> bytes:
        """Changes something.

        Raises:
            SimulatorError: The simulator refuses it.
        """
        return self._request("PUT", path, message.model_dump_json())

    def _request(self, method: str, path: str, body: str | None = None) -> bytes:
        response = self._session.request(method, self._base_url + path, data=body, timeout=_SECONDS_TO_ANSWER)
        if response.status_code == requests.codes.bad_request:
            raise SimulatorError(response.json()["error"]["message"])
        response.raise_for_status()
        return response.content
