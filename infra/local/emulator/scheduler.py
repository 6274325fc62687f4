# ruff: noqa: SLF001 - it hooks into what ministack keeps private
"""The context attributes of EventBridge Scheduler, which ministack passes to the target verbatim.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ministack.services import eventbridge, scheduler

_TICK_SECONDS: Final = 1


def install() -> None:
    """Substitute the attributes in the input of every schedule's target, and look for due ones every second.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    _ = scheduler._SCHEDULE_TICK_INTERVAL
    scheduler._SCHEDULE_TICK_INTERVAL = _TICK_SECONDS
    invoke_target = eventbridge._invoke_target
    at_time = scheduler._at_time_epoch

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        if event.get("Source") == "aws.scheduler" and "Input" in target:
            due = at_time(rule["ScheduleExpression"]) or event["Time"]
            attributes = context_attributes(due, arn=rule["Arn"], execution_id=event["EventId"])
            target = {**target, "Input": substitute(target["Input"], attributes)}
        invoke_target(target, event, rule, view)

    eventbridge._invoke_target = invoke


def context_attributes(due: float, *, arn: str, execution_id: str) -> dict[str, str]:
    """Returns the value of each attribute, `due` being seconds since 1970.

    Schedules have a resolution of one minute, so the minute in which one fires is the one that it was due.
    """
    minute = datetime.fromtimestamp(due, UTC).replace(second=0, microsecond=0)
    return {
        "aws.scheduler.scheduled-time": f"{minute:%Y-%m-%dT%H:%M:%SZ}",
        "aws.scheduler.schedule-arn": arn,
        "aws.scheduler.execution-id": execution_id,
        "aws.scheduler.attempt-number": "1",
    }


def substitute(text: str, attributes: dict[str, str]) -> str:
    """Returns the input with every `<attribute>` replaced by its value."""
    for name, value in attributes.items():
        text = text.replace(f"<{name}>", value)
    return text
