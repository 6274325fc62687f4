"""What the alarms count over all functions, named by function."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from infra.cli import failures as command
from infra.cli.failures import failures

AT = int(datetime(2026, 11, 23, 6, 0, 1, tzinfo=UTC).timestamp() * 1000)


class Logs:
    """CloudWatch Logs with texts in the log group of each function."""

    exceptions = boto3.client("logs", "us-east-1").exceptions

    def __init__(self, **functions: list[str]) -> None:
        self._groups = {f"/aws/lambda/earworm-dev-{name}": texts for name, texts in functions.items()}

    def get_paginator(self, _operation: str) -> "Logs":
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> Iterator[Any]:  # noqa: N803 - the API's
        assert startTime > 0
        for number, text in enumerate(self._groups[logGroupName]):
            yield {"events": [{"timestamp": AT + number, "message": text}]}


class Functions:
    """Lambda, with the functions that have a log."""

    exceptions = boto3.client("lambda", "us-east-1").exceptions

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - the API's
        if f"/aws/lambda/{FunctionName}" not in self._logs._groups:
            raise self.exceptions.ResourceNotFoundException({"Error": {}}, "GetFunctionConfiguration")
        return {"Timeout": 120}


class Cloud:
    """Both."""

    def __init__(self, **functions: list[str]) -> None:
        logs = Logs(**functions)
        self._clients = {"logs": logs, "lambda": Functions(logs)}

    def client(self, service: str) -> Any:
        return self._clients[service]


def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **functions: list[str]) -> str:
    monkeypatch.setattr(command, "find_cloud", lambda _: Cloud(**functions))
    failures(hours=24, environment="dev")
    return capsys.readouterr().out


def test_each_failure_is_named_with_its_function_and_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = shown(
        monkeypatch,
        capsys,
        songs=["START RequestId: 1", "REPORT RequestId: 1\tDuration: 100000.00 ms\tBilled Duration: 100000 ms"],
        extractor=["[ERROR] SettingsError: no secret\nTraceback (most recent call last):", "END RequestId: 2"],
    )

    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "2026-11-23 06:00:01 extractor [ERROR] SettingsError: no secret" in lines
    assert "2026-11-23 06:00:01 songs took 100 of the 120 seconds that it may" in lines
    assert lines[-1] == "2 in the last 24 hours."


def test_where_nothing_failed_and_where_nothing_is_deployed_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(monkeypatch, capsys, songs=["START RequestId: 1"]) == "0 in the last 24 hours.\n"
