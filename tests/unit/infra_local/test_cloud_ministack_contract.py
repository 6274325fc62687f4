"""What the local cloud's extensions rest on in ministack.

Each gap is shown on ministack as it is. A test that fails after an upgrade says either that the gap is closed, and
its extension can go, or that the hook moved.
"""

import asyncio
import inspect
import json
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, router
from ministack.services import athena, eventbridge, glue, lambda_svc, s3, scheduler, sns, sqs, sts
from ministack.services.cloudformation import engine, provisioners
from starlette.testclient import TestClient

from infra.deploying import stacks
from infra.local.emulator import named_query, templates
from infra.local.emulator.server import MINISTACK, EmulatorError, require_version

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    for service in (athena, glue, s3):
        service.reset()


def test_the_release_is_the_one_that_the_extensions_were_written_for() -> None:
    require_version(version("ministack"))


def test_another_release_is_refused_with_what_to_do() -> None:
    with pytest.raises(
        EmulatorError, match=rf"needs ministack {MINISTACK}, but 9.9.9 is installed.*Install the locked"
    ):
        require_version("9.9.9")


def test_gap_cloudformation_has_no_named_queries() -> None:
    assert named_query.TYPE not in provisioners._RESOURCE_HANDLERS


def test_gap_cloudformation_reads_templates_by_the_slow_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not issubclass(engine.CfnLoader, yaml.CSafeLoader)
    monkeypatch.setattr(engine, "CfnLoader", engine.CfnLoader)
    texts = [stacks.template(each).read_text() for each in stacks.COMPONENTS]
    before = [engine._parse_template(text) for text in texts]

    templates.install()

    assert issubclass(engine.CfnLoader, yaml.CSafeLoader)
    assert [engine._parse_template(text) for text in texts] == before


def test_gap_athena_hands_the_sql_to_duckdb_as_it_is() -> None:
    assert list(inspect.signature(athena._run_duckdb).parameters) == ["query", "database", "catalog"]
    result = asyncio.run(athena._run_duckdb("SELECT 7 / 2", "default"))
    assert result["rows"] == [[3.5]]


def test_hook_athena_keeps_a_query_and_saves_its_results_in_the_same_task() -> None:
    s3._create_bucket("results", b"", {})

    async def query() -> dict[str, Any]:
        request = {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "s3://results/"}}
        _, _, body = athena._start_query_execution(request)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others)
        found: dict[str, Any] = athena._executions[json.loads(body)["QueryExecutionId"]]
        return found

    execution = asyncio.run(query())
    assert execution["Status"]["State"] == "SUCCEEDED"
    assert "DataScannedInBytes" in execution["Statistics"]
    assert list(inspect.signature(athena._save_query_results).parameters) == ["query_id"]


def test_gap_athena_does_not_know_execution_parameters() -> None:
    assert "ExecutionParameters" not in inspect.getsource(athena)
    assert list(inspect.signature(athena._start_query_execution).parameters) == ["data"]
    assert '"StartQueryExecution": _start_query_execution' in inspect.getsource(athena.handle_request)


def test_gap_athena_saves_results_elsewhere_than_it_says() -> None:
    s3._create_bucket("results", b"", {})
    execution = {
        "ResultConfiguration": {"OutputLocation": "s3://results/id.csv"},
        "_results": {"columns": ["n"], "rows": [[1]]},
    }
    athena._executions["id"] = execution
    asyncio.run(athena._save_query_results("id"))
    assert "id.csv" not in s3._buckets["results"]["objects"]


def test_gap_the_crawler_finds_nothing() -> None:
    assert list(inspect.signature(glue._start_crawler).parameters) == ["data"]
    assert "_tables" not in inspect.getsource(glue._start_crawler)


def test_gap_the_scheduler_substitutes_no_context_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    invoked: list[str] = []
    monkeypatch.setattr(eventbridge, "_dispatch_to_lambda", lambda _arn, payload: invoked.append(payload))
    target = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "Input": "<aws.scheduler.scheduled-time>"}
    scheduler._schedules["default/once"] = {
        "State": "ENABLED",
        "ScheduleExpression": "at(2020-01-01T00:00:00)",
        "Arn": "arn:aws:scheduler:us-east-1:000000000000:schedule/default/once",
        "Target": target,
    }
    scheduler._tick_schedules()
    scheduler.reset()
    assert invoked == ["<aws.scheduler.scheduled-time>"]
    assert list(inspect.signature(eventbridge._invoke_target).parameters) == ["target", "event", "rule", "view"]
    assert scheduler._at_time_epoch("at(2020-01-01T00:00:00)") == 1_577_836_800
    assert scheduler._at_time_epoch("rate(7 days)") is None


def test_gap_a_connection_to_the_loopback_port_counts_as_insecure() -> None:
    assert iam_evaluator._request_origin.get() == ("127.0.0.1", False)
    assert list(inspect.signature(iam_evaluator.pin_request_origin).parameters) == ["source_ip", "secure_transport"]


@pytest.mark.parametrize(
    ("service", "parameters"),
    [
        (lambda_svc._sqs_esm_concurrency, ["esm", "func_rec", "config", "queue"]),
        (lambda_svc._emit_lambda_logs, ["func", "request_id", "log_text", "error", "duration_ms", "log_source"]),
        (eventbridge._invoke_target, ["target", "event", "rule", "view"]),
        (scheduler._create_schedule, ["name", "body"]),
    ],
)
def test_gap_services_act_in_the_name_of_a_role_without_asking_it(service: Any, parameters: list[str]) -> None:
    assert list(inspect.signature(service).parameters) == parameters
    assert not [each for each in ("iam_evaluator", "PassRole") if each in inspect.getsource(service)]


def test_gap_a_key_that_is_not_there_asks_for_no_right_to_list() -> None:
    assert "s3:ListBucket" not in inspect.getsource(iam_evaluator)


@pytest.mark.parametrize(
    ("service", "operation", "body", "action", "resource"),
    [
        ("sqs", "AmazonSQS.DeleteMessageBatch", {}, "sqs:DeleteMessageBatch", "*"),
        ("athena", "AmazonAthena.GetQueryResults", {"QueryExecutionId": "id"}, "athena:GetQueryResults", "*"),
        ("athena", "AmazonAthena.ListDatabases", {"CatalogName": "AwsDataCatalog"}, "athena:ListDatabases", "*"),
        (
            "glue",
            "AWSGlue.GetTable",
            {"DatabaseName": "d", "Name": "t"},
            "glue:GetTable",
            "arn:aws:glue:r:1:database/d",
        ),
        (
            "logs",
            "Logs_20140328.PutLogEvents",
            {"logGroupName": "g"},
            "logs:PutLogEvents",
            "arn:aws:logs:r:1:log-group:g",
        ),
    ],
)
def test_gap_actions_and_resources_have_other_names_than_in_policies(
    service: str, operation: str, body: dict[str, str], action: str, resource: str
) -> None:
    """AWS knows no right to a batch, asks on the workgroup of a query, a catalog, a table too, and a log stream."""
    headers, told = {"x-amz-target": operation}, json.dumps(body).encode()
    assert iam_actions.extract_iam_action(service, "POST", "/", headers, told, {}) == action
    assert iam_actions.extract_resource_arn(service, "POST", "/", headers, told, {}, "r", "1") == resource


def test_gap_a_number_of_a_template_reaches_its_resources_as_text() -> None:
    """So the limit of an event source cannot be compared with the functions that work."""
    resolved = engine._resolve_parameters({"Parameters": {"Limit": {"Type": "Number", "Default": 2}}}, [])
    assert resolved["Limit"]["Value"] == "2"


def test_gap_a_condition_of_a_template_joins_nothing() -> None:
    """So a list that is empty is not seen to be, and the role of the analysts trusts nobody."""
    empty = {"Fn::Equals": [{"Fn::Join": ["", [""]]}, ""]}
    assert engine._evaluate_conditions({"Conditions": {"Empty": empty}}, {}) == {"Empty": False}


@pytest.mark.parametrize("key", ["test", "000000000000", "123456789012"])
def test_gap_who_knows_a_name_is_the_root(key: str) -> None:
    assert iam_evaluator.is_root_access_key(key)


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config"])
def test_gap_the_routes_of_its_own_ask_nobody_for_a_signature(path: str) -> None:
    assert TestClient(app.app).post(path).status_code == 200


def test_gap_every_page_is_invited_to_read_the_answers() -> None:
    answer = TestClient(app.app).get("/2015-03-31/functions", headers={"Origin": "https://evil.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_gap_a_functions_credentials_follow_from_its_name_and_its_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "AUTH", True)
    arn, role = "arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:iam::000000000000:role/r"
    digest = sha256(f"{arn}:{role}".encode()).hexdigest()

    issued = lambda_runtime.execution_credentials({"FunctionName": "f", "FunctionArn": arn, "Role": role})
    with_salt = lambda_runtime.execution_credentials({"FunctionName": "f", "FunctionArn": arn, "Role": f"salt/{role}"})

    assert issued["AWS_SECRET_ACCESS_KEY"] == sha256(f"secret:{digest}".encode()).hexdigest()
    assert with_salt["AWS_SECRET_ACCESS_KEY"] != issued["AWS_SECRET_ACCESS_KEY"]
    sessions = [sts._sessions[each["AWS_ACCESS_KEY_ID"]]["Arn"] for each in (issued, with_salt)]
    assert sessions == ["arn:aws:sts::000000000000:assumed-role/r/f"] * 2


def test_hook_the_keys_that_were_given_out_and_the_words_of_a_refusal() -> None:
    assert list(inspect.signature(iam_evaluator.resolve_credential).parameters) == [
        "access_key_id", "account_id", "session_token",
    ]  # fmt: skip
    unknown = iam_evaluator.resolve_credential("AKIASTRANGER", None, "")
    assert isinstance(unknown, iam_evaluator.CredentialResolutionError)
    status, _, body = iam_actions.access_denied_response("s3", "", "", "id", error_code=unknown.code, message="m")
    assert (status, b"<Code>InvalidAccessKeyId</Code>" in body) == (403, True)
    assert lambda_svc.execution_credentials is lambda_runtime.execution_credentials


def test_hook_the_decisions_that_are_recorded() -> None:
    assert list(inspect.signature(iam_evaluator.enforce).parameters) == [
        "access_key_id", "iam_action", "service", "region", "resource_arn", "service_context",
    ]  # fmt: skip
    delivery = ["service", "source_arn", "source_account"]
    assert list(inspect.signature(sqs.queue_policy_allows).parameters) == ["queue_arn", *delivery]
    assert list(inspect.signature(sns.topic_policy_allows).parameters) == ["topic_arn", *delivery]


def test_gap_there_is_no_x_ray() -> None:
    assert "xray" not in app.SERVICE_HANDLERS
    assert "xray" not in router.SERVICE_PATTERNS


def test_gap_a_message_that_sns_delivers_has_no_trace() -> None:
    message: dict[str, Any] = {"body": "{}"}
    sqs._ensure_msg_fields(message)
    assert "AWSTraceHeader" not in message["sys"]
    assert "_sqs._ensure_msg_fields(msg)" in inspect.getsource(sns._deliver_to_sqs)


def test_hook_lambda_asks_for_the_trace_of_each_invocation_where_it_executes_it() -> None:
    assert list(inspect.signature(lambda_svc._execute_function_warm).parameters) == ["func", "event", "request_id"]
    assert "trace_id=_xray_trace_id_for_invocation(config)" in inspect.getsource(lambda_svc._execute_function_warm)
    header = lambda_svc._xray_trace_id_for_invocation({"TracingConfig": {"Mode": "Active"}})
    assert header.endswith("Sampled=1")
    assert lambda_svc._xray_trace_id_for_invocation({}) is None


def test_hook_the_stores_that_the_extensions_read() -> None:
    s3._create_bucket("lake", b"", {})
    s3._put_object("lake", "a/b.parquet", b"1234", {"content-length": "4"})
    assert s3._buckets["lake"]["objects"]["a/b.parquet"]["size"] == 4
    assert s3._get_object_data("lake", "a/b.parquet") == b"1234"
    assert Path(inspect.getfile(glue)).name == "glue.py"
    assert {type(store).__name__ for store in (glue._tables, glue._databases, glue._partitions, glue._crawlers)} == {
        "AccountRegionScopedDict"
    }
