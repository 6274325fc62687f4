import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cfnlint.api import lint_file

from contracts.tables import TABLES
from infra.stacks import PLATFORM, SERVICES, template

Template = dict[str, Any]
Resources = Callable[[str], dict[str, Any]]

WITHOUT_RESOURCES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
"""Actions for which IAM knows no resource.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
"""
LONGEST_RETENTION = 14 * 24 * 3600


def test_cfn_lint_finds_nothing(component: str) -> None:
    assert lint_file(template(component)) == []


def test_every_parameter_is_described_and_has_a_default(component: str, written: Callable[[str], Template]) -> None:
    parameters = written(component)["Parameters"]

    assert [name for name, parameter in parameters.items() if not parameter.get("Description")] == []
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= {"CodeBucket", "CodeKey"}


def test_every_output_is_described(component: str, written: Callable[[str], Template]) -> None:
    assert all(output["Description"] for output in written(component)["Outputs"].values())


def test_each_function_runs_on_arm_with_tracing_and_its_own_role(component: str, resources: Resources) -> None:
    functions = resources("AWS::Lambda::Function")

    assert len(functions) == (component != PLATFORM)
    for function in functions.values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["Role"] == {"Fn::GetAtt": "Role.Arn"} or function["Role"] == {"Fn::GetAtt": ["Role", "Arn"]}
        assert function["Handler"] == f"services.{component}.handler.lambda_handler"


def test_each_function_logs_where_retention_is_set(resources: Resources) -> None:
    groups = resources("AWS::Logs::LogGroup")

    for function in resources("AWS::Lambda::Function").values():
        group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert group["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/{function['FunctionName']['Fn::Sub']}"


def test_each_queue_is_encrypted_and_has_a_dead_letter_queue_that_keeps_and_alarms(resources: Resources) -> None:
    queues = resources("AWS::SQS::Queue")
    alarmed = [
        _logical_id(dimension["Value"])
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "QueueName" and alarm["AlarmActions"]
    ]

    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] is True
        name = queue["QueueName"]["Fn::Sub"]
        if name.endswith("-dead-letters"):
            assert queue["MessageRetentionPeriod"] == LONGEST_RETENTION
        else:
            dead_letters = _logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"])
            assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
            assert queues[dead_letters]["QueueName"]["Fn::Sub"] == f"{name}-dead-letters"
            assert dead_letters in alarmed


@pytest.mark.parametrize("table", TABLES)
def test_a_message_stays_hidden_for_six_time_outs(table: str, written: Callable[[str], Template]) -> None:
    service = written(table)
    visibility = {int(timeout): row["Seconds"] for timeout, row in service["Mappings"]["Visibility"].items()}

    assert set(service["Parameters"]["Timeout"]["AllowedValues"]) == {str(timeout) for timeout in visibility}
    assert all(hidden >= 6 * timeout for timeout, hidden in visibility.items())
    assert service["Resources"]["Queue"]["Properties"]["VisibilityTimeout"] == {
        "Fn::FindInMap": ["Visibility", {"Ref": "Timeout"}, "Seconds"]
    }


@pytest.mark.parametrize("component", TABLES, indirect=True)
def test_a_transformer_is_fed_from_the_topic_through_its_queue(resources: Resources) -> None:
    (subscription,) = resources("AWS::SNS::Subscription").values()
    (mapping,) = resources("AWS::Lambda::EventSourceMapping").values()

    assert subscription["RawMessageDelivery"] is True
    assert _logical_id(subscription["Endpoint"]) == "Queue"
    assert _logical_id(subscription["RedrivePolicy"]["deadLetterTargetArn"]) == "DeadLetterQueue"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2
    assert mapping["BatchSize"] == 10


def test_resource_policies_name_who_they_trust(component: str, resources: Resources) -> None:
    kinds = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
    statements = [
        statement
        for kind in kinds
        for policy in resources(kind).values()
        for statement in policy["PolicyDocument"]["Statement"]
    ]

    assert bool(statements) == (component in {PLATFORM, *TABLES})
    for statement in statements:
        assert set(statement["Principal"]) == {"Service"}
        assert "aws:SourceArn" in json.dumps(statement["Condition"])


def test_roles_spell_out_actions_and_resources(resources: Resources) -> None:
    for statement in _allowed(resources):
        actions = _listed(statement["Action"])
        assert [action for action in actions if "*" in action] == []
        if "*" in _listed(statement["Resource"]):
            assert set(actions) <= WITHOUT_RESOURCES


@pytest.mark.parametrize("component", TABLES, indirect=True)
def test_a_transformer_writes_under_no_prefix_but_its_own(component: str, resources: Resources) -> None:
    writable = [
        resource["Fn::Sub"].rpartition("bucket}}/")[2]
        for statement in _allowed(resources)
        if {"s3:PutObject", "s3:DeleteObject"} & set(_listed(statement["Action"]))
        for resource in _listed(statement["Resource"])
    ]

    assert writable == [
        f"processed/spotify/{component}/*",
        f"quarantine/spotify/year=*/month=*/day=*/{component}-*.json",
        f"receipts/spotify/year=*/month=*/day=*/{component}-*.json",
    ]


@pytest.mark.parametrize("component", ["extractor"], indirect=True)
def test_the_extractor_puts_snapshots_reads_its_secret_defers_runs_and_no_more(resources: Resources) -> None:
    role = resources("AWS::IAM::Role")["Role"]
    actions = {
        a for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"] for a in _listed(s["Action"])
    }

    assert actions == {
        "iam:PassRole",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:PutObject",
        "scheduler:CreateSchedule",
        "secretsmanager:GetSecretValue",
        *WITHOUT_RESOURCES,
    }


@pytest.mark.parametrize("component", ["extractor"], indirect=True)
def test_the_schedule_tells_the_extractor_its_day(resources: Resources) -> None:
    (schedule,) = resources("AWS::Scheduler::Schedule").values()

    assert json.loads(schedule["Target"]["Input"]) == {"scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert _logical_id(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "DeadLetterQueue"


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_buckets_are_private_encrypted_versioned_and_outlive_their_stack(
    resources: Resources, written: Callable[[str], Template]
) -> None:
    buckets = resources("AWS::S3::Bucket")
    tls_only = [_logical_id(policy["Bucket"]) for policy in resources("AWS::S3::BucketPolicy").values()]

    assert sorted(tls_only) == sorted(buckets) == ["Artifacts", "Bucket"]
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert written(PLATFORM)["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert written(PLATFORM)["Resources"][name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_the_crawler_never_changes_what_a_contract_declares(resources: Resources) -> None:
    (crawler,) = resources("AWS::Glue::Crawler").values()

    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    assert json.loads(crawler["Configuration"])["Grouping"]["TableLevelConfiguration"] == 4


def test_the_transformers_differ_in_nothing_but_their_table() -> None:
    assert {_normalised(table) for table in TABLES} == {_normalised("songs")}


def test_there_is_a_service_for_each_table_and_those_around_them() -> None:
    assert set(SERVICES) == {*TABLES, "audit", "extractor", "redrive"}


def _normalised(table: str) -> str:
    description = TABLES[table].description
    own = (
        description,
        description[0].lower() + description[1:],
        table.replace("_", "-"),
        table.replace("_", " "),
        table,
    )
    text = re.sub(r"^ *- {Name: \w+, Type: \w+, Comment: \".*\n", "", template(table).read_text(), flags=re.MULTILINE)
    text = re.sub(r"SERVICE_VERSION: \S+", "SERVICE_VERSION", text)
    text = re.sub(r"(  MemorySize:.*?Default: )\d+", r"\1", text, count=1, flags=re.DOTALL)
    for name in own:
        text = text.replace(name, "<table>")
    return text


def _allowed(resources: Resources) -> Iterator[dict[str, Any]]:
    for role in resources("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            yield from policy["PolicyDocument"]["Statement"]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _logical_id(reference: dict[str, Any]) -> str:
    """The resource that `Ref` or `Fn::GetAtt` in either of its notations names."""
    (target,) = reference.values()
    return str(target[0] if isinstance(target, list) else target.partition(".")[0])
