import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts.operations.audit import AuditRequest
from contracts.operations.extraction import ExtractionRequest
from contracts.operations.payload import Request
from contracts.operations.week_report import WeekRequest
from contracts.tables import TABLES
from infra.deploying import retained
from infra.deploying.deploy import SUPERSEDED
from infra.deploying.stacks import CATALOG, ENVIRONMENT, PLATFORM, ROOT, SERVICES, platform_parameter, template
from shared.invocation import read
from shared.lake import KINDS, kind_of
from shared.queue import SECONDS_UNTIL_SHOWN_AGAIN

Template = dict[str, Any]
Resources = Callable[[str], dict[str, Any]]

TRACING = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
WITHOUT_RESOURCES = {*TRACING, "athena:ListDataCatalogs", "athena:ListWorkGroups", "cloudwatch:GetMetricStatistics"}
"""Actions for which IAM knows no resource.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""
LONGEST_RETENTION = 14 * 24 * 3600
LONGEST_BUCKET_NAME = 63


def test_every_parameter_is_described_and_has_a_default(component: str, written: Callable[[str], Template]) -> None:
    parameters = written(component)["Parameters"]

    assert [name for name, parameter in parameters.items() if not parameter.get("Description")] == []
    of_the_platform = {
        name for name, parameter in parameters.items() if parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    }
    must_be_given = {"CodeBucket", "CodeKey"} | ({"Contact"} if component == "listenbrainz" else set())
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= (
        must_be_given | of_the_platform
    )


def test_an_environment_has_a_name_that_fits_everywhere(component: str, written: Callable[[str], Template]) -> None:
    longest_region = "ap-southeast-1"

    assert written(component)["Parameters"]["Environment"]["AllowedPattern"] == ENVIRONMENT
    assert re.fullmatch(ENVIRONMENT, "a" * 12)
    assert len(f"earworm-{'a' * 12}-artifacts-123456789012-{longest_region}") <= LONGEST_BUCKET_NAME


def test_a_service_reads_what_the_platform_publishes(component: str, written: Callable[[str], Template]) -> None:
    published = {
        resource["Properties"]["Name"]["Fn::Sub"].replace("${Environment}", "dev")
        for resource in written(PLATFORM)["Resources"].values()
        if resource["Type"] == "AWS::SSM::Parameter"
    }
    read = {
        platform_parameter("dev", name)
        for name, parameter in written(component)["Parameters"].items()
        if parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    }

    assert read <= published
    assert bool(read) == (component in {CATALOG, *SERVICES})
    assert "{{resolve:" not in template(component).read_text(), "a changed value is not seen through that"


def test_the_command_for_users_of_sam_names_what_a_service_must_be_given(written: Callable[[str], Template]) -> None:
    command = (
        (ROOT / "infra/README.md").read_text().partition("sam deploy --template services/songs/")[2].partition("```")[0]
    )
    named = set(re.findall(r"(\w+)=", command.partition("--parameter-overrides")[2]))

    assert named == {
        "Environment",
        *(name for name, parameter in written("songs")["Parameters"].items() if "Default" not in parameter),
    }


def test_every_role_has_the_path_and_the_boundary_of_its_environment(resources: Resources) -> None:
    for role in resources("AWS::IAM::Role").values():
        assert role["Path"] == {"Ref": "RolePath"}
        assert role["PermissionsBoundary"] == {
            "Fn::If": ["IsBounded", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]
        }


@pytest.mark.parametrize(
    ("service", "request_"), [("audit", AuditRequest), ("extractor", ExtractionRequest), ("report", WeekRequest)]
)
def test_a_schedule_sends_what_its_function_takes(
    service: str, request_: type[Request], written: Callable[[str], Template]
) -> None:
    resources = written(service)["Resources"].values()
    (schedule,) = (each["Properties"] for each in resources if each["Type"] == "AWS::Scheduler::Schedule")

    event = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-22T06:00:00Z")

    assert read(request_, json.loads(event)).model_fields_set == json.loads(event).keys()


def test_every_output_is_described(component: str, written: Callable[[str], Template]) -> None:
    assert all(output["Description"] for output in written(component).get("Outputs", {}).values())


def test_each_function_runs_on_arm_with_tracing_and_its_own_role(component: str, resources: Resources) -> None:
    functions = resources("AWS::Lambda::Function")

    assert len(functions) == (component in SERVICES)
    for function in functions.values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["Role"] == {"Fn::GetAtt": "Role.Arn"} or function["Role"] == {"Fn::GetAtt": ["Role", "Arn"]}
        assert function["Handler"] == f"services.{component}.handler.lambda_handler"


@pytest.mark.parametrize("component", SERVICES, indirect=True)
def test_a_function_knows_the_version_that_the_key_of_its_bundle_names(component: str, resources: Resources) -> None:
    (function,) = resources("AWS::Lambda::Function").values()
    key = f"bundles/{component}/5eed5eed5eed.zip"

    assert _evaluated(function["Environment"]["Variables"]["SERVICE_VERSION"], {"CodeKey": key}) == "5eed5eed5eed"


def test_each_function_logs_where_retention_is_set(resources: Resources) -> None:
    groups = resources("AWS::Logs::LogGroup")

    for function in resources("AWS::Lambda::Function").values():
        group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert group["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/{function['FunctionName']['Fn::Sub']}"


def test_each_queue_is_encrypted_and_has_a_dead_letter_queue_that_keeps(resources: Resources) -> None:
    queues = resources("AWS::SQS::Queue")
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] is True
        name = queue["QueueName"]["Fn::Sub"]
        if name.endswith("-dead-letters"):
            assert queue["MessageRetentionPeriod"] == LONGEST_RETENTION
        else:
            dead_letters = _logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"])
            assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
            assert queues[dead_letters]["QueueName"]["Fn::Sub"] == f"{name}-dead-letters"


def test_a_dead_letter_queue_takes_from_the_queue_of_its_service_alone(resources: Resources) -> None:
    queues = resources("AWS::SQS::Queue")

    for queue in queues.values():
        name, is_for_dead_letters, _ = queue["QueueName"]["Fn::Sub"].partition("-dead-letters")
        if is_for_dead_letters:
            allowed = queue["RedriveAllowPolicy"]
            sources = [each["Fn::Sub"].rpartition(":")[2] for each in allowed.get("sourceQueueArns", ())]
            fed = [each["QueueName"]["Fn::Sub"] for each in queues.values() if "RedrivePolicy" in each]
            assert (allowed["redrivePermission"], sources) == (("byQueue", [name]) if fed else ("denyAll", []))
            assert fed == sources


def test_a_removed_service_leaves_no_name_behind_that_would_keep_it_from_coming_back(
    component: str, written: Callable[[str], Template]
) -> None:
    for resource in written(component)["Resources"].values():
        if resource["Type"] in {"AWS::SQS::Queue", "AWS::Logs::LogGroup"}:
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Delete", "Retain")


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_only_bundles_that_are_marked_as_superseded_end(resources: Resources) -> None:
    rules = resources("AWS::S3::Bucket")["Artifacts"]["LifecycleConfiguration"]["Rules"]
    ending = {rule["Prefix"]: rule.get("TagFilters") for rule in rules if "ExpirationInDays" in rule}
    name, value = SUPERSEDED

    assert ending == {"bundles/": [{"Key": name, "Value": value}], "templates/": None}


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_a_query_that_reads_too_much_is_ended(resources: Resources) -> None:
    (workgroup,) = resources("AWS::Athena::WorkGroup").values()

    assert workgroup["WorkGroupConfiguration"]["EnforceWorkGroupConfiguration"] is True
    assert workgroup["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"] == {"Ref": "MostBytesOfQuery"}


@pytest.mark.parametrize("component", TABLES, indirect=True)
def test_a_message_is_shown_again_as_often_as_the_worker_reckons(resources: Resources) -> None:
    receives = resources("AWS::SQS::Queue")["Queue"]["RedrivePolicy"]["maxReceiveCount"]

    assert receives == len(SECONDS_UNTIL_SHOWN_AGAIN) + 1


@pytest.mark.parametrize("table", TABLES)
def test_a_message_stays_hidden_for_six_time_outs(table: str, written: Callable[[str], Template]) -> None:
    service = written(table)
    visibility = {int(timeout): row["VisibilitySeconds"] for timeout, row in service["Mappings"]["Timeouts"].items()}

    assert set(service["Parameters"]["Timeout"]["AllowedValues"]) == {str(timeout) for timeout in visibility}
    assert all(hidden >= 6 * timeout for timeout, hidden in visibility.items())
    assert service["Resources"]["Queue"]["Properties"]["VisibilityTimeout"] == {
        "Fn::FindInMap": ["Timeouts", {"Ref": "Timeout"}, "VisibilitySeconds"]
    }


@pytest.mark.parametrize("component", TABLES, indirect=True)
def test_a_transformer_is_fed_from_the_topic_through_its_queue(resources: Resources) -> None:
    (subscription,) = resources("AWS::SNS::Subscription").values()
    (mapping,) = resources("AWS::Lambda::EventSourceMapping").values()

    assert subscription["RawMessageDelivery"] is True
    assert _logical_id(subscription["Endpoint"]) == "Queue"
    assert _logical_id(subscription["RedrivePolicy"]["deadLetterTargetArn"]) == "DeadLetterQueue"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {
        "Fn::If": ["HasMaximumConcurrency", {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}, {}]
    }
    assert mapping["BatchSize"] == 10


@pytest.mark.parametrize("component", SERVICES, indirect=True)
def test_metrics_of_two_environments_are_kept_apart(resources: Resources) -> None:
    (function,) = resources("AWS::Lambda::Function").values()

    assert function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] == {"Fn::Sub": "Earworm/${Environment}"}


@pytest.mark.parametrize("component", ["audit", "extractor", "listenbrainz", "report"], indirect=True)
def test_an_event_that_fails_for_good_is_set_aside(component: str, resources: Resources) -> None:
    (function,) = resources("AWS::Lambda::Function").values()
    (schedule,) = resources("AWS::Scheduler::Schedule").values()

    assert _logical_id(function["DeadLetterConfig"]["TargetArn"]) == "DeadLetterQueue"
    assert _logical_id(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "DeadLetterQueue"


def test_resource_policies_trust_one_source_each_and_no_connection_in_the_clear(
    component: str, resources: Resources
) -> None:
    statements = _resource_statements(resources)
    trusting = [statement for statement in statements if statement["Effect"] == "Allow"]

    assert bool(trusting) == (component in {PLATFORM, *TABLES})
    for statement in trusting:
        assert set(statement["Principal"]) == {"Service"}
        assert "aws:SourceArn" in json.dumps(statement["Condition"])
    for kind, named in (("AWS::SNS::Topic", "Topics"), ("AWS::SQS::Queue", "Queues")):
        protected = [
            (_logical_id(policy[named][0]), _logical_id(statement["Resource"]))
            for policy in resources(f"{kind}Policy").values()
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
        ]
        assert sorted(protected) == sorted((name, name) for name in resources(kind))


def test_roles_spell_out_actions_and_resources(resources: Resources) -> None:
    for statement in _allowed(resources):
        actions = _listed(statement["Action"])
        assert [action for action in actions if "*" in action] == []
        if "*" in _listed(statement["Resource"]):
            assert set(actions) <= WITHOUT_RESOURCES


@pytest.mark.parametrize("component", TABLES, indirect=True)
def test_a_transformer_writes_under_no_prefix_but_its_own(component: str, resources: Resources) -> None:
    writable, deletable = (
        [
            resource["Fn::Sub"].rpartition("${Bucket}/")[2]
            for statement in _allowed(resources)
            if action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
        ]
        for action in ("s3:PutObject", "s3:DeleteObject")
    )

    folder = kind_of(TABLES[component]).folder
    quarantine = f"quarantine/{folder}/year=*/month=*/day=*/{component}-*.json"
    values = f"quarantine-values/{folder}/year=*/month=*/day=*/{component}-*.json"
    receipts = f"receipts/{folder}/year=*/month=*/day=*/{component}-*.json"
    assert writable == [f"processed/{folder}/{component}/*", quarantine, values, receipts]
    assert deletable == [quarantine, values]


@pytest.mark.parametrize("component", ["extractor"], indirect=True)
def test_the_extractor_puts_and_reads_snapshots_reads_its_secret_defers_or_sets_aside_runs_and_no_more(
    resources: Resources,
) -> None:
    role = resources("AWS::IAM::Role")["Role"]
    actions = {
        a for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"] for a in _listed(s["Action"])
    }

    assert actions == {
        "iam:PassRole",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "scheduler:CreateSchedule",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
        *TRACING,
    }


@pytest.mark.parametrize("component", ["listenbrainz"], indirect=True)
def test_the_collector_of_charts_puts_them_reads_the_secret_that_is_named_and_no_more(resources: Resources) -> None:
    role = resources("AWS::IAM::Role")["Role"]
    (policy,) = role["Policies"]
    always = [each for each in policy["PolicyDocument"]["Statement"] if "Fn::If" not in each]
    ((condition, read, otherwise),) = (
        each["Fn::If"] for each in policy["PolicyDocument"]["Statement"] if "Fn::If" in each
    )

    assert {action for statement in always for action in _listed(statement["Action"])} == {
        *("iam:PassRole", "logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject"),
        *("scheduler:CreateSchedule", "sqs:SendMessage"),
        *TRACING,
    }
    assert always[0]["Resource"]["Fn::Sub"].endswith("/raw/charts/*")
    assert (condition, otherwise) == ("HasSecretName", {"Ref": "AWS::NoValue"})
    assert read["Action"] == "secretsmanager:GetSecretValue"
    assert read["Resource"]["Fn::Sub"].endswith(":secret:${SecretName}-??????")


@pytest.mark.parametrize("component", ["extractor", "listenbrainz"], indirect=True)
def test_the_schedule_tells_a_collector_its_day(resources: Resources) -> None:
    (schedule,) = resources("AWS::Scheduler::Schedule").values()

    assert json.loads(schedule["Target"]["Input"]) == {"scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert _logical_id(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "DeadLetterQueue"


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_buckets_are_private_encrypted_versioned_and_outlive_their_stack(
    resources: Resources, written: Callable[[str], Template]
) -> None:
    buckets = resources("AWS::S3::Bucket")
    tls_only = [
        _logical_id(policy["Bucket"])
        for policy in resources("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    ]

    assert sorted(tls_only) == sorted(buckets) == ["Artifacts", "Bucket"]
    assert {name: bucket["BucketName"]["Fn::Sub"] for name, bucket in buckets.items()} == retained.RETAINED
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert written(PLATFORM)["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert written(PLATFORM)["Resources"][name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_raw_snapshots_move_old_versions_end_and_the_lake_stays_unless_told(resources: Resources) -> None:
    rules = resources("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    optional = {rule["Fn::If"][1]["Id"]: rule["Fn::If"] for rule in rules if "Fn::If" in rule}
    plain = {rule["Id"]: rule for rule in rules if "Id" in rule}

    assert plain["raw-snapshots"]["Prefix"] == "raw/"
    assert plain["raw-snapshots"]["Transitions"] == [
        {"StorageClass": "STANDARD_IA", "TransitionInDays": {"Ref": "RawInfrequentAccessDays"}}
    ]
    assert plain["old-versions"]["NoncurrentVersionExpiration"] == {
        "NoncurrentDays": {"Ref": "OldVersionRetentionDays"}
    }
    assert {id_: (condition, rule["Prefix"]) for id_, (condition, rule, _) in optional.items()} == {
        "raw-playlists": ("RawPlaylistsEnd", "raw/spotify/"),
        "unloaded-playlists": ("RawPlaylistsEnd", "unloaded/raw/spotify/"),
        "quarantine": ("QuarantineEnds", "quarantine/"),
        "quarantine-values": ("QuarantineEnds", "quarantine-values/"),
    }
    assert all(otherwise == {"Ref": "AWS::NoValue"} for *_, otherwise in optional.values())
    current = {rule["Prefix"] for rule in plain.values() if "ExpirationInDays" in rule}
    assert current == {"athena-results/"}, "nothing else of the lake may end by itself"


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_each_kind_of_list_has_a_topic_that_hears_of_its_raw_objects_and_of_no_others(resources: Resources) -> None:
    announced = resources("AWS::S3::Bucket")["Bucket"]["NotificationConfiguration"]["TopicConfigurations"]
    topics = {
        parameter["Name"]["Fn::Sub"].removeprefix("/earworm/${Environment}/"): _logical_id(parameter["Value"])
        for parameter in resources("AWS::SSM::Parameter").values()
    }

    assert {
        _logical_id(each["Topic"]): {rule["Name"]: rule["Value"] for rule in each["Filter"]["S3Key"]["Rules"]}
        for each in announced
    } == {topics[kind.topic]: {"prefix": kind.prefix("raw"), "suffix": ".json"} for kind in KINDS.values()}


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_an_analyst_reads_tables_and_writes_nothing_but_results_and_the_watch_list(resources: Resources) -> None:
    (policy,) = resources("AWS::IAM::Role")["AnalystRole"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    actions = {action for statement in statements for action in _listed(statement["Action"])}
    changing = {
        action for action in actions if re.search(r":(Put|Create|Delete|Update|Batch(Create|Delete|Put))", action)
    }

    assert changing == {"s3:PutObject"}
    objects = {
        action: [
            resource["Fn::Sub"].removeprefix("${Bucket.Arn}/")
            for statement in statements
            for resource in _listed(statement["Resource"])
            if action in _listed(statement["Action"])
        ]
        for action in ("s3:GetObject", "s3:PutObject")
    }
    assert objects == {
        "s3:GetObject": [
            *("compacted/*", "processed/*", "quarantine/*", "quarantine-values/*", "receipts/*", "watchlist/*"),
            "athena-results/*",
        ],
        "s3:PutObject": ["athena-results/*", "watchlist/watchlist.csv"],
    }


def test_the_audit_judges_what_the_contracts_watch_by_their_lowest_shares(written: Callable[[str], Template]) -> None:
    audit = written("audit")
    (shares,) = audit["Resources"]["Function"]["Properties"]["Environment"]["Variables"]["LEAST_SHARES"].values()
    parameters = {name: each["Default"] for name, each in audit["Parameters"].items() if name.startswith("Least")}

    assert json.loads(re.sub(r"\$\{(\w+)\}", lambda found: str(parameters[found[1]]), shares)) == {
        column: least for table in TABLES.values() for column, least in table.watched.items()
    }


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_the_dashboard_asks_for_metrics_that_the_services_publish(resources: Resources) -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    lines = [line for widget in body["widgets"] for line in widget["properties"]["metrics"]]
    searches = [line[0]["expression"] for line in lines if isinstance(line[0], dict)]
    own = {re.search(r'MetricName="(\w+)"', search)[1] for search in searches if "Earworm/${Environment}" in search}  # type: ignore[index]

    assert own | {line[1] for line in lines if line[0] == "Earworm/${Environment}"} == {
        *("Snapshots", "FailedPlaylists", "Calls", "DaysSinceConsent"),
        *("Rows", "Rejected", "Skipped", "SecondsFromRawToTable"),
        *("FeaturesCoverage", "PopularityCoverage", "GenresCoverage"),
        *("Gaps", "Findings", "DaysSinceSnapshot"),
        *("Failures", "SlowInvocations"),
    }
    assert all(search.endswith((", 86400)", ", 300)")) for search in searches)
    assert all("Earworm/${Environment}" in search or " earworm ${Environment} " in search for search in searches)


@pytest.mark.parametrize("component", [PLATFORM], indirect=True)
def test_the_crawler_runs_on_demand_and_has_to_do_with_a_database_of_its_own_alone(resources: Resources) -> None:
    (crawler,) = resources("AWS::Glue::Crawler").values()
    (policy,) = resources("AWS::IAM::Role")["CrawlerRole"]["Policies"]

    assert "Schedule" not in crawler
    assert crawler["DatabaseName"] == {"Ref": "CrawledDatabase"}
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert json.loads(crawler["Configuration"])["Grouping"]["TableLevelConfiguration"] == 4
    assert "${CrawledDatabase}/*" in json.dumps(policy)
    assert "${Database}" not in json.dumps(policy)


def test_there_is_a_service_for_each_table_and_those_around_them() -> None:
    assert set(SERVICES) == {*TABLES, "audit", "extractor", "listenbrainz", "redrive", "report"}


def _evaluated(value: Any, parameters: dict[str, str]) -> Any:
    """What CloudFormation makes of a value."""
    match value:
        case {"Ref": name}:
            return parameters[name]
        case {"Fn::Split": [separator, text]}:
            return _evaluated(text, parameters).split(separator)
        case {"Fn::Select": [place, listed]}:
            return _evaluated(listed, parameters)[int(place)]
    return value


def _resource_statements(resources: Resources) -> list[dict[str, Any]]:
    kinds = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
    return [s for kind in kinds for p in resources(kind).values() for s in p["PolicyDocument"]["Statement"]]


def _allowed(resources: Resources) -> Iterator[dict[str, Any]]:
    for role in resources("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _logical_id(reference: dict[str, Any]) -> str:
    """The resource that `Ref` or `Fn::GetAtt` in either of its notations names."""
    (target,) = reference.values()
    return str(target[0] if isinstance(target, list) else target.partition(".")[0])
