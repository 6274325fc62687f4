"""No secret in anything that the extractor writes, whatever is logged and whatever goes wrong."""

import base64
import json
import logging
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
import requests
from aws_xray_sdk.core import xray_recorder
from moto import mock_aws

from services.extractor.extract import IncompleteRunError, extractor
from tests.integration.cloud import BUCKET, Context
from tests.integration.test_extractor import DAY
from tests.unit.extractor.fake_spotify import (
    CLIENT_ID,
    CLIENT_SECRET,
    ENVIRONMENT,
    PLAYLIST_ID,
    SECRET,
    Answer,
    FakeSpotify,
    error,
    song,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REFRESH_TOKEN = "the-refresh-token"
STORED: dict[str, dict[str, str]] = {
    "application": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    "user": {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "consented_at": "2026-11-01T12:00:00Z",
    },
}
FAULTS: list[Answer | Exception] = [
    Answer(400, {"error": "invalid_client", "error_description": "Invalid client"}),
    Answer(400, {"error": "invalid_grant", "error_description": "Refresh token revoked"}),
    error(503, "Unavailable"),
    requests.ConnectionError("connection broken"),
]
"""What the token service answers before it gives a token."""


class Everything(logging.Handler):
    """Keeps all that any logger is told, with its arguments and exceptions."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told += [self.format(record), repr(vars(record))]


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[Everything]:
    handler = Everything()
    logging.root.addHandler(handler)
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    yield handler
    logging.root.removeHandler(handler)


@pytest.fixture
def segments(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    monkeypatch.setattr(xray_recorder.emitter, "send_entity", lambda entity: sent.append(entity.serialize()))
    monkeypatch.setattr(xray_recorder, "sampling", False)
    return sent


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    with mock_aws():
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        yield s3


def set_every_logger(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))):
        monkeypatch.setattr(each, "level", logging.getLevelName(level))
        monkeypatch.setattr(each, "_cache", {})


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_no_secret_is_written_anywhere(
    *,
    stored: str,
    level: str,
    s3: "S3Client",
    everything: Everything,
    segments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # given known secrets, a Spotify with faults, and a process in which every logger has its say
    boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(STORED[stored]))
    spotify = FakeSpotify(playlists={PLAYLIST_ID: [song(number) for number in range(120)]})
    spotify.withheld["albums"] = error(403, "Forbidden")
    spotify.faults["items"] = [error(401, "The access token expired")]
    spotify.faults["artists"] = [error(429, "Spent", Retry_After="86400")]
    monkeypatch.setattr("shared.web._BACKOFF", lambda _state: 0.0)
    set_every_logger(level, monkeypatch)
    everything.told.clear()
    capfd.readouterr()

    # when the extractor runs, whatever comes of it
    written: list[str] = []
    with spotify.reachable():
        handler = extractor()
        set_every_logger(level, monkeypatch)
        for fault in (*FAULTS, None):
            spotify.withheld["token"] = fault  # type: ignore[assignment]
            with xray_recorder.in_segment("extractor"):
                try:
                    written.append(
                        str(handler({"scheduled_time": f"{DAY}T06:00:00Z"}, Context("earworm-dev-extractor")))
                    )
                except IncompleteRunError as raised:
                    written += traceback.format_exception(raised)
    objects = [s3.get_object(Bucket=BUCKET, Key=each["Key"]) for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    written += [f"{each['Metadata']} {each['Body'].read().decode()}" for each in objects]
    text = "\n".join([*written, *capfd.readouterr(), *everything.told, *segments])

    # then much is written
    assert len(objects) == 1
    assert len(segments) >= len(FAULTS) + 1
    assert ("snapshot is stored" in text) == (level in {"DEBUG", "INFO"})
    assert "invalid_client" in text

    # and none of the secrets, in no encoding
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    for secret in (CLIENT_SECRET, REFRESH_TOKEN, basic, "Bearer ", *spotify.tokens):
        assert secret not in text
