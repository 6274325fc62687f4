"""What a message announces."""

import json
from typing import Any

import pytest

from shared.errors import PermanentError
from shared.events import announced_keys


def s3_event(*keys: str) -> dict[str, Any]:
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}} for key in keys]}


def test_an_event_announces_its_keys_decoded() -> None:
    assert announced_keys(json.dumps(s3_event("raw/spotify/a+b%2Bc", "raw/x"))) == ["raw/spotify/a b+c", "raw/x"]


def test_an_event_wrapped_by_sns_announces_the_same() -> None:
    body = json.dumps({"Type": "Notification", "Message": json.dumps(s3_event("raw/x")), "TopicArn": "arn"})

    assert announced_keys(body) == ["raw/x"]


def test_the_test_event_announces_nothing() -> None:
    assert announced_keys(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"})) == []


@pytest.mark.parametrize(
    "body",
    ["", "{}", "[]", "3", '{"Records": 1}', '{"Records": [{"s3": {}}]}', '{"Type": "Notification", "Message": "{}"}'],
)
def test_anything_else_can_never_be_handled(body: str) -> None:
    with pytest.raises(PermanentError, match="not an S3 event"):
        announced_keys(body)
