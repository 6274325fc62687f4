"""How a simulator takes settings on its own routes, the day that it shows among them."""

from datetime import UTC, date, datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from infra.local.clock import Clock, ClockSetting

SettingT = TypeVar("SettingT", bound=BaseModel)


class SettableClock:
    """The day that a simulator shows.

    Args:
        earliest: The first day that it can be set to.
    """

    def __init__(self, earliest: date) -> None:
        self._earliest = earliest
        self._date: date | None = None

    @property
    def shown(self) -> Clock:
        """The day that it shows, by default that of the calendar (UTC)."""
        return Clock(date=self._date or datetime.now(UTC).date(), is_set=self._date is not None)

    async def set(self, request: Request) -> JSONResponse:
        """Answer a request to show another day, or to follow the calendar again."""
        day = (await setting(ClockSetting, 'The clock takes {"date": "YYYY-MM-DD"} or {"date": null}', request)).date
        if day is not None and day < self._earliest:
            raise HTTPException(400, f"The clock cannot be set to {day}: its first day is {self._earliest}.")
        self._date = day
        return told(self.shown)


async def setting(model: type[SettingT], form: str, request: Request) -> SettingT:
    """Read the body of a request for a change; what is wrong with it is told in one sentence (400)."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as invalid:
        wrong = "; ".join(
            ": ".join(filter(None, (".".join(map(str, error["loc"])), error["msg"]))) for error in invalid.errors()
        )
        raise HTTPException(400, f"{form}: {wrong}.") from None


def told(message: BaseModel) -> JSONResponse:
    """Answer with a message."""
    return JSONResponse(message.model_dump(mode="json"))
