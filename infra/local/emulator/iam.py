# ruff: noqa: SLF001 - it hooks into what ministack keeps private
"""Completes ministack's enforcement of IAM, and records what was allowed and denied.

ministack answers each request as the policies of its caller and of the resource say, gives a function the
credentials of its role, and lets S3 and SNS deliver only where the policy of the topic or queue allows it. But what a
service does in the name of a role it lets through unasked. Here the role is evaluated:

- an event source mapping reads and deletes messages as its function's role, and stops without the right;
- Lambda writes a function's log as the function's role;
- EventBridge Scheduler must be trusted by its schedule's role, which must be allowed to invoke the function;
- who makes a schedule must be allowed to pass its role on;
- who asks for a key that is not there learns so only with the right to list the bucket;
- a call on a query of Athena is one on the query's workgroup, one on a database or table one on its catalog;
- a call on a path of parameters is one on that path;
- a call on a table of Glue takes the right to the table, to its database and to the catalog;
- a batch of SQS takes the right to the action itself.

The emulated crawler asks its role, and Athena whoever sent the query, through `role_may` and `caller_may`.

The loopback port speaks plain HTTP in the place of AWS's endpoints, where TLS ends before anything is evaluated: every
connection counts as secure, those of services too, so a statement that demands TLS denies nothing here.

Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (404 or 403 for a key that is not there)
    https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html (a table, and what it is in)
"""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Final

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import athena, eventbridge, iam, lambda_svc, s3, scheduler, sns, sqs

from infra.local.processes import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SCHEDULER: Final = "scheduler.amazonaws.com"
_SCHEDULER_EVENTS: Final = "aws.scheduler"
_S3: Final = "arn:aws:s3:::"
_POLLING: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_LOGGING: Final = ("logs:CreateLogStream", "logs:PutLogEvents")


class _Decisions:
    """The record of what was decided. Threads add to it side by side, so each line is one write without a buffer."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    def open(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def add(self, decision: Mapping[str, Any]) -> None:
        if self._file:
            self._file.write(f"{json.dumps(decision)}\n".encode())


_decisions: Final = _Decisions()


def install(decisions: Path) -> None:
    """Let ministack ask the roles that services act in, and write down what is decided.

    Args:
        decisions: File for a line of JSON for each decision: `principal` (the ARN of a role's session, or the name of
            a service), `action`, `resource`, `allowed`, and `source` where a service acts for a resource. What the
            account's root does is not decided on.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    from ministack import app  # noqa: PLC0415 - it reads the environment while it is imported

    _decisions.open(decisions)
    app.pin_request_origin = lambda source_ip, _: iam_evaluator.pin_request_origin(source_ip, secure_transport=True)
    iam_evaluator._request_origin = ContextVar("request_origin", default=(HOST, True))
    _parse_policies_once()
    _record_requests()
    _record_deliveries()
    _ask_for_functions()
    _ask_for_schedules()
    _name_as_policies_do()


def session_of(role_arn: str, name: str) -> str:
    """Returns the ARN of the principal that acts in a role under a name."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def role_may(session: str, action: str, resource: str, **context: str) -> bool:
    """Returns whether a role's own policies allow an action and none of them denies it.

    Args:
        session: ARN of the principal that acts in the role.
        action: As policies spell it, `sqs:ReceiveMessage`.
        resource: ARN of what the action touches.
        context: Values of condition keys, whose colon is an underscore here: `s3_prefix`.
    """
    account, role = session.split(":")[4], session.split("/")[1]
    evaluated = iam_evaluator.EvalContext(
        principal_arn=session,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={key.replace("_", ":"): value for key, value in context.items()},
    )
    decision = iam_evaluator.evaluate(evaluated, iam_evaluator._gather_role_policies(role, account)).decision
    return _record(session, action, resource, allowed=decision == "Allow")


def caller_may(action: str, resource: str, **context: str) -> bool:
    """Returns whether the current request is from a role that allows an action, or from the root, who may do all.

    The arguments are those of `role_may`.
    """
    caller = iam_evaluator.caller_arn()
    return ":assumed-role/" not in caller or role_may(caller, action, resource, **context)


def role_trusts(role_arn: str, service: str, source_arn: str) -> bool:
    """Returns whether a service may assume a role when it acts for a resource.

    Args:
        role_arn: The role.
        service: Such as `scheduler.amazonaws.com`.
        source_arn: The resource, which conditions know as aws:SourceArn.
    """
    evaluated = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=get_region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": get_account_id()},
    )
    role = iam._roles.get(role_arn.rpartition("/")[2]) or {}
    trust = iam_evaluator.evaluate_resource_policy(role.get("AssumeRolePolicyDocument"), evaluated, service=service)
    return _record(service, "sts:AssumeRole", role_arn, allowed=trust.decision == "Allow", source=source_arn)


def _record(principal: str, action: str, resource: str, *, allowed: bool, source: str | None = None) -> bool:
    record = {"principal": principal, "action": action, "resource": resource, "allowed": allowed}
    _decisions.add(record | ({"source": source} if source else {}))
    return allowed


def _parse_policies_once() -> None:
    parse = iam_evaluator.parse_policy_document
    of_text = lru_cache(maxsize=1000)(parse)

    def parse_text_once(document: str | dict[str, Any]) -> list[iam_evaluator.ParsedStatement]:
        """Each request asks for the policies of its caller, twice."""
        statements: list[iam_evaluator.ParsedStatement]
        statements = of_text(document) if isinstance(document, str) else parse(document)
        return statements

    iam_evaluator.parse_policy_document = parse_text_once


def _record_requests() -> None:
    enforce = iam_evaluator.enforce

    def recorded(access_key: str, action: str, service: str, region: str, **further: Any) -> Any:
        denied = enforce(access_key, action, service, region, **further)
        if iam_evaluator.is_root_access_key(access_key):
            return denied
        resource = further.get("resource_arn", "*")
        _record(iam_evaluator.caller_arn(), action, resource, allowed=denied is None)
        bucket, _, key = resource.removeprefix(_S3).partition("/")
        if not denied and action == "s3:GetObject" and key not in s3._buckets.get(bucket, {}).get("objects", {key}):
            return recorded(access_key, "s3:ListBucket", service, region, resource_arn=f"{_S3}{bucket}")
        if not denied and action.startswith("glue:") and (around := _around(resource)):
            return recorded(access_key, action, service, region, resource_arn=around)
        return denied

    iam_evaluator.enforce = recorded


def _around(resource: str) -> str | None:
    """Returns the ARN of what a table or a database of Glue is in."""
    arn, _, name = resource.rpartition(":")
    match name.split("/"):
        case ["table", database, _]:
            return f"{arn}:database/{database}"
        case ["database", _]:
            return f"{arn}:catalog"
    return None


def _record_deliveries() -> None:
    to_queue, to_topic = sqs.queue_policy_allows, sns.topic_policy_allows

    def may_send(queue: str, service: str, source: str, account: str) -> bool:
        allowed = to_queue(queue, service, source, account)
        return _record(service, "sqs:SendMessage", queue, allowed=allowed, source=source)

    def may_publish(topic: str, service: str, source: str, account: str) -> bool:
        allowed = to_topic(topic, service, source, account)
        return _record(service, "sns:Publish", topic, allowed=allowed, source=source)

    sqs.queue_policy_allows = may_send
    sns.topic_policy_allows = may_publish


def _ask_for_functions() -> None:
    concurrency, emit = lambda_svc._sqs_esm_concurrency, lambda_svc._emit_lambda_logs

    def function_may(config: dict[str, Any], actions: tuple[str, ...], resource: str) -> bool:
        session = session_of(config["Role"], config["FunctionName"])
        return all(role_may(session, action, resource) for action in actions)

    def of_the_role(mapping: Any, function: Any, config: dict[str, Any], queue: dict[str, Any]) -> int:
        waits = any(message["visible_at"] <= time.time() for message in queue["messages"])
        may = waits and function_may(config, _POLLING, queue["attributes"]["QueueArn"])
        # ministack hands a template's parameter on as text, those of type Number too.
        return int(concurrency(mapping, function, config, queue)) if may else 0

    def emit_as_the_role(function: dict[str, Any], *arguments: Any, **options: Any) -> None:
        config = function.get("config") or function
        group = config.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{config['FunctionName']}")
        stream = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:of-the-function"
        if function_may(config, _LOGGING, stream):
            emit(function, *arguments, **options)

    lambda_svc._sqs_esm_concurrency = of_the_role
    lambda_svc._emit_lambda_logs = emit_as_the_role


def _ask_for_schedules() -> None:
    invoke, create = eventbridge._invoke_target, scheduler._create_schedule

    def may_invoke(schedule: dict[str, Any]) -> bool:
        role, function = schedule["Target"]["RoleArn"], schedule["Target"]["Arn"]
        group = f"arn:aws:scheduler:{get_region()}:{get_account_id()}:schedule-group/{schedule['GroupName']}"
        session = session_of(role, schedule["Name"])
        return role_trusts(role, _SCHEDULER, group) and role_may(session, "lambda:InvokeFunction", function)

    def invoke_as_the_role(target: Any, event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        if event.get("Source") != _SCHEDULER_EVENTS or may_invoke(rule):
            invoke(target, event, rule, view)

    def create_with_a_role_passed_on(name: str, body: dict[str, Any]) -> Any:
        role = body.get("Target", {}).get("RoleArn", "")
        if not caller_may("iam:PassRole", role, iam_passedtoservice=_SCHEDULER):
            caller = iam_evaluator.caller_arn()
            sentence = f"User: {caller} is not authorized to perform: iam:PassRole on resource: {role}"
            return scheduler._error(403, "AccessDeniedException", sentence)
        return create(name, body)

    eventbridge._invoke_target = invoke_as_the_role
    scheduler._create_schedule = create_with_a_role_passed_on


def _name_as_policies_do() -> None:
    action_of, resource_arn = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def without_batch(service: str, *request: Any) -> str | None:
        action: str | None = action_of(service, *request)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    def of_what_is_named(service: str, method: str, path: str, headers: Any, body: bytes, *further: Any) -> str:
        arn: str = resource_arn(service, method, path, headers, body, *further)
        record = json.loads(body or b"{}") if service == "athena" else {}
        if service == "athena" and (arn == "*" or "CatalogName" in record):
            executions, named = athena._executions, athena._named_queries
            query = executions.get(record.get("QueryExecutionId")) or named.get(record.get("NamedQueryId")) or {}
            catalog = record.get("CatalogName") or ("QueryString" not in record and record.get("Name"))
            name = f"datacatalog/{catalog}" if catalog else f"workgroup/{query.get('WorkGroup', 'primary')}"
            arn = f"arn:aws:athena:{get_region()}:{get_account_id()}:{name}"
        if service == "glue" and (database := json.loads(body or b"{}").get("DatabaseName")):
            record = json.loads(body)
            table = record.get("TableName") or record.get("TableInput", record).get("Name", "*")
            arn = f"arn:aws:glue:{get_region()}:{get_account_id()}:table/{database}/{table}"
        if service == "ssm" and arn == "*" and (parameters := json.loads(body or b"{}").get("Path")):
            arn = f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter{parameters}"
        return arn

    iam_actions.extract_iam_action = without_batch
    iam_actions.extract_resource_arn = of_what_is_named
