"""Deploys one stack: uploads its bundle, prepares a change set, executes it and waits.

Nothing here depends on whether CloudFormation is AWS's or the local cloud's: clients are passed in.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, TypeVar
from uuid import uuid4

from boto3.s3.transfer import S3Transfer
from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception, retry_if_result, wait_exponential

from contracts.tables import TABLES
from infra.deploying.stacks import platform_parameter, stack_name, template
from shared import objects

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        ParameterTypeDef,
        ResourceChangeTypeDef,
        StackEventTypeDef,
        StackTypeDef,
        TagTypeDef,
    )
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TaggingTypeDef

    from infra.deploying.build import Bundle

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "extractor": {
        "PLAYLIST_ID": "PlaylistIds",
        "RECCOBEATS_API_URL": "ReccoBeatsApiUrl",
        "RECCOBEATS_ASKED_BY": "ReccoBeatsAskedBy",
        "SPOTIFY_API_URL": "SpotifyApiUrl",
        "SPOTIFY_CALL_BUDGET": "CallBudget",
        "SPOTIFY_MARKET": "Market",
        "SPOTIFY_TOKEN_URL": "SpotifyTokenUrl",
    },
    "listenbrainz": {"LISTENBRAINZ_API_URL": "ApiUrl", "LISTENBRAINZ_CONTACT": "Contact"},
    **{table: {"EARWORM_MAXIMUM_CONCURRENCY": "MaximumConcurrency"} for table in TABLES},
}
"""The template parameters that environment variables set, by service."""

_LARGEST_TEMPLATE = 51_200
"""The most bytes of a template within a request.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

TemplateStore: TypeAlias = Callable[[str], str]


class _Sent(TypedDict, total=False):
    """A template in a request: itself, or where it is."""

    TemplateBody: str
    TemplateURL: str


class _Role(TypedDict, total=False):
    """The role that CloudFormation is to act in, in a request."""

    RoleARN: str


_SET_BY_DEPLOYING = frozenset({"Environment", "CodeBucket", "CodeKey"})
_READ_FROM_THE_PLATFORM = "AWS::SSM::Parameter::Value<String>"
"""The type of the parameters whose values the platform publishes, under the names that `platform_parameter` gives."""

_PROTECTED = frozenset({"prod"})
"""The environments whose stacks nobody deletes by mistake: `remove` asks, and lifts the protection."""

SUPERSEDED = ("earworm", "superseded")
"""The tag of bundles that the artifacts bucket ends after a while."""

_STATEFUL = frozenset(
    {
        "AWS::Glue::Database",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)
"""Resource types whose contents a replacement lacks: objects, messages, subscriptions, log lines.

A table of the catalog is none: what it knows, its partitions, follows from the lake.
"""

_REPLACEMENT: Mapping[str, Literal["yes", "no", "maybe"]] = {"True": "yes", "False": "no", "Conditional": "maybe"}
_TOO_OFTEN = re.compile(r"rate exceeded|throttl|too ?many ?requests", re.IGNORECASE)
_OVERTAKEN = frozenset({"ChangeSetNotFound", "InvalidChangeSetStatus"})
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
_DEPLOYED = frozenset({"CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"})
_ROLLED_BACK = frozenset({"ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_ONLY_TO_BE_REMOVED = frozenset({"CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED"})

DescribedT = TypeVar("DescribedT")


class DeployError(Exception):
    """A stack could not be deployed or removed."""


class ThrottledError(DeployError):
    """A resource failed because its service was called too often: the same may succeed a little later."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The desired state of a stack.

    A parameter that is not named keeps its deployed value; a new stack takes the template's default. Tags that the
    stack has besides stay.

    Attributes:
        name: Its name.
        template: Its template.
        parameters: Values of the template's parameters by name.
        tags: Its tags, which CloudFormation passes on to its resources.
        role_arn: The role that CloudFormation acts in; if None the one that it was last deployed with, or the caller's.
    """

    name: str
    template: Path
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change set's effect on one resource.

    Attributes:
        action: `Add`, `Modify`, `Remove` or another action of CloudFormation's.
        resource: Its logical id.
        type: Its type.
        replacement: Whether it is replaced: yes, no or maybe; maybe is decided during the update.
        causes: The changed properties, as far as CloudFormation lists them, each with the parameters or resources that
            changed it.
    """

    action: str
    resource: str
    type: str
    replacement: Literal["yes", "no", "maybe"] = "no"
    causes: tuple[str, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether the contents of the resource are lost or left behind."""
        return self.type in _STATEFUL and (self.replacement != "no" or self.action == "Remove")


@dataclass(frozen=True, slots=True)
class Plan:
    """A change set that is ready to be executed; none if the stack is up to date."""

    stack: Stack
    stack_id: str
    change_set_id: str | None
    changes: tuple[Change, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """The changes, none if the stack was up to date, and the stack's outputs."""

    stack: str
    changes: tuple[Change, ...]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """The actual state of a stack.

    Attributes:
        name: Its name.
        status: Its status in CloudFormation.
        version: The version of its bundle; None without code.
        changed_at: When it was last deployed, in UTC.
    """

    name: str
    status: str
    version: str | None
    changed_at: datetime


def component_stack(environment: str, component: str, parameters: Mapping[str, str] | None = None) -> Stack:
    """Returns the stack of a component; that of a service needs its bundle, see `service_stack`."""
    return Stack(
        name=stack_name(environment, component),
        template=template(component),
        parameters={"Environment": environment, **(parameters or {})},
        tags={"application": "earworm", "environment": environment, "component": component},
    )


def service_stack(
    environment: str,
    bundle: "Bundle",
    code_bucket: str,
    settings: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
) -> Stack:
    """Returns the stack of one service.

    Args:
        environment: The environment to deploy to.
        bundle: The service's bundle.
        code_bucket: The bucket that it is uploaded to.
        settings: Environment variables; those with a parameter in the service's template are passed on.
        parameters: Parameters of the template; they take precedence over the settings.
    """
    known = _SETTINGS.get(bundle.service, {})
    given = {parameter: settings[variable] for variable, parameter in known.items() if variable in settings}
    code = {"CodeBucket": code_bucket, "CodeKey": bundle.key}
    return component_stack(environment, bundle.service, {**given, **(parameters or {}), **code})


def settable_parameters(
    cloudformation: "CloudFormationClient", component: str, store: TemplateStore | None = None
) -> set[str]:
    """Returns the parameters of a component's template that a user may set; `store` as for `prepare`."""
    types = _declared(cloudformation, _sent(template(component), store))
    return {name for name, type_ in types.items() if type_ != _READ_FROM_THE_PLATFORM} - _SET_BY_DEPLOYING


def upload(s3: "S3Client", bucket: str, bundle: "Bundle") -> None:
    """Upload a bundle, unless it exists already; then it is superseded no more."""
    try:
        s3.delete_object_tagging(Bucket=bucket, Key=bundle.key)
    except ClientError as error:
        if _code(error) != "NoSuchKey":
            raise
        S3Transfer(s3).upload_file(str(bundle.path), bucket, bundle.key)


def supersede(s3: "S3Client", bucket: str, bundle: "Bundle", previous: str | None) -> None:
    """Let the bucket end a service's bundles but for the deployed one and the one before, which a rollback needs.

    Args:
        s3: The client.
        bucket: The artifacts bucket.
        bundle: The deployed one.
        previous: The version before, if there is one.
    """
    folder = bundle.key.rpartition("/")[0]
    needed = {bundle.key, f"{folder}/{previous}.zip"}
    name, value = SUPERSEDED
    tags: TaggingTypeDef = {"TagSet": [{"Key": name, "Value": value}]}
    for found in objects.listed(s3, bucket, f"{folder}/"):
        if found["Key"] not in needed:
            s3.put_object_tagging(Bucket=bucket, Key=found["Key"], Tagging=tags)


def upload_template(s3: "S3Client", bucket: str, body: str) -> str:
    """Upload a template, and tell the address that CloudFormation reads it from."""
    key = f"templates/{sha256(body.encode()).hexdigest()}.yaml"
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def deploy(cloudformation: "CloudFormationClient", stack: Stack) -> Deployment:
    """Bring a stack to its desired state.

    Raises:
        DeployError: The stack is busy or stuck, its template or parameters are refused, or a resource failed.
    """
    return execute(cloudformation, prepare(cloudformation, stack))


def prepare(cloudformation: "CloudFormationClient", stack: Stack, store: TemplateStore | None = None) -> Plan:
    """Find out what would change. A service's bundle need not be uploaded for that.

    Args:
        cloudformation: Where.
        stack: What.
        store: Keeps a template that is too large to be sent with its request, and tells its address.

    Raises:
        DeployError: The stack is busy, stuck or changed by another deployment; its template or parameters are refused.
    """
    sent = _sent(stack.template, store)
    deployed = deployed_stack(cloudformation, stack.name)
    try:
        change_set = cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName=f"deploy-{uuid4().hex}",
            ChangeSetType="UPDATE" if deployed else "CREATE",
            Parameters=_parameters(cloudformation, stack, sent, deployed),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Tags=_tags(stack, deployed),
            **in_role(stack.role_arn),
            **sent,
        )
    except ClientError as error:
        if _code(error) != "ValidationError":
            raise
        raise DeployError(f"{stack.name} cannot be deployed: {_message(error)}") from error
    with _not_overtaken(stack.name):
        described = settled(
            lambda: cloudformation.describe_change_set(ChangeSetName=change_set["Id"]), lambda found: found["Status"]
        )
    plan = Plan(stack, change_set["StackId"], change_set["Id"], (), is_new=deployed is None)
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "CloudFormation gives no reason.")
        discard(cloudformation, plan)
        if not any(words in reason for words in _UNCHANGED):
            raise DeployError(f"{stack.name} cannot be deployed: {reason}")
        return replace(plan, change_set_id=None)
    with _not_overtaken(stack.name):
        return replace(plan, changes=_changes(cloudformation, change_set["Id"]))


def execute(
    cloudformation: "CloudFormationClient", plan: Plan, report: Callable[[int], object] = lambda _: None
) -> Deployment:
    """Carry out a plan and wait until it is done.

    Args:
        cloudformation: The client.
        plan: The plan.
        report: Receives the number of finished resources, repeatedly.

    Raises:
        DeployError: A resource failed; names the first, and whether the stack is rolled back. A ThrottledError if it
            failed for being called too often. Or another deployment was faster.
    """
    if plan.change_set_id is not None:
        token = uuid4().hex
        with _not_overtaken(plan.stack.name):
            cloudformation.execute_change_set(ChangeSetName=plan.change_set_id, ClientRequestToken=token)
        stack = _settled_stack(cloudformation, plan.stack_id, token, report)
        if stack["StackStatus"] not in _DEPLOYED:
            became = "is rolled back" if stack["StackStatus"] in _ROLLED_BACK else f"is {stack['StackStatus']}"
            failure = _first_failure(cloudformation, stack, token)
            error = ThrottledError if _TOO_OFTEN.search(failure) else DeployError
            raise error(f"{plan.stack.name} was not deployed and {became}: {failure}")
    stack = cloudformation.describe_stacks(StackName=plan.stack_id)["Stacks"][0]
    if plan.stack.parameters.get("Environment") in _PROTECTED and not stack.get("EnableTerminationProtection"):
        cloudformation.update_termination_protection(StackName=plan.stack.name, EnableTerminationProtection=True)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    return Deployment(plan.stack.name, plan.changes, outputs)


def discard(cloudformation: "CloudFormationClient", plan: Plan) -> None:
    """Discard a plan and leave nothing of it behind."""
    if plan.is_new:
        cloudformation.delete_stack(StackName=plan.stack_id)
    elif plan.change_set_id is not None:
        cloudformation.delete_change_set(ChangeSetName=plan.change_set_id)


def standing(cloudformation: "CloudFormationClient", environment: str, component: str) -> DeployedStack | None:
    """Returns the actual state of a component's stack; None if it is not deployed."""
    stack = _described(cloudformation, stack_name(environment, component))
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())}
    version = Path(parameters["CodeKey"]).stem if "CodeKey" in parameters else None
    changed_at = stack.get("LastUpdatedTime", stack["CreationTime"])
    return DeployedStack(stack["StackName"], stack["StackStatus"], version, changed_at)


def held(cloudformation: "CloudFormationClient", name: str) -> Sequence[str]:
    """Returns the resources of a stack that have contents, by type and name."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        f"{resource['ResourceType']} {resource.get('PhysicalResourceId', resource['LogicalResourceId'])}"
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] in _STATEFUL
    ]


def remove(
    cloudformation: "CloudFormationClient", name: str, report: Callable[[int], object] = lambda _: None
) -> Sequence[str] | None:
    """Remove a stack, also one that is protected from being deleted by mistake.

    Args:
        cloudformation: The client.
        name: The stack's name.
        report: Receives the number of finished resources, repeatedly.

    Returns:
        The names of the resources that its template retains; None if there was no such stack.

    Raises:
        DeployError: The stack is busy, or a resource could not be removed.
    """
    stack = _described(cloudformation, name)
    if stack is None:
        return None
    _refuse_busy(stack)
    if stack.get("EnableTerminationProtection"):
        cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    token = uuid4().hex
    cloudformation.delete_stack(StackName=stack["StackId"], ClientRequestToken=token)
    if _settled_stack(cloudformation, stack["StackId"], token, report)["StackStatus"] != "DELETE_COMPLETE":
        raise DeployError(f"{name} was not removed: {_first_failure(cloudformation, stack, token)}")
    events = _events(cloudformation, stack["StackId"], token)
    return [event.get("PhysicalResourceId", "") for event in events if event["ResourceStatus"] == "DELETE_SKIPPED"]


def _sent(path: Path, store: TemplateStore | None) -> _Sent:
    """How a template is sent."""
    body = path.read_text()
    size = len(body.encode())
    if size <= _LARGEST_TEMPLATE:
        return {"TemplateBody": body}
    if store:
        return {"TemplateURL": store(body)}
    raise DeployError(
        f"{path} has {size:,} bytes and CloudFormation takes {_LARGEST_TEMPLATE:,}: move a part into a stack "
        f"of its own."
    )


def deployed_stack(cloudformation: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    """Returns a stack that can be updated; None if there is none, or after removing one that failed at creation.

    Raises:
        DeployError: It is busy or stuck.
    """
    stack = _described(cloudformation, name)
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None
    status = stack["StackStatus"]
    if status == "ROLLBACK_COMPLETE":
        # It failed at creation and has no resources; CloudFormation allows only its removal.
        remove(cloudformation, name)
        return None
    _refuse_busy(stack)
    reason = stack.get("StackStatusReason", "CloudFormation gives no reason")
    if status == "UPDATE_ROLLBACK_FAILED":
        raise DeployError(
            f"{name} is stuck, as an update failed and so did its rollback ({reason}): fix that, then run "
            f"`aws cloudformation continue-update-rollback --stack-name {name}` and deploy again."
        )
    if status in _ONLY_TO_BE_REMOVED:
        raise DeployError(f"{name} is {status} ({reason}): fix that, run `earworm remove`, then deploy again.")
    return stack


@contextmanager
def _not_overtaken(name: str) -> Iterator[None]:
    """Says so if another deployment was carried out: CloudFormation then drops the changes that were planned before."""
    try:
        yield
    except ClientError as error:
        if _code(error) not in _OVERTAKEN:
            raise
        raise DeployError(
            f"{name} is being changed by another deployment, which was faster: deploy again when that is over."
        ) from error


def _refuse_busy(stack: "StackTypeDef") -> None:
    status = stack["StackStatus"]
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise DeployError(f"{stack['StackName']} is busy ({status}): try again when that is over.")


def _described(cloudformation: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if _code(error) == "ValidationError" and "does not exist" in _message(error):
            return None
        raise


def _parameters(
    cloudformation: "CloudFormationClient", stack: Stack, sent: _Sent, deployed: "StackTypeDef | None"
) -> "list[ParameterTypeDef]":
    declared = _declared(cloudformation, sent)
    read = {
        name: platform_parameter(stack.parameters["Environment"], name)
        for name, type_ in declared.items()
        if type_ == _READ_FROM_THE_PLATFORM
    }
    given = {**read, **stack.parameters}
    had = {p["ParameterKey"] for p in deployed.get("Parameters", ())} if deployed else set()
    values: list[ParameterTypeDef] = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    kept: list[ParameterTypeDef] = [
        {"ParameterKey": name, "UsePreviousValue": True} for name in sorted(declared.keys() & had - given.keys())
    ]
    return values + kept


def _declared(cloudformation: "CloudFormationClient", sent: _Sent) -> dict[str, str]:
    """Returns the types of a template's parameters by name."""
    described = cloudformation.get_template_summary(**sent).get("Parameters", ())
    return {each["ParameterKey"]: each["ParameterType"] for each in described}


def _tags(stack: Stack, deployed: "StackTypeDef | None") -> "list[TagTypeDef]":
    had = {tag["Key"]: tag["Value"] for tag in deployed.get("Tags", ())} if deployed else {}
    return [{"Key": key, "Value": value} for key, value in {**had, **stack.tags}.items()]


def in_role(role_arn: str | None) -> _Role:
    """Returns the argument that makes CloudFormation act in a role; without one it is the caller's, or the last one."""
    return {"RoleARN": role_arn} if role_arn else {}


def _changes(cloudformation: "CloudFormationClient", change_set_id: str) -> tuple[Change, ...]:
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set_id)
    resources = [change["ResourceChange"] for page in pages for change in page["Changes"]]
    return tuple(
        Change(
            action=resource["Action"],
            resource=resource["LogicalResourceId"],
            type=resource["ResourceType"],
            replacement=_REPLACEMENT[resource.get("Replacement", "False")],
            causes=_causes(resource),
        )
        for resource in resources
    )


def _causes(resource: "ResourceChangeTypeDef") -> tuple[str, ...]:
    by: dict[str, set[str]] = {}
    for detail in resource.get("Details", ()):
        target = detail.get("Target", {})
        entities = by.setdefault(target.get("Name", target.get("Attribute", "")), set())
        if "CausingEntity" in detail:
            entities.add(detail["CausingEntity"])
    return tuple(f"{name} ({', '.join(sorted(by[name]))})" if by[name] else name for name in sorted(by))


def _first_failure(cloudformation: "CloudFormationClient", stack: "StackTypeDef", token: str) -> str:
    """Returns the reason of the resource that failed first: later ones only follow from it."""
    failures = [
        event
        for event in _events(cloudformation, stack["StackId"], token)
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    if not failures:
        return stack.get("StackStatusReason", f"its status is {stack['StackStatus']}.")
    first = failures[-1]
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {first['ResourceStatusReason']}"


def _events(cloudformation: "CloudFormationClient", stack_id: str, token: str) -> "Iterator[StackEventTypeDef]":
    """Returns the events of the stack's latest operation, the newest first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    events = (event for page in pages for event in page["StackEvents"])
    return takewhile(lambda event: event.get("ClientRequestToken") == token, events)


def _settled_stack(
    cloudformation: "CloudFormationClient", stack_id: str, token: str, report: Callable[[int], object]
) -> "StackTypeDef":
    def look() -> "StackTypeDef":
        done = {
            event["LogicalResourceId"]
            for event in _events(cloudformation, stack_id, token)
            if event["ResourceStatus"].endswith(("_COMPLETE", "_SKIPPED"))
            and event.get("PhysicalResourceId") != stack_id
        }
        report(len(done))
        return cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]

    return settled(look, lambda stack: stack["StackStatus"])


def settled(describe: Callable[[], DescribedT], status: Callable[[DescribedT], str]) -> DescribedT:
    """Waits until a description is no longer pending or in progress, and returns it, even if throttled."""
    pending = retry_if_result(lambda found: status(found).endswith(("_PENDING", "_IN_PROGRESS")))
    return Retrying(
        retry=pending | retry_if_exception(_is_throttled),
        wait=wait_exponential(multiplier=0.05, max=5),
    )(describe)


def _is_throttled(error: BaseException) -> bool:
    return isinstance(error, ClientError) and _code(error) in {"Throttling", "ThrottlingException"}


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _message(error: ClientError) -> str:
    return error.response["Error"]["Message"]
