"""What each role may do is what its work takes, and nothing else.

The local cloud decides on every call as the policies say, and keeps a record. One run makes use of all that the
pipeline does, and its record is held against the policies; then each role tries what is not its business.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from ministack.core import iam_evaluator

from analytics.athena import Athena, AthenaError
from contracts.tables import TABLES, of_kind
from infra.deploying.stacks import PLATFORM, SERVICES, stack_name
from infra.local.listenbrainz.admin import STATISTICS_PATH
from infra.local.listenbrainz.admin import Fault as ListenBrainzFault
from infra.local.listenbrainz.client import find_simulator as find_listenbrainz
from infra.local.spotify.admin import Fault
from infra.local.spotify.trending import PLAYLISTS
from infra.tools.notebook import JUPYTER
from shared.lake import SnapshotKey, kind_of
from tests.documents import album, entry, envelope, playlist, track
from tests.system.pipeline import Pipeline
from tests.system.warm_console import warm_console
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("environment_of_the_pipeline")]

ACCOUNT = "000000000000"
LAKE = f"earworm-dev-{ACCOUNT}-us-east-1"
OTHER_LAKE = f"earworm-prod-{ACCOUNT}-us-east-1"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:earworm-dev-raw-snapshots"
ALARMS = f"arn:aws:sns:us-east-1:{ACCOUNT}:earworm-dev-alarms"
PAGES = f"arn:aws:sns:us-east-1:{ACCOUNT}:earworm-dev-pages"
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}

UNREADABLE = SnapshotKey(date(2025, 1, 6), "unreadable")
REJECTED = SnapshotKey(date(2025, 2, 3), "rejected")

ROLES = {
    **{service: (service, "Role") for service in SERVICES},
    "schedule of the extractor": ("extractor", "ScheduleRole"),
    "schedule of the listenbrainz": ("listenbrainz", "ScheduleRole"),
    "schedule of the audit": ("audit", "ScheduleRole"),
    "schedule of the report": ("report", "ScheduleRole"),
    "crawler": (PLATFORM, "CrawlerRole"),
    "analyst": (PLATFORM, "AnalystRole"),
}
"""Each role with its stack and its logical id."""

NOT_EXERCISED = {
    "traces go to the X-Ray daemon, which the local cloud asks for no right": {
        (service, action) for service in SERVICES for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
    },
    "the local cloud sets no failed event aside": {
        (role, "sqs:SendMessage")
        for service in ("extractor", "listenbrainz", "audit", "report")
        for role in (service, f"schedule of the {service}")
    },
    "every transformer may set rows aside, and that of playlist_metadata is never rejected": {
        ("playlist_metadata", action)
        for action in ("glue:BatchCreatePartition", "glue:GetTable", "s3:DeleteObject", "s3:PutObject")
    },
    "no row of the one chart is set aside, and no message of it fails": {
        ("charts", action)
        for action in (
            *("glue:BatchCreatePartition", "glue:GetTable", "s3:DeleteObject", "s3:PutObject", "sqs:SendMessage"),
        )
    },
    "Glue's crawler asks for it, the local one has no need": {
        ("crawler", action)
        for action in (
            "glue:BatchGetPartition", "glue:GetDatabase", "glue:GetPartition", "glue:GetTable",
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "s3:GetBucketLocation",
        )
    },
    "Athena asks for it with the rights of whoever queries, the local one has no need": {
        ("analyst", action)
        for action in (
            "glue:BatchGetPartition", "glue:GetDatabase", "glue:GetDatabases",
            "glue:GetPartition", "glue:GetTables",
            "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListMultipartUploadParts",
        )
    },
    "likewise of the report": {
        ("report", action)
        for action in (
            "glue:GetDatabase", "glue:GetDatabases",
            "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListMultipartUploadParts",
        )
    },
    "nothing happened that the week's alert tells of": {("report", "sns:Publish")},
    "what else a person does in the query editor": {
        ("analyst", f"athena:{name}")
        for name in (
            "BatchGetNamedQuery", "BatchGetQueryExecution", "GetNamedQuery", "GetQueryResultsStream",
            "GetQueryRuntimeStatistics", "StopQueryExecution",
        )
    },
}  # fmt: skip
"""What is granted and no local run asks for, by the reason."""

AFTER_A_FAULT = {(table, "sqs:ChangeMessageVisibility") for table in TABLES}
"""What a transformer asks for if a message fails for a while, which happens on a busy machine and need not."""


CATALOG = {"CatalogName": "AwsDataCatalog"}
DATABASE = {**CATALOG, "DatabaseName": "earworm_dev"}
EDITOR: Mapping[str, Mapping[str, str]] = {
    "list_work_groups": {},
    "get_work_group": {"WorkGroup": "earworm-dev"},
    "list_data_catalogs": {},
    "get_data_catalog": {"Name": "AwsDataCatalog"},
    "list_databases": CATALOG,
    "get_database": DATABASE,
    "list_table_metadata": DATABASE,
    "get_table_metadata": {**DATABASE, "TableName": "songs"},
    "list_named_queries": {"WorkGroup": "earworm-dev"},
    "list_query_executions": {"WorkGroup": "earworm-dev"},
}
"""What Athena's query editor and its JDBC driver ask of Athena before anybody has asked a question.

Source: https://docs.aws.amazon.com/athena/latest/ug/managed-policies.html
"""
PYATHENA = """
from pyathena import connect
from pyathena.pandas.cursor import PandasCursor

connection = connect(work_group="earworm-dev", schema_name="earworm_dev", poll_interval=0.05)
cursor = connection.cursor()
assert "songs" in {table.name for table in cursor.list_table_metadata()}
assert cursor.execute("SELECT count(*) FROM songs").fetchone()[0] > 0
assert len(connection.cursor(PandasCursor).execute("SELECT * FROM songs LIMIT 1").as_pandas()) == 1
"""


class Decision(NamedTuple):
    """A line of the local cloud's record."""

    principal: str
    action: str
    resource: str
    allowed: bool
    source: str | None = None


@dataclass(frozen=True)
class Case:
    """A call that a role must not make, beside one that it may.

    Attributes:
        role: Whose credentials sign both.
        call: Service and operation of boto3.
        foreign: Arguments of what must be denied.
        own: Arguments of the same operation, or another operation, that must be allowed. Without one the role has no
            business with the operation at all, and the account's root shows that the call itself is sound.
    """

    role: str
    call: str
    foreign: Mapping[str, Any]
    own: tuple[str, Mapping[str, Any]] | None = None

    def __str__(self) -> str:
        return f"{self.role}-{self.call}-{next(iter(self.foreign.values()), '')}"


def against(role: str, call: str, own: Mapping[str, Any], *foreign: Mapping[str, Any]) -> list[Case]:
    """Cases of one operation that is allowed on some resources and denied on others."""
    return [Case(role, call, arguments, (call, own)) for arguments in foreign]


def cases_of_a_transformer(table: str, other: str) -> Iterator[Case]:
    queue, others_queue = (f"earworm-dev-{name.replace('_', '-')}" for name in (table, other))

    def outputs(of: str) -> list[dict[str, Any]]:
        key = SnapshotKey(date(2026, 1, 5), "x", kind_of(TABLES[of]))
        places = (key.parquet(of), key.quarantine(of), key.quarantined_values(of), key.receipt(of))
        return [{"Key": place} for place in places]

    rows, quarantine, values, receipt = outputs(table)
    foreign = [
        *outputs(other),
        {"Key": "dead-letters/spotify/x"},
        {"Key": "athena-results/x.csv"},
        {**rows, "Bucket": OTHER_LAKE},
    ]
    raw = {"Key": "raw/spotify/x"}
    version = {"VersionId": "null"}
    yield from against(table, "s3.put_object", rows, *foreign, raw)
    yield from against(table, "s3.get_object", rows, *foreign, {**rows, **version})
    yield from against(table, "s3.delete_object", quarantine, *foreign, raw, rows, receipt, {**quarantine, **version})
    yield Case(table, "s3.delete_object", {**values, **version}, ("s3.delete_object", values))
    polled, letters = {"QueueUrl": queue}, {"QueueUrl": f"{queue}-dead-letters"}
    others = [{"QueueUrl": others_queue}, {"QueueUrl": f"{others_queue}-dead-letters"}]
    yield from against(table, "sqs.receive_message", polled, letters, *others)
    handle = {"ReceiptHandle": "x"}
    yield from against(
        table, "sqs.delete_message", {**polled, **handle}, *({**q, **handle} for q in (letters, *others))
    )
    hidden = {**handle, "VisibilityTimeout": 15}
    yield from against(
        table, "sqs.change_message_visibility", {**polled, **hidden}, *({**q, **hidden} for q in (letters, *others))
    )
    body = {"MessageBody": "{}"}
    yield from against(table, "sqs.send_message", {**letters, **body}, *({**q, **body} for q in (polled, *others)))
    yield Case(table, "sqs.purge_queue", letters)

    def days(name: str, database: str = "earworm_dev") -> dict[str, Any]:
        return {"DatabaseName": database, "TableName": name, "PartitionInputList": []}

    register = "glue.batch_create_partition"
    yield from against(table, register, days(table), days(other), days(table, "earworm_prod"))
    yield from against(table, register, days("receipts"), days("weekly_chart"))
    yield Case(table, "glue.delete_table", {"DatabaseName": "earworm_dev", "Name": table}, (register, days(table)))


def cases_of_extractor_redrive_and_audit() -> Iterator[Case]:
    def schedule(name: str, role: str = "schedule of the extractor") -> dict[str, Any]:
        target = {
            "Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:earworm-dev-extractor",
            "RoleArn": f"role:{role}",
        }
        when = {"ScheduleExpression": "at(2099-01-01T00:00:00)", "FlexibleTimeWindow": {"Mode": "OFF"}}
        return {"Name": name, "Target": target, **when}

    raw, rows, receipt = (
        {"Key": key} for key in ("raw/spotify/x", "processed/spotify/songs/_x", "receipts/spotify/_x.json")
    )
    letter = {"Key": "dead-letters/spotify/x"}
    deferred = schedule("earworm-dev-deferred-x")
    put_raw, defer = ("s3.put_object", raw), ("scheduler.create_schedule", deferred)
    yield from against("extractor", "s3.put_object", raw, rows, receipt, letter, {**raw, "Bucket": OTHER_LAKE})
    yield from against("extractor", "s3.get_object", raw, rows, receipt, letter, {**raw, "Bucket": OTHER_LAKE})
    yield Case("extractor", "s3.delete_object", raw, put_raw)
    own, others = ({"SecretId": f"earworm/{environment}/spotify"} for environment in ("dev", "prod"))
    yield from against("extractor", "secretsmanager.get_secret_value", own, others)
    yield Case("extractor", "secretsmanager.put_secret_value", {**own, "SecretString": "{}"}, (
        "secretsmanager.get_secret_value", own
    ))  # fmt: skip
    yield from against(
        "extractor", "scheduler.create_schedule", schedule("earworm-dev-deferred-y"),
        schedule("earworm-dev-weekly"), schedule("earworm-prod-deferred-x"),
        schedule("earworm-dev-deferred-z", role="schedule of the audit"), schedule("earworm-dev-deferred-z", "audit"),
    )  # fmt: skip
    yield Case("extractor", "scheduler.delete_schedule", {"Name": "earworm-dev-weekly"}, defer)

    queue, dead = {"QueueUrl": "earworm-dev-songs"}, {"QueueUrl": "earworm-dev-songs-dead-letters"}
    extractors = {"QueueUrl": "earworm-dev-extractor-dead-letters"}
    started, others = (
        {"FunctionName": f"earworm-dev-{name}", "InvocationType": "DryRun"} for name in ("audit", "songs")
    )
    handle, body = {"ReceiptHandle": "x"}, {"MessageBody": "{}"}
    yield from against("redrive", "s3.put_object", letter, raw, rows, receipt, {**letter, "Bucket": OTHER_LAKE})
    yield from against("redrive", "s3.get_object", raw, rows, receipt, letter)
    yield Case("redrive", "s3.delete_object", raw, ("s3.get_object", raw))
    yield Case("redrive", "s3.delete_object", letter, ("s3.put_object", letter))
    yield from against("redrive", "sqs.receive_message", dead, queue)
    yield from against("redrive", "sqs.receive_message", extractors, queue)
    yield from against("redrive", "sqs.delete_message", {**dead, **handle}, {**queue, **handle})
    yield from against("redrive", "lambda.invoke", started, others)
    yield from against("redrive", "sqs.send_message", {**queue, **body}, {**dead, **body}, {**extractors, **body})
    yield Case("redrive", "sqs.purge_queue", dead)

    quarantined = {"Key": "quarantine/spotify/_x.json"}
    foreign = [rows, quarantined, raw, letter, {**receipt, "VersionId": "null"}]
    yield from against("audit", "s3.get_object", receipt, *foreign)
    yield Case("audit", "s3.put_object", receipt, ("s3.get_object", receipt))
    yield Case("audit", "s3.delete_object", receipt, ("s3.get_object", receipt))
    tables, table = {"DatabaseName": "earworm_dev"}, {"DatabaseName": "earworm_dev", "Name": "songs"}
    yield from against("audit", "glue.get_tables", tables, {"DatabaseName": "earworm_prod"})
    yield Case("audit", "glue.delete_table", table, ("glue.get_tables", tables))
    of_songs = {"DatabaseName": "earworm_dev", "TableName": "songs"}
    of_others = {"DatabaseName": "earworm_prod", "TableName": "songs"}
    yield from against("audit", "glue.get_partitions", of_songs, of_others)
    yield Case("audit", "glue.batch_create_partition", {**of_songs, "PartitionInputList": []}, (
        "glue.get_partitions", of_songs
    ))  # fmt: skip
    told = {"TopicArn": ALARMS, "Message": "{}"}
    yield from against("audit", "sns.publish", told, *({**told, "TopicArn": topic} for topic in (TOPIC, PAGES)))
    counted = {"AttributeNames": ["ApproximateNumberOfMessages"]}
    yield from against("audit", "sqs.get_queue_attributes", {**dead, **counted}, {**queue, **counted})
    yield Case("audit", "sqs.receive_message", dead, ("sqs.get_queue_attributes", {**dead, **counted}))


def cases_of_the_collector_of_charts() -> Iterator[Case]:
    def schedule(name: str) -> dict[str, Any]:
        function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:earworm-dev-listenbrainz"
        target = {"Arn": function, "RoleArn": "role:schedule of the listenbrainz"}
        when = {"ScheduleExpression": "at(2099-01-01T00:00:00)", "FlexibleTimeWindow": {"Mode": "OFF"}}
        return {"Name": name, "Target": target, **when}

    raw, playlist_, rows = ({"Key": key} for key in ("raw/charts/x", "raw/spotify/x", "processed/charts/charts/_x"))
    put_raw = ("s3.put_object", raw)
    yield from against("listenbrainz", "s3.put_object", raw, playlist_, rows, {**raw, "Bucket": OTHER_LAKE})
    yield Case("listenbrainz", "s3.get_object", raw, put_raw)
    yield Case("listenbrainz", "s3.delete_object", raw, put_raw)
    yield from against(
        "listenbrainz", "scheduler.create_schedule", schedule("earworm-dev-listenbrainz-deferred-y"),
        schedule("earworm-dev-listenbrainz"), schedule("earworm-dev-deferred-x"),
    )  # fmt: skip


def cases_of_the_report() -> Iterator[Case]:
    rows, page, raw, receipt, letter = (
        {"Key": key}
        for key in (
            *("processed/spotify/songs/_x", "reports/spotify/week=2026-01-05/_x"),
            *("raw/spotify/x", "receipts/spotify/_x.json", "dead-letters/spotify/x"),
        )
    )
    foreign = [raw, receipt, letter, {**page, "Bucket": OTHER_LAKE}]
    yield from against("report", "s3.put_object", page, rows, *foreign)
    unread = [each for each in foreign if each is not receipt]
    yield from against("report", "s3.get_object", page, *unread, {**page, "VersionId": "null"})
    yield from against("report", "s3.get_object", rows, raw)
    yield from against("report", "s3.get_object", receipt, raw)
    yield Case("report", "s3.delete_object", page, ("s3.put_object", page))
    yield from against("report", "s3.list_objects_v2", {"Prefix": "reports/spotify/"}, {"Prefix": "dead-letters/"}, {})
    query = {"QueryString": "SELECT 1"}
    yield from against(
        "report", "athena.start_query_execution",
        {**query, "WorkGroup": "earworm-dev"}, {**query, "WorkGroup": "primary"},
    )  # fmt: skip
    table = {"DatabaseName": "earworm_dev", "Name": "songs"}
    yield Case("report", "glue.delete_table", table, ("glue.get_table", table))
    link = {"TopicArn": PAGES, "Message": "{}"}
    yield from against("report", "sns.publish", link, *({**link, "TopicArn": topic} for topic in (TOPIC, ALARMS)))


def cases_of_schedules_crawler_and_analyst() -> Iterator[Case]:
    raw, rows, receipt, letter = (
        {"Key": key}
        for key in ("raw/spotify/x", "processed/spotify/songs/_x", "receipts/spotify/_x.json", "dead-letters/spotify/x")
    )
    for service, other in (
        *(("extractor", "audit"), ("audit", "report"), ("report", "extractor"), ("listenbrainz", "extractor")),
    ):
        role = f"schedule of the {service}"
        function, others_function = ({"FunctionName": f"earworm-dev-{name}"} for name in (service, other))
        dry = {"InvocationType": "DryRun"}
        yield from against(role, "lambda.invoke", {**function, **dry}, {**others_function, **dry})
        own_dead, others_dead = (
            {"QueueUrl": f"earworm-dev-{name}-dead-letters", "MessageBody": "{}"} for name in (service, other)
        )
        for sender in (role, service):
            yield from against(sender, "sqs.send_message", own_dead, others_dead)

    yield from against("crawler", "s3.get_object", rows, raw, receipt, {**rows, "Bucket": OTHER_LAKE})
    yield from against("crawler", "s3.list_objects_v2", {"Prefix": "processed/spotify/"}, {"Prefix": "raw/"}, {})
    yield Case("crawler", "s3.put_object", rows, ("s3.get_object", rows))
    database, table = {"DatabaseName": "earworm_dev"}, {"DatabaseName": "earworm_dev", "Name": "songs"}
    crawled = {"DatabaseName": "earworm_dev_crawled"}
    yield from against("crawler", "glue.create_table", {**crawled, "TableInput": {"Name": "x"}}, {
        **database, "TableInput": {"Name": "x"}
    })  # fmt: skip
    yield Case("crawler", "glue.delete_table", {**crawled, "Name": "x"}, ("glue.get_tables", crawled))
    yield from against("crawler", "glue.get_tables", crawled, database)

    result = {"Key": "athena-results/x.csv"}
    yield from against("analyst", "s3.get_object", rows, raw, letter, {**rows, "Bucket": OTHER_LAKE})
    yield from against("analyst", "s3.put_object", result, raw, rows, receipt)
    yield Case("analyst", "s3.delete_object", result, ("s3.put_object", result))
    yield from against("analyst", "s3.list_objects_v2", {"Prefix": "receipts/spotify/"}, {"Prefix": "raw/"}, {})
    query = {"QueryString": "SELECT 1"}
    yield from against(
        "analyst", "athena.start_query_execution",
        {**query, "WorkGroup": "earworm-dev"}, {**query, "WorkGroup": "primary"},
    )  # fmt: skip
    yield Case("analyst", "glue.delete_table", table, ("glue.get_table", table))
    parameters = {"Path": "/earworm/dev"}
    yield from against("analyst", "ssm.get_parameters_by_path", parameters, {"Path": "/earworm/prod"}, {"Path": "/"})


def cases_of(role: str) -> Iterator[Case]:
    """What no role has any business with."""
    calls: dict[str, dict[str, Any]] = {
        "cloudformation.describe_stacks": {},
        "glue.create_database": {"DatabaseInput": {"Name": f"of-{role}".replace(" ", "-")}},
        "iam.create_user": {"UserName": f"of-{role}".replace(" ", "-")},
        "iam.list_roles": {},
        "iam.put_role_policy": {"RoleName": "none", "PolicyName": "all", "PolicyDocument": "{}"},
        "lambda.update_function_configuration": {"FunctionName": "none"},
        "s3.delete_bucket": {},
        "s3.get_bucket_policy": {},
        "scheduler.list_schedules": {},
        "sns.publish": {"TopicArn": ALARMS, "Message": "{}"},
        "sqs.create_queue": {"QueueName": f"of-{role}".replace(" ", "-")},
        "ssm.get_parameter": {"Name": "/earworm/dev/bucket"},
        "ssm.put_parameter": {"Name": f"/of-{role}".replace(" ", "-"), "Value": "x", "Type": "String"},
        "sts.assume_role": {
            "RoleArn": f"role:{'audit' if role == 'redrive' else 'redrive'}",
            "RoleSessionName": "test",
        },
    }
    if role in {"audit", "report"}:
        del calls["sns.publish"]
    if role != "extractor":
        calls["secretsmanager.get_secret_value"] = {"SecretId": "earworm/dev/spotify"}
    return (Case(role, call, arguments) for call, arguments in calls.items())


NEIGHBOURS = zip(TABLES, (*list(TABLES)[1:], *list(TABLES)[:1]), strict=True)
CASES = [
    *(case for pair in NEIGHBOURS for case in cases_of_a_transformer(*pair)),
    *cases_of_extractor_redrive_and_audit(),
    *cases_of_the_collector_of_charts(),
    *cases_of_the_report(),
    *cases_of_schedules_crawler_and_analyst(),
    *(case for role in ROLES for case in cases_of(role)),
]


@dataclass(frozen=True)
class Account:
    """The account of a deployed pipeline, as each of its principals sees it."""

    pipeline: Pipeline
    _clients: dict[tuple[str | None, str], Any] = field(default_factory=dict)
    _credentials: dict[str | None, dict[str, str]] = field(default_factory=lambda: {None: {}})

    @cached_property
    def role_names(self) -> Mapping[str, str]:
        stacks = self.pipeline.cloud.client("cloudformation")
        return {
            role: stacks.describe_stack_resource(StackName=stack_name("dev", component), LogicalResourceId=logical)[
                "StackResourceDetail"
            ]["PhysicalResourceId"]
            for role, (component, logical) in ROLES.items()
        }

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.role_names[role]}"

    def decisions(self) -> list[Decision]:
        lines = (self.pipeline.state / "logs/iam.jsonl").read_text().splitlines()
        return [Decision(**json.loads(line)) for line in lines]

    def granted(self, role: str) -> Iterator[tuple[str, str]]:
        """Each action on each resource that a role's policies allow."""
        iam, name = self.client(None, "iam"), self.role_names[role]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for statement in iam_evaluator.parse_policy_document(document):
                if statement.effect == "Allow":
                    yield from product(statement.actions, statement.resources)

    def resource_policies(self) -> Iterator[tuple[str, str, str]]:
        """The policy of each bucket, topic and queue of the pipeline, with an action on it."""
        s3, sns, sqs = (self.client(None, service) for service in ("s3", "sns", "sqs"))
        for bucket in (LAKE, LAKE.replace("dev", "dev-artifacts")):
            yield f"arn:aws:s3:::{bucket}/x", "s3:GetObject", s3.get_bucket_policy(Bucket=bucket)["Policy"]
        for name in ("raw-snapshots", "raw-charts", "alarms", "pages", "alerts"):
            topic = TOPIC.replace("raw-snapshots", name)
            yield topic, "sns:Publish", sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
        for url in sqs.list_queues(QueueNamePrefix="earworm-dev-")["QueueUrls"]:
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "QueueArn"])["Attributes"]
            yield told["QueueArn"], "sqs:SendMessage", told["Policy"]

    def ask(self, sql: str) -> None:
        """Queries as an analyst."""
        platform = self.pipeline.cloud.platform
        Athena(self.client("analyst", "athena"), platform.database, platform.workgroup).ask(sql)

    def environment_of(self, role: str, state: Path) -> dict[str, str]:
        """The variables of a program that acts in a role, as on AWS: the local cloud is but an address to it."""
        self.client(role, "sts")
        names = {
            name: value for name, value in self.pipeline.variables.items() if name in {"AWS_ENDPOINT_URL", "AWS_REGION"}
        }
        return {
            **self.pipeline.variables_of_the_console,
            **names,
            "AWS_DEFAULT_REGION": names["AWS_REGION"],
            **{name.upper(): value for name, value in self._credentials[role].items()},
            "EARWORM_STATE": str(state),
        }

    def of(self, role: str, decisions: list[Decision]) -> list[Decision]:
        return [each for each in decisions if f":assumed-role/{self.role_names[role]}/" in each.principal]

    def client(self, role: str | None, service: str) -> Any:
        """A client with a role's credentials; with the root's if there is none."""
        if role not in self._credentials:
            told = self._assumed(str(role))["Credentials"]
            self._credentials[role] = {
                "aws_access_key_id": told["AccessKeyId"],
                "aws_secret_access_key": told["SecretAccessKey"],
                "aws_session_token": told["SessionToken"],
            }
        if (role, service) not in self._clients:
            session: Any = self.pipeline.cloud.session
            self._clients[role, service] = session.create_client(service, **self._credentials[role])
        return self._clients[role, service]

    def _assumed(self, role: str) -> Any:
        """A session of the role, which is made to trust the account's root besides the services that it trusts."""
        iam, name = self.client(None, "iam"), self.role_names[role]
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        widened = {**trust, "Statement": [*trust["Statement"], root]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(widened))
        return self.client(None, "sts").assume_role(RoleArn=self.arn(role), RoleSessionName="test")

    def is_denied(self, role: str | None, call: str, arguments: Mapping[str, Any]) -> bool:
        """Whether the answer is that access is denied; whatever else goes wrong comes after that decision."""
        service, operation = call.split(".")
        defaults = {"Bucket": LAKE} if service == "s3" else {}
        ask = getattr(self.client(role, service), operation)
        resolved = self._resolved(arguments)
        try:
            ask(**defaults | resolved)
        except ClientError as fault:
            return fault.response["Error"]["Code"] in DENIED
        return False

    def _resolved(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with URLs in the place of queues' names, and ARNs in that of roles."""
        return {name: self._value(name, value) for name, value in arguments.items()}

    def _value(self, name: str, value: Any) -> Any:
        if name == "QueueUrl":
            return self.client(None, "sqs").get_queue_url(QueueName=value)["QueueUrl"]
        if isinstance(value, dict):
            return self._resolved(value)
        return self.arn(value[5:]) if isinstance(value, str) and value.startswith("role:") else value


def document(bound: int) -> bytes:
    """A snapshot of which each table has a row; when the bound is passed, a value of that row breaks its contract.

    Then its second entry is no object, too, and the tables that read entries reject it.
    """
    song = track(popularity=bound, album=album(popularity=bound))
    second = entry(track("Two")) if bound <= 100 else []
    listed = playlist(entry(song), second, id=REJECTED.list_id, followers={"total": 100 - bound})
    artists = [{"id": "song-band", "name": "Song Band", "popularity": bound}]
    features = {"source": "spotify", "items": [{"id": song["id"], "energy": bound / 100}]}
    day = str(REJECTED.snapshot_date)
    return json.dumps(envelope(listed, day=day, artists=artists, audio_features=features)).encode()


@dataclass(frozen=True)
class Work:
    """All that the pipeline does."""

    account: Account

    @property
    def pipeline(self) -> Pipeline:
        return self.account.pipeline

    def do(self) -> None:
        self.pipeline.s3.put_object(Bucket=LAKE, Key=UNREADABLE.raw, Body=b"{")
        self.pipeline.s3.put_object(Bucket=LAKE, Key=REJECTED.raw, Body=document(bound=101))
        self.let_schedules_start_runs()
        self.collect_a_chart_and_defer_another()
        self.pipeline.wait_for(REJECTED.snapshot_date, [REJECTED.list_id])
        self.audit()
        self.pipeline.s3.put_object(Bucket=LAKE, Key=REJECTED.raw, Body=document(bound=100))
        self.pipeline.wait_for(REJECTED.snapshot_date, [REJECTED.list_id])
        self.store_the_chart_again()
        self.treat_dead_letters()
        self.crawl()
        self.make_report()
        self.work_as_an_analyst()

    def work_as_an_analyst(self) -> None:
        """With the console, in Athena's own, with PyAthena and in SQL."""
        environment = self.account.environment_of("analyst", self.pipeline.state / "nowhere")
        with warm_console(environment) as console:
            for command in (("tables",), ("query", "top_artists"), ("watch", "add", "artist", "Heard"), ("report",)):
                done = console.run(*command)
                assert done.returncode == 0, done.stderr
        for operation, arguments in EDITOR.items():
            for catalog in ("AwsDataCatalog", "awsdatacatalog"):
                named = {name: catalog if value == "AwsDataCatalog" else value for name, value in arguments.items()}
                assert not self.account.is_denied("analyst", f"athena.{operation}", named)
        pyathena = [str(JUPYTER.with_name("python")), "-c", PYATHENA]
        done = subprocess.run(pyathena, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for table in (*TABLES, "receipts", "rejected_rows", "rejected_values"):
            self.account.ask(f"SELECT count(*) FROM {table}")

    def let_schedules_start_runs(self) -> None:
        """Every schedule, due today.

        Spotify gives no batches of artists, so that an earlier snapshot is looked for, and its quota is spent amid the
        run, so that the rest is deferred.
        """
        refused = Fault(endpoint="/v1/artists", kind="forbidden")
        spent = Fault(endpoint="/v1/playlists/{id}", kind="rate_limited", seconds=86_400, after=1, times=99)
        self.pipeline.simulator.set_faults([refused, spent])
        today = datetime.now(UTC).date()
        for name in ("earworm-dev-weekly", "earworm-dev-audit", "earworm-dev-report"):
            self.make_due(name, "due")
        eventually(lambda: self.pipeline.etags(SnapshotKey(today, PLAYLISTS[0].id).raw))
        self.pipeline.wait_for(today, [PLAYLISTS[0].id])

    def collect_a_chart_and_defer_another(self) -> None:
        """By a schedule, and then where ListenBrainz has nothing yet."""
        simulator = find_listenbrainz(self.pipeline.variables)
        assert simulator
        simulator.set_faults([ListenBrainzFault(endpoint=STATISTICS_PATH, kind="not_calculated", after=1)])
        self.make_due("earworm-dev-listenbrainz", "due")
        eventually(lambda: self.pipeline.etags("raw/charts/"))
        assert self.invoke("listenbrainz")["deferred"]

    def store_the_chart_again(self) -> None:
        """So that its table meets outputs that are there already."""
        (chart,) = map(SnapshotKey.from_raw, self.pipeline.etags("raw/charts/"))
        body = self.pipeline.s3.get_object(Bucket=LAKE, Key=chart.raw)["Body"].read()
        self.pipeline.s3.put_object(Bucket=LAKE, Key=chart.raw, Body=body)
        self.pipeline.wait_for(chart.snapshot_date, [chart.list_id], chart.kind)

    def make_due(self, schedule: str, name: str) -> None:
        """Schedules what a schedule starts for the beginning of today."""
        target: Any = self.pipeline.scheduler.get_schedule(Name=schedule)["Target"]
        self.pipeline.scheduler.create_schedule(
            Name=f"{schedule}-{name}",
            ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%d}T00:00:00)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target,
        )

    def audit(self) -> None:
        day = str(REJECTED.snapshot_date)
        self.pipeline.earworm("audit", "--from", day, "--to", day, "--grace", "0")

    def make_report(self) -> None:
        """With its link; then once more, when page and note are there."""
        self.pipeline.earworm("deploy", "report", "--set", "LinkHours=1")
        first, second = ({each["week"]: each["outcome"] for each in self.invoke("report")["reports"]} for _ in range(2))
        written = max(week for week, outcome in first.items() if outcome == "written")
        assert second[written] == "unchanged"

    def treat_dead_letters(self) -> None:
        """Looks at them while their raw object is there and when it is gone; sends them back, and drops them."""
        queues = [f"{table.replace('_', '-')}-dead-letters" for table in of_kind("playlists")]
        eventually(lambda: all(self.depth(queue) for queue in queues))
        # Runs that change nothing: two that cannot be meant, one that only reads and sends a letter, and one of a week
        # without snapshots.
        odd = {"deferrals": 99}
        runs = {"extractor": odd, "listenbrainz": odd, "audit": {"letter": True}, "report": {"week": "2010-01-04"}}
        for function, event in runs.items():
            url = self.pipeline.sqs.get_queue_url(QueueName=f"earworm-dev-{function}-dead-letters")["QueueUrl"]
            self.pipeline.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
        self.redrive(action="list")
        self.redrive(action="show")
        self.pipeline.s3.delete_object(Bucket=LAKE, Key=UNREADABLE.raw)
        self.redrive(action="show")
        self.redrive(action="redrive")
        eventually(lambda: all(self.depth(queue) for queue in queues))
        self.redrive(action="drop", reason="a test")

    def redrive(self, **event: str) -> None:
        self.invoke("redrive", **event)

    def invoke(self, service: str, **event: str) -> Any:
        function = self.pipeline.cloud.client("lambda")
        answer: Any = function.invoke(FunctionName=f"earworm-dev-{service}", Payload=json.dumps(event).encode())
        told = answer["Payload"].read()
        assert "FunctionError" not in answer, told
        return json.loads(told)

    def depth(self, queue: str) -> int:
        url = self.pipeline.sqs.get_queue_url(QueueName=f"earworm-dev-{queue}")["QueueUrl"]
        told = self.pipeline.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(told["Attributes"]["ApproximateNumberOfMessages"])

    def crawl(self) -> None:
        """Among the folders is one that no contract declares."""
        rows = next(iter(self.pipeline.etags("processed/spotify/songs/")))
        unknown = rows.replace("/songs/", "/concerts/")
        self.pipeline.s3.copy_object(Bucket=LAKE, Key=unknown, CopySource={"Bucket": LAKE, "Key": rows})
        crawled = self.pipeline.attempt("crawl")
        assert "processed/spotify/concerts/" in crawled.stdout, crawled.stderr


@pytest.fixture(scope="module")
def account(pipeline: Pipeline) -> Account:
    pipeline.earworm("deploy", "listenbrainz")
    return Account(pipeline)


@pytest.fixture(scope="module")
def run(account: Account) -> list[Decision]:
    """What was decided while the pipeline did all that it does."""
    Work(account).do()
    return account.decisions()


def test_nothing_that_the_pipeline_does_is_denied(account: Account, run: list[Decision]) -> None:
    decided = Counter({role: len(account.of(role, run)) for role in ROLES})
    services = Counter(each.principal for each in run if each.principal.endswith(".amazonaws.com"))

    assert [each for each in run if not each.allowed] == []
    assert min(decided.values()) > 0
    assert services.keys() == {"glue.amazonaws.com", "s3.amazonaws.com", "scheduler.amazonaws.com", "sns.amazonaws.com"}
    assert len(run) == decided.total() + services.total()


def test_nothing_is_granted_that_the_pipeline_does_not_need(account: Account, run: list[Decision]) -> None:
    idle = {
        (role, action)
        for role in ROLES
        for action, resource in account.granted(role)
        if not any(
            each.action == action and iam_evaluator.fnmatch_iam_cs(each.resource, resource)
            for each in account.of(role, run)
        )
    }

    assert idle | AFTER_A_FAULT == AFTER_A_FAULT.union(*NOT_EXERCISED.values())


def test_every_role_is_held_to_its_policies(account: Account) -> None:
    roles = account.client(None, "iam").list_roles()["Roles"]

    assert {role["RoleName"] for role in roles} == {*account.role_names.values()}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_role_is_denied_what_is_not_its_business(account: Account, foreign_resources: None, case: Case) -> None:
    assert account.is_denied(case.role, case.call, case.foreign)
    if case.own:
        assert not account.is_denied(case.role, *case.own)
    else:
        assert not account.is_denied(None, case.call, case.foreign)


@pytest.fixture(scope="module")
def foreign_resources(account: Account) -> None:
    """An environment beside this one, and objects that are there."""
    s3 = account.client(None, "s3")
    s3.create_bucket(Bucket=OTHER_LAKE)
    for key in (
        *("raw/spotify/x", "processed/spotify/songs/_x", "receipts/spotify/_x.json", "dead-letters/spotify/x"),
        *("raw/charts/x", "reports/spotify/week=2026-01-05/_x"),
    ):
        s3.put_object(Bucket=LAKE, Key=key)
    account.client(None, "secretsmanager").create_secret(Name="earworm/prod/spotify", SecretString="{}")


def test_an_analyst_is_refused_raw_snapshots_in_sql_too(account: Account, run: list[Decision]) -> None:
    table = {"Name": "raw", "StorageDescriptor": {"Columns": [], "Location": f"s3://{LAKE}/raw/spotify/"}}
    account.client(None, "glue").create_table(DatabaseName="earworm_dev", TableInput=table)

    with pytest.raises(AthenaError, match=f"PERMISSION_DENIED.*s3:ListBucket on arn:aws:s3:::{LAKE}"):
        account.ask("SELECT count(*) FROM raw")


def test_a_topic_that_is_not_the_lakes_reaches_no_queue(account: Account) -> None:
    sns = account.client(None, "sns")
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:earworm-dev-songs"
    topic = sns.create_topic(Name="stranger")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    sns.publish(TopicArn=topic, Message="{}")

    denied = Decision("sns.amazonaws.com", "sqs:SendMessage", queue, allowed=False, source=topic)
    eventually(lambda: denied in account.decisions())


def test_a_bucket_that_is_not_the_lake_announces_nothing(account: Account, foreign_resources: None) -> None:
    s3 = account.client(None, "s3")
    announcement = s3.get_bucket_notification_configuration(Bucket=LAKE)["TopicConfigurations"]
    told = {"TopicConfigurations": announcement}

    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(Bucket=OTHER_LAKE, NotificationConfiguration=told)
    s3.put_bucket_notification_configuration(Bucket=LAKE, NotificationConfiguration=told)


def test_buckets_topics_and_queues_deny_whoever_comes_without_tls(account: Account) -> None:
    """The local cloud counts every connection as secure, so it is asked what it would say of another one."""
    for secure, (resource, action, policy) in product((False, True), account.resource_policies()):
        asked = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:iam::{ACCOUNT}:user/someone",
            principal_type="User",
            principal_account=ACCOUNT,
            action=action,
            resource_arn=resource,
            region="us-east-1",
            secure_transport=secure,
        )
        assert iam_evaluator.evaluate_resource_policy(policy, asked).decision == (
            "ImplicitDeny" if secure else "Deny"
        ), resource


def test_a_key_that_is_not_there_is_denied_without_the_right_to_list(account: Account, foreign_resources: None) -> None:
    missing = {"Key": "processed/spotify/songs/_missing"}

    assert account.is_denied("crawler", "s3.get_object", missing)
    assert not account.is_denied("songs", "s3.get_object", missing)


def test_what_a_service_does_in_the_name_of_a_role_takes_the_rights_of_that_role(account: Account) -> None:
    # given a transformer and a schedule that may do nothing any more
    iam, work = account.client(None, "iam"), Work(account)
    eventually(lambda: work.depth("songs") == 0)
    for role, policy in (("songs", "songs"), ("schedule of the extractor", "schedule")):
        iam.delete_role_policy(RoleName=account.role_names[role], PolicyName=policy)

    # when a snapshot is announced and the schedule is due
    account.pipeline.s3.put_object(Bucket=LAKE, Key=UNREADABLE.raw, Body=b"{")
    work.make_due("earworm-dev-weekly", "lost")

    # then the message waits, and no run is started
    def denied(role: str, action: str) -> bool:
        decided = {each.allowed for each in account.of(role, account.decisions()) if each.action == action}
        return False in decided

    eventually(lambda: denied("songs", "sqs:ReceiveMessage"))
    eventually(lambda: denied("schedule of the extractor", "lambda:InvokeFunction"))
    assert work.depth("songs") == 1
