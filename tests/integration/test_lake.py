"""What becomes of a raw snapshot that S3 does not take at once."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from shared.lake import Lake, SnapshotKey

BUCKET = "lake"
KEY = SnapshotKey(date(2026, 11, 22), "3cEYpjA9oz9GiPac4AsH4n")


class Refusals:
    """Answers of S3 to the next calls of PutObject, and how many there were."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.puts = 0

    def __call__(self, **_call: Any) -> None:
        self.puts += 1
        if self.codes:
            raise ClientError({"Error": {"Code": self.codes.pop(0), "Message": "Please try again"}}, "PutObject")


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def lake(refusals: Refusals, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.meta.events.register("before-call.s3.PutObject", refusals)
        yield Lake(s3, BUCKET)


@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted", "SlowDown", "InternalError", "503"])
def test_what_s3_asks_to_repeat_is_repeated(lake: Lake, refusals: Refusals, code: str, *, replaces: bool) -> None:
    refusals.codes = [code] * 4

    assert lake.put_raw(KEY, b"{}", run_id="run-1", replaces=replaces)

    assert lake.read_raw(KEY.raw).body == b"{}"
    assert refusals.puts == 5


def test_what_s3_asks_to_repeat_too_often_is_given_up(lake: Lake, refusals: Refusals) -> None:
    refusals.codes = ["ConditionalRequestConflict"] * 9

    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        lake.put_raw(KEY, b"{}", run_id="run-1")

    assert refusals.puts == 5


def test_what_s3_refuses_is_not_repeated(lake: Lake, refusals: Refusals) -> None:
    refusals.codes = ["AccessDenied"]

    with pytest.raises(ClientError, match="AccessDenied"):
        lake.put_raw(KEY, b"{}", run_id="run-1")

    assert refusals.puts == 1


def test_what_shall_not_replace_another_is_left_to_it_at_once(lake: Lake, refusals: Refusals) -> None:
    lake.put_raw(KEY, b"{}", run_id="run-1")

    assert not lake.put_raw(KEY, b"[]", run_id="run-2", replaces=False)

    assert lake.read_raw(KEY.raw).body == b"{}"
    assert refusals.puts == 2
