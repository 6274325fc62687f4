"""The alert of a week goes out once, whoever asks for it, how often, and wherever an attempt ends."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from analytics.alerts import Message
from services.report.alert_sender import AlertSender
from tests.integration.cloud import BUCKET, SESSION

MESSAGE = Message("Earworm: 1 event", "Song A was added.\n")
RECEIPTS = "receipts-1"


class FakeTopic:
    """SNS, which keeps what was published, and may refuse or be cut off after it took it."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.refuses = False
        self.is_cut_off = False

    def publish(self, **request: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "Throttled"}}, "Publish")
        self.published.append(request["Message"])
        if self.is_cut_off:
            raise SystemExit


@dataclass
class Attempts:
    """Attempts to send the alert of one week."""

    sender: AlertSender
    topic: FakeTopic

    def attempt(self, message: Message | None = MESSAGE, receipts: str = RECEIPTS, *, later: int = 0) -> bool:
        """What a function does that runs some minutes later."""
        record = self.sender.record()
        if record and not record.leaves_to_do(receipts, datetime.now(UTC) + timedelta(minutes=later)):
            return False
        return self.sender.settle(message, receipts, record)

    @property
    def state(self) -> str | None:
        record = self.sender.record()
        return record.state if record else None


@pytest.fixture
def attempts() -> Iterator[Attempts]:
    with mock_aws():
        s3 = SESSION.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        topic: Any = FakeTopic()
        yield Attempts(AlertSender(s3, topic, BUCKET, "alerts", date(2026, 11, 23), "1.0.0"), topic)


def test_it_goes_out_once_also_if_the_receipts_change_later(attempts: Attempts) -> None:
    assert attempts.attempt()
    assert not attempts.attempt()
    assert not attempts.attempt(receipts="receipts-2", later=600)

    assert attempts.topic.published == [MESSAGE.text]
    assert attempts.state == "sent"
    stored = attempts.sender.s3.get_object(Bucket=BUCKET, Key="reports/spotify/week=2026-11-23/alert.txt")
    assert stored["Body"].read().decode() == MESSAGE.text


def test_where_nothing_happened_nothing_is_sent_until_the_receipts_change(attempts: Attempts) -> None:
    assert not attempts.attempt(None)
    assert not attempts.attempt()
    assert attempts.state == "nothing"

    assert attempts.attempt(receipts="receipts-2")


def test_what_sns_refuses_goes_out_with_the_next_attempt(attempts: Attempts) -> None:
    attempts.topic.refuses = True
    with pytest.raises(ClientError):
        attempts.attempt()
    assert attempts.state == "failed"

    attempts.topic.refuses = False
    assert attempts.attempt()
    assert attempts.topic.published == [MESSAGE.text]


def test_of_an_attempt_that_died_halfway_it_goes_out_twice_rather_than_never(attempts: Attempts) -> None:
    # given an attempt that ends after SNS took the message and before that is noted
    attempts.topic.is_cut_off = True
    with pytest.raises(SystemExit):
        attempts.attempt()
    assert attempts.state == "sending"

    # then it may be at work for as long as a function may run, and is made up for after that
    attempts.topic.is_cut_off = False
    assert not attempts.attempt(later=14)
    assert attempts.attempt(later=16)
    assert attempts.topic.published == [MESSAGE.text, MESSAGE.text]
    assert not attempts.attempt(later=600)


def test_of_two_attempts_at_once_one_sends(attempts: Attempts) -> None:
    # given two who found nothing, and two who found that an earlier attempt failed
    other = replace(attempts.sender)
    assert attempts.sender.settle(MESSAGE, RECEIPTS, None)
    assert not other.settle(MESSAGE, RECEIPTS, None)
    assert not other.settle(None, RECEIPTS, None)

    assert attempts.topic.published == [MESSAGE.text]
    assert attempts.state == "sent"
