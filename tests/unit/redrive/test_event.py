from datetime import date
from typing import Any

import pytest

from contracts.operations.redrive import RedriveRequest
from contracts.tables import TABLES
from shared.errors import PermanentError
from shared.invocation import read


def test_an_event_is_read_as_an_operator_means_it() -> None:
    event = read(
        RedriveRequest,
        {"action": "redrive", "service": None, "error_class": " KeyError ", "date": "2026-11-22", "rate": 5},
    )

    assert event.service is None
    assert event.error_class == "KeyError"
    assert event.date == date(2026, 11, 22)
    assert event.rate == 5.0
    assert event.dry_run is False


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({}, "action: Field required"),
        ({"action": "purge"}, "action: Input should be 'list', 'show', 'redrive' or 'drop'"),
        ({"action": "list", "service": "redrive"}, f"choose one of {', '.join(TABLES)}"),
        ({"action": "list", "service": "../songs"}, "service: unknown service '../songs'"),
        ({"action": "list", "date": "22.11.2026"}, "date: "),
        ({"action": "list", "date": 20261122}, "date: "),
        ({"action": "list", "date": "2036-01-01"}, "date: 2036-01-01 is outside the tables' days"),
        ({"action": "redrive", "before": "2026-11-22T06:00:00"}, "before: "),
        ({"action": "redrive", "rate": 0}, "rate: Input should be greater than or equal to 0.1"),
        ({"action": "redrive", "rate": float("nan")}, "rate: "),
        ({"action": "redrive", "dry_run": "yes"}, "dry_run: "),
        ({"action": "list", "rate": 1, "dry_run": True}, "list does not take rate, dry_run"),
        ({"action": "drop", "service": "songs"}, "drop needs a reason"),
        ({"action": "drop", "service": "songs", "reason": "  "}, "reason: "),
        ({"action": "redrive", "reason": "why not"}, "redrive does not take reason"),
        ({"action": "list", "class": "KeyError"}, "class: Extra inputs are not permitted"),
    ],
    ids=str,
)
def test_what_is_no_event_is_refused_with_what_would_be_one(event: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PermanentError) as refused:
        read(RedriveRequest, event)

    assert refused.value.location == "event"
    assert sentence in refused.value.sentence
    assert "date (YYYY-MM-DD)" in refused.value.sentence
