from datetime import date
from typing import Any

import pytest

from contracts.operations.audit import AuditRequest
from shared.errors import PermanentError
from shared.invocation import read

TODAY = date(2026, 11, 23)


def test_without_days_the_last_eight_are_audited() -> None:
    assert read(AuditRequest, {}).days(TODAY) == (date(2026, 11, 16), TODAY)


def test_days_may_be_named() -> None:
    event = read(AuditRequest, {"from": "2025-02-01", "to": "2025-02-28", "grace_minutes": 0})

    assert event.days(TODAY) == (date(2025, 2, 1), date(2025, 2, 28))
    assert event.grace_minutes == 0


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"from": "2025-02-01"}, "from and to belong together"),
        ({"from": "2025-02-02", "to": "2025-02-01"}, "from is after to"),
        ({"from": "February", "to": "2025-02-01"}, "from: Input should be a valid date"),
        ({"from": "2005-12-31", "to": "2025-02-01"}, "from: 2005-12-31 is outside the tables' days"),
        ({"grace_minutes": -1}, "grace_minutes: Input should be greater than or equal to 0"),
        ({"days": 3}, "days: Extra inputs are not permitted"),
    ],
)
def test_any_other_event_is_refused_with_what_it_may_hold(event: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PermanentError, match=f"{sentence}.*It may hold from and to"):
        read(AuditRequest, event)
