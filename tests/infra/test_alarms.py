"""What alarms, at what price, and by which lines of a log."""

import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from contracts.tables import TABLES
from infra.cli.failures import failure
from infra.deploying.stacks import COMPONENTS, PLATFORM, SERVICES

Template = dict[str, Any]
Written = Callable[[str], Template]

MOST_ALARMED_METRICS = 10
"""Always free in an account. An alarm over an expression counts each metric that it reads.

Source: https://aws.amazon.com/cloudwatch/pricing/
"""
MOST_METRICS_OF_A_DASHBOARD = 50
"""A dashboard with more is none of the three that are always free."""
TIME_OUT = 120
AT = "2026-11-23 06:00:01,000+0000"


def alarms(written: Written) -> dict[str, Template]:
    return {
        each["Properties"]["AlarmName"]["Fn::Sub"]: each["Properties"]
        for component in COMPONENTS
        for each in written(component)["Resources"].values()
        if each["Type"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
    }


def metrics_of(alarm: Template) -> list[str]:
    """The metrics that an alarm reads."""
    if "MetricName" in alarm:
        return [alarm["MetricName"]]
    return [each["MetricStat"]["Metric"]["MetricName"] for each in alarm["Metrics"] if "MetricStat" in each]


def test_two_environments_stay_within_the_alarmed_metrics_that_are_always_free(written: Written) -> None:
    found = alarms(written)

    assert set(found) == {
        "earworm-${Environment}-failures",
        "earworm-${Environment}-slow-invocations",
        "earworm-${Environment}-audit-silent",
        "earworm-${Environment}-audit-dead-letters",
        "earworm-${Environment}-extractor-dead-letters",
    }
    assert 2 * sum(len(metrics_of(alarm)) for alarm in found.values()) <= MOST_ALARMED_METRICS


def test_each_alarm_says_which_command_shows_what_to_do(written: Written) -> None:
    for alarm in alarms(written).values():
        assert re.search(r"earworm \w+ .*--env \$\{Environment\}", alarm["AlarmDescription"]["Fn::Sub"])
        assert alarm.get("AlarmActions") or alarm.get("InsufficientDataActions")


def test_a_new_deployment_raises_no_alarm(written: Written) -> None:
    """Without a number no alarm is raised; what needs one tells only once it has been there."""
    for name, alarm in alarms(written).items():
        if name.endswith("-silent"):
            assert alarm["TreatMissingData"] == "missing"
            assert "AlarmActions" not in alarm
        else:
            assert alarm["TreatMissingData"] == "notBreaching"


def test_an_audit_is_silent_when_there_was_none_for_a_day_and_two_hours(written: Written) -> None:
    silent = alarms(written)["earworm-${Environment}-audit-silent"]

    assert silent["Period"] * silent["EvaluationPeriods"] == 26 * 3600
    assert (silent["MetricName"], silent["Dimensions"]) == ("Findings", [{"Name": "service", "Value": "audit"}])


def test_the_daily_audit_looks_when_a_collectors_three_tries_are_over(written: Written) -> None:
    began = {
        component: int(hour) * 60 + int(minute)
        for component in ("audit", "extractor", "listenbrainz")
        for minute, hour in [written(component)["Parameters"]["ScheduleExpression"]["Default"][5:].split()[:2]]
    }

    assert began["extractor"] == began["listenbrainz"] == began["audit"] - 75
    assert 3 * 15 + 1 + 2 < 75, "tries of a quarter of an hour, a minute and two apart"


def test_the_dashboard_is_one_of_those_that_are_always_free(written: Written) -> None:
    body = json.loads(written(PLATFORM)["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    publishers = {"Snapshots": 2, "Calls": 2} | dict.fromkeys(
        ("Rows", "Rejected", "Skipped", "SecondsFromRawToTable"), len(TABLES)
    )
    dead_letter_queues = sum(
        each["Type"] == "AWS::SQS::Queue" and each["Properties"]["QueueName"]["Fn::Sub"].endswith("-dead-letters")
        for component in COMPONENTS
        for each in written(component)["Resources"].values()
    )

    shown = 0
    for widget in body["widgets"]:
        for line in widget["properties"]["metrics"]:
            search = line[0].get("expression", "") if isinstance(line[0], dict) else ""
            metric = re.search(r'MetricName="(\w+)"', search)
            of_queues = "AWS/SQS" in search
            shown += dead_letter_queues if of_queues else publishers.get(metric[1], 1) if metric else 1

    assert shown <= MOST_METRICS_OF_A_DASHBOARD


LINES: dict[str, tuple[str, str, bool]] = {
    "an exception that a handler raised": (
        "extractor",
        "[ERROR] IncompleteRunError: 0 of 1 playlists have a snapshot. the token was refused\nTraceback (most recent …",
        True,
    ),
    "a time-out": ("songs", "2026-11-23T06:02:00.000Z 5f1c Task timed out after 120.00 seconds", True),
    "memory that ran out": (
        "songs",
        "REPORT RequestId: 5f1c\tDuration: 900.10 ms\tBilled Duration: 901 ms\tStatus: error\tError Type: OutOfMemory",
        True,
    ),
    "a process that ended": ("songs", "RequestId: 5f1c Error: Runtime exited with error: signal: killed", True),
    "a slow invocation": ("songs", "REPORT RequestId: 5f1c\tDuration: 96000.01 ms\tBilled Duration: 96001 ms", True),
    "a quick invocation": ("songs", "REPORT RequestId: 5f1c\tDuration: 95999.99 ms\tBilled Duration: 96000 ms", False),
    "a message that no repetition can help": (
        "songs",
        json.dumps({"event": "message_dead_lettered", "level": "ERROR", "sentence": "not JSON"}),
        True,
    ),
    "a message that failed for the fifth time": (
        "songs",
        json.dumps({"event": "message_returned", "level": "WARNING", "receive_count": 5, "exception": "ClientError"}),
        True,
    ),
    "a message that comes again": (
        "songs",
        json.dumps({"event": "message_returned", "level": "WARNING", "receive_count": 4}),
        False,
    ),
    "a playlist without a snapshot, beside others": (
        "extractor",
        json.dumps({"event": "playlist_incomplete", "level": "ERROR", "playlist_id": "p", "sentence": "forbidden"}),
        True,
    ),
    "a playlist that lacks enrichments": (
        "extractor",
        json.dumps({"event": "playlist_incomplete", "level": "WARNING", "playlist_id": "p"}),
        False,
    ),
    "a run that went well": ("extractor", json.dumps({"event": "run_over", "level": "INFO"}), False),
    "a request that began": ("songs", "START RequestId: 5f1c Version: $LATEST", False),
}


def logged(line: str) -> tuple[str, str, bool]:
    """The service of one of the lines, its text as it stands in the log, and whether it counts."""
    service, text, counts = LINES[line]
    if text.startswith("{"):
        text = json.dumps({**json.loads(text), "timestamp": AT, "message": "a sentence"}, separators=(",", ":"))
    return service, text, counts


@pytest.mark.parametrize("line", LINES)
def test_what_is_counted_is_what_the_console_shows(line: str, written: Written) -> None:
    service, text, counts = logged(line)

    counted = [name for name, pattern in filters(written, service) if matches(pattern, text)]

    assert bool(counted) == counts
    assert (failure(service, text, time_out=TIME_OUT) is not None) == counts


@pytest.mark.parametrize("service", SERVICES)
def test_every_function_counts_its_failures_and_its_slow_invocations(service: str, written: Written) -> None:
    counted = {name for name, _ in filters(written, service)}
    timeouts = written(service)["Mappings"]["Timeouts"]

    assert counted == {"Failures", "SlowInvocations"}
    assert set(written(service)["Parameters"]["Timeout"]["AllowedValues"]) == set(timeouts)
    assert all(row["SlowMilliseconds"] == 0.8 * 1000 * int(timeout) for timeout, row in timeouts.items())


def filters(written: Written, service: str) -> Iterator[tuple[str, str]]:
    """The pattern of each filter of a service's log, with the metric that it counts into."""
    for each in written(service)["Resources"].values():
        if each["Type"] == "AWS::Logs::MetricFilter":
            (counting,) = each["Properties"]["MetricTransformations"]
            assert counting["MetricNamespace"] == {"Fn::Sub": "Earworm/${Environment}"}
            assert "Dimensions" not in counting, "each value of a dimension is a metric of its own"
            pattern = each["Properties"]["FilterPattern"]
            if isinstance(pattern, dict):
                text, names = pattern["Fn::Sub"]
                (name,) = names
                pattern = text.replace(f"${{{name}}}", str(int(0.8 * 1000 * TIME_OUT)))
            yield counting["MetricName"], pattern


def matches(pattern: str, text: str) -> bool:
    """Whether CloudWatch counts a text, as far as our patterns go.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    if pattern.startswith("{"):
        try:
            fields = json.loads(text)
        except ValueError:
            return False
        condition = re.sub(r"\$\.(\w+)", r"fields.get('\1')", pattern.strip("{ }"))
        condition = condition.replace("||", " or ").replace("&&", " and ")
        condition = re.sub(r"(?<![<>])= ", "== ", condition)
        condition = re.sub(r"(fields\.get\('\w+'\)) >=", r"(\1 or 0) >=", condition)
        return bool(eval(condition, {"fields": fields}))
    if pattern.startswith("["):
        conditions = pattern.strip("[]").split(", ")[:-1]
        words = text.split()
        return len(words) > len(conditions) and all(map(_holds, conditions, words))
    return any(phrase in text for phrase in re.findall(r'\?"([^"]+)"', pattern))


def _holds(condition: str, word: str) -> bool:
    match condition.split():
        case [_, "=", wanted]:
            return fnmatchcase(word, wanted.strip('"'))
        case [_, ">", least]:
            return word.replace(".", "").isdigit() and float(word) > float(least)
    return True
