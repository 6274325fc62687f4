"""The lines of a run, found in the log groups of all services."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import boto3
import pytest

from contracts.operations.log_events import LogEvent
from infra.cli.cloud import Cloud, Platform
from infra.cli.logs import of_event, of_run, whole_run_id
from infra.cli.screen import ConsoleError

KEY = "raw/spotify/2026-11-22/p1/playlist.json"


class Groups:
    """CloudWatch Logs with these lines in the log group of each service."""

    exceptions = boto3.client("logs", "us-east-1").exceptions

    def __init__(self, **services: list[dict[str, Any]]) -> None:
        self._groups = {f"/aws/lambda/earworm-dev-{name.replace('_', '-')}": told for name, told in services.items()}

    def get_paginator(self, _operation: str) -> "Groups":
        return self

    def paginate(self, *, logGroupName: str, filterPattern: str, **_: Any) -> Iterator[Any]:  # noqa: N803 - the API's
        if logGroupName not in self._groups:
            raise self.exceptions.ResourceNotFoundException({"Error": {}}, "FilterLogEvents")
        phrase = filterPattern.strip('"')
        written = [json.dumps({"level": "INFO", **line}) for line in self._groups[logGroupName]]
        for text in ("START RequestId: 1", *written):
            yield {"events": [{"message": text}] if phrase in text else []}


class Records:
    """S3 with the record of a load that began last but one."""

    def get_paginator(self, _operation: str) -> "Records":
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        written = datetime(2026, 11, 22, 6, 0, 1, 500_000, tzinfo=UTC)
        yield {"Contents": [{"Key": "loads/load-4.json", "LastModified": written}]}


def told(second: int, message: str, **fields: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-11-22 06:00:{second:02d},000+0000", "message": message, **fields}


def cloud(**services: list[dict[str, Any]]) -> Cloud:
    groups = Groups(**services)

    class _Cloud:
        environment = "dev"

        platform = Platform("lake", "artifacts", "earworm_dev", "earworm-dev", "crawler")

        def client(self, service: str) -> Groups | Records:
            return groups if service == "logs" else Records()

    return cast("Cloud", _Cloud())


def test_the_lines_of_all_services_come_in_the_order_of_time() -> None:
    found = of_run(
        cloud(
            songs=[told(3, "complete", run_id="run-1"), told(4, "complete", run_id="run-2")],
            track_features=[told(2, "complete", run_id="run-1"), told(5, "about run-1", run_id="run-2")],
            extractor=[told(1, "run begins", run_id="run-1")],
        ),
        "run-1",
        days=1,
    )

    assert [(line.service, line.message) for line in found] == [
        ("extractor", "run begins"),
        ("track_features", "complete"),
        ("songs", "complete"),
    ]


def test_where_no_table_is_deployed_there_are_no_lines() -> None:
    assert of_event(cloud(), (), LogEvent.TABLE_COMPLETE, days=1) == []


def test_a_line_of_a_service_that_does_not_know_the_run_is_found_by_its_trace_and_key() -> None:
    found = of_run(
        cloud(
            extractor=[told(1, "snapshot is stored", run_id="run-1", xray_trace_id="1-a", key=KEY)],
            songs=[
                told(2, "goes back", event=LogEvent.MESSAGE_RETURNED, xray_trace_id="1-a", raw_key=KEY),
                told(3, "goes back", event=LogEvent.MESSAGE_RETURNED, xray_trace_id="1-a", raw_key="another"),
                told(4, "goes back", event=LogEvent.MESSAGE_RETURNED, xray_trace_id="1-b", raw_key=KEY),
            ],
        ),
        "run-1",
        days=1,
    )

    assert [(line.service, line.at.second) for line in found] == [("extractor", 1), ("songs", 2)]


BEGUN = [
    told(second, "a sentence", event=LogEvent.RUN_BEGINS, run_id=run_id)
    for second, run_id in enumerate(("abc-1", "abd-2", "xyz-3"))
]


@pytest.mark.parametrize(
    ("beginning", "whole"), [("latest", "xyz-3"), ("abc", "abc-1"), ("abd-2", "abd-2"), ("load", "load-4")]
)
def test_a_run_is_named_by_its_beginning_or_as_the_latest(beginning: str, whole: str) -> None:
    assert whole_run_id(cloud(extractor=BEGUN), beginning, days=9999) == whole


@pytest.mark.parametrize(
    ("beginning", "sentence"), [("ab", "Several runs begin with 'ab'"), ("q", "No run begins with 'q'")]
)
def test_a_beginning_of_none_or_several_is_refused(beginning: str, sentence: str) -> None:
    with pytest.raises(ConsoleError, match=sentence):
        whole_run_id(cloud(extractor=BEGUN), beginning, days=1)
