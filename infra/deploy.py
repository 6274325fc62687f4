"""Deploys one stack: uploads its bundle, prepares a change set, executes it and waits.

Nothing here knows whether CloudFormation is that of AWS or of the local cloud: clients are passed in.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError
from pydantic import TypeAdapter, ValidationError
from tenacity import Retrying, retry_if_result, wait_exponential

from infra.stacks import PLATFORM, stack_name, template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from infra.build import Bundle

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "extractor": {
        "PLAYLIST_ID": "PlaylistIds",
        "RECCOBEATS_API_URL": "ReccoBeatsApiUrl",
        "SPOTIFY_API_URL": "SpotifyApiUrl",
        "SPOTIFY_CALL_BUDGET": "CallBudget",
        "SPOTIFY_MARKET": "Market",
        "SPOTIFY_TOKEN_URL": "SpotifyTokenUrl",
    }
}
"""The parameters that environment variables set, by service."""

_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
_DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})

_SECRET = TypeAdapter(dict[str, str])
_Described = TypeVar("_Described")


class DeployError(Exception):
    """A stack could not be deployed or removed."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it should be.

    A parameter that is not named here keeps the value that the deployed stack has; a new stack takes the
    template's default.
    """

    name: str
    template: Path
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What a change set does to one resource."""

    action: str
    resource: str
    type: str
    replaces: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A change set that is ready to be executed; without one the stack is as it should be."""

    stack: Stack
    stack_id: str
    change_set_id: str | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was changed, nothing if the stack was as it should be, and the stack's outputs."""

    stack: str
    changes: tuple[Change, ...]
    outputs: Mapping[str, str]


def platform_stack(environment: str, parameters: Mapping[str, str] | None = None) -> Stack:
    """The stack of what all services share."""
    return _stack(environment, PLATFORM, parameters or {})


def service_stack(environment: str, bundle: "Bundle", code_bucket: str, settings: Mapping[str, str]) -> Stack:
    """The stack of one service.

    Args:
        environment: The environment to deploy to.
        bundle: The service's bundle, as it was uploaded.
        code_bucket: The bucket that it was uploaded to.
        settings: Environment variables; those that have a parameter in the service's template are passed on.
    """
    known = _SETTINGS.get(bundle.service, {})
    given = {parameter: settings[variable] for variable, parameter in known.items() if variable in settings}
    return _stack(environment, bundle.service, {"CodeBucket": code_bucket, "CodeKey": code_key(bundle), **given})


def _stack(environment: str, component: str, parameters: Mapping[str, str]) -> Stack:
    return Stack(
        name=stack_name(environment, component),
        template=template(component),
        parameters={"Environment": environment, **parameters},
        tags={"application": "earworm", "environment": environment, "component": component},
    )


def code_key(bundle: "Bundle") -> str:
    """The key of a bundle in the artifacts bucket."""
    return f"bundles/{bundle.service}/{bundle.sha256}.zip"


def upload(s3: "S3Client", bucket: str, bundle: "Bundle") -> None:
    """Upload a bundle, unless it is there already."""
    key = code_key(bundle)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) != "404":
            raise
        s3.upload_file(str(bundle.path), bucket, key)


def deploy(cloudformation: "CloudFormationClient", stack: Stack) -> Deployment:
    """Make a stack what it should be.

    Raises:
        DeployError: The stack is busy, its template or parameters are refused, or a resource failed; the
            stack is then rolled back.
    """
    return execute(cloudformation, prepare(cloudformation, stack))


def prepare(cloudformation: "CloudFormationClient", stack: Stack) -> Plan:
    """Find out what would have to change.

    Raises:
        DeployError: The stack is busy, or its template or parameters are refused.
    """
    deployed = _deployed(cloudformation, stack.name)
    body = stack.template.read_text()
    try:
        change_set = cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName=f"deploy-{uuid4().hex}",
            ChangeSetType="UPDATE" if deployed else "CREATE",
            TemplateBody=body,
            Parameters=_parameters(cloudformation, stack, body, deployed),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
        )
    except ClientError as error:
        if _code(error) != "ValidationError":
            raise
        raise DeployError(f"{stack.name} cannot be deployed: {_message(error)}") from error
    described = _settled(
        lambda: cloudformation.describe_change_set(ChangeSetName=change_set["Id"]), lambda found: found["Status"]
    )
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "CloudFormation gives no reason.")
        cloudformation.delete_change_set(ChangeSetName=change_set["Id"])
        if not any(words in reason for words in _UNCHANGED):
            raise DeployError(f"{stack.name} cannot be deployed: {reason}")
        return Plan(stack, change_set["StackId"], None, ())
    return Plan(stack, change_set["StackId"], change_set["Id"], _changes(cloudformation, change_set["Id"]))


def execute(cloudformation: "CloudFormationClient", plan: Plan) -> Deployment:
    """Carry a plan out and wait until the stack is what it should be.

    Raises:
        DeployError: A resource failed; the stack is rolled back.
    """
    if plan.change_set_id is not None:
        token = uuid4().hex
        cloudformation.execute_change_set(ChangeSetName=plan.change_set_id, ClientRequestToken=token)
        stack = _settled_stack(cloudformation, plan.stack_id)
        if stack["StackStatus"] not in _DEPLOYED:
            raise DeployError(f"{plan.stack.name} was not deployed: {_first_failure(cloudformation, stack, token)}")
    stack = cloudformation.describe_stacks(StackName=plan.stack_id)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    return Deployment(plan.stack.name, plan.changes, outputs)


def remove(cloudformation: "CloudFormationClient", name: str) -> bool:
    """Remove a stack, and tell whether there was one. What its template retains stays: both buckets.

    Raises:
        DeployError: A resource could not be removed.
    """
    stack = _described(cloudformation, name)
    if stack is None:
        return False
    token = uuid4().hex
    cloudformation.delete_stack(StackName=stack["StackId"], ClientRequestToken=token)
    if _settled_stack(cloudformation, stack["StackId"])["StackStatus"] != "DELETE_COMPLETE":
        raise DeployError(f"{name} was not removed: {_first_failure(cloudformation, stack, token)}")
    return True


def spotify_secret_name(environment: str) -> str:
    """The secret in Secrets Manager that the extractor reads."""
    return f"earworm/{environment}/spotify"


def stored_spotify_secret(secretsmanager: "SecretsManagerClient", environment: str) -> dict[str, str] | None:
    """What the secret holds, None where there is none.

    Raises:
        DeployError: It holds something else than a JSON object; never tells what.
    """
    name = spotify_secret_name(environment)
    try:
        stored = secretsmanager.get_secret_value(SecretId=name)
    except secretsmanager.exceptions.ResourceNotFoundException:
        return None
    try:
        return _SECRET.validate_json(stored.get("SecretString", ""))
    except ValidationError:
        raise DeployError(
            f"The secret {name} in Secrets Manager is no JSON object of texts: mend it, or delete it and try again."
        ) from None


def store_spotify_secret(
    secretsmanager: "SecretsManagerClient",
    environment: str,
    client_id: str,
    client_secret: str,
    consent: Mapping[str, str] | None = None,
) -> bool:
    """Keep the Spotify application's credentials where the extractor reads them, and tell whether they are new.

    Args:
        secretsmanager: Where secrets are kept.
        environment: The environment whose extractor they are for.
        client_id: The application's.
        client_secret: The application's.
        consent: A user's, as `refresh_token` and `consented_at`. Without one, what is stored beside the same
            client_id stays; a consent that was given to another application is worth nothing to this one.

    Raises:
        DeployError: The secret holds something else already.
    """
    name = spotify_secret_name(environment)
    stored = stored_spotify_secret(secretsmanager, environment)
    kept = stored if stored and stored.get("client_id") == client_id else {}
    secret = {**kept, "client_id": client_id, "client_secret": client_secret, **(consent or {})}
    if stored is None:
        secretsmanager.create_secret(
            Name=name,
            Description="The Spotify application that the extractor acts for.",
            SecretString=json.dumps(secret),
        )
    elif secret != stored:
        secretsmanager.put_secret_value(SecretId=name, SecretString=json.dumps(secret))
    return secret != stored


def _deployed(cloudformation: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    stack = _described(cloudformation, name)
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None
    if stack["StackStatus"] == "ROLLBACK_COMPLETE":
        # It failed when it was new, has no resources, and CloudFormation lets it only be removed.
        remove(cloudformation, name)
        return None
    if stack["StackStatus"].endswith("_IN_PROGRESS"):
        raise DeployError(f"{name} is busy ({stack['StackStatus']}): try again when that is over.")
    return stack


def _described(cloudformation: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if _code(error) == "ValidationError" and "does not exist" in _message(error):
            return None
        raise


def _parameters(
    cloudformation: "CloudFormationClient", stack: Stack, body: str, deployed: "StackTypeDef | None"
) -> "list[ParameterTypeDef]":
    declared = {p["ParameterKey"] for p in cloudformation.validate_template(TemplateBody=body)["Parameters"]}
    had = {p["ParameterKey"] for p in deployed.get("Parameters", ())} if deployed else set()
    given: list[ParameterTypeDef] = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in stack.parameters.items()
    ]
    kept: list[ParameterTypeDef] = [
        {"ParameterKey": name, "UsePreviousValue": True} for name in sorted(declared & had - stack.parameters.keys())
    ]
    return given + kept


def _changes(cloudformation: "CloudFormationClient", change_set_id: str) -> tuple[Change, ...]:
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set_id)
    resources = [change["ResourceChange"] for page in pages for change in page["Changes"]]
    return tuple(
        Change(
            action=resource["Action"],
            resource=resource["LogicalResourceId"],
            type=resource["ResourceType"],
            replaces=resource.get("Replacement", "False") != "False",
        )
        for resource in resources
    )


def _first_failure(cloudformation: "CloudFormationClient", stack: "StackTypeDef", token: str) -> str:
    """The reason of the resource that failed first: those after it only failed because of it."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
    failures = [
        event
        for page in pages
        for event in page["StackEvents"]
        if event.get("ClientRequestToken") == token and event["ResourceStatus"].endswith("_FAILED")
    ]
    if not failures:
        return stack.get("StackStatusReason", f"its status is {stack['StackStatus']}.")
    first = failures[-1]
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {first['ResourceStatusReason']}"


def _settled_stack(cloudformation: "CloudFormationClient", stack_id: str) -> "StackTypeDef":
    return _settled(
        lambda: cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0], lambda stack: stack["StackStatus"]
    )


def _settled(describe: Callable[[], _Described], status: Callable[[_Described], str]) -> _Described:
    """What is described, when it is no longer pending or in progress."""
    return Retrying(
        retry=retry_if_result(lambda found: status(found).endswith(("_PENDING", "_IN_PROGRESS"))),
        wait=wait_exponential(multiplier=0.05, max=5),
    )(describe)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _message(error: ClientError) -> str:
    return error.response["Error"]["Message"]
