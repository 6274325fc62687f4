"""What the code asks of AWS, and what it must not get: the files `calls.yaml` beside it, as calls of policies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import yaml
from samtranslator.yaml_helper import yaml_parse

from contracts.tables import TABLES
from infra.deploying.stacks import COMPONENTS, PLATFORM, ROOT, SERVICES, template
from shared.lake import KINDS, kind_of
from tests.policies.resolved import ACCOUNT, REGION, Resolved

BOOTSTRAP: Final = "bootstrap"
GIVEN: Final = {"listenbrainz": {"SecretName": "listenbrainz-token"}, BOOTSTRAP: {"Repository": "label/earworm"}}
WITHOUT_REGION: Final = {"iam": f"arn:aws:iam::{ACCOUNT}:", "s3": "arn:aws:s3:::", "sts": f"arn:aws:iam::{ACCOUNT}:"}
LAKES: Final = {name: f"earworm-{of}-{ACCOUNT}-{REGION}" for name, of in (("lake", "dev"), ("lake-of-prod", "prod"))}
ALLOW_ALL: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NOBODYS: Final[Mapping[str, str]] = {
    "cloudformation:UpdateStack": "stack/earworm-dev-platform/5eed",
    "iam:CreateUser": "user/mallory",
    "iam:PutRolePolicy": "role/earworm/dev/Role",
    "lambda:UpdateFunctionCode": "function:earworm-dev-extractor",
    "s3:DeleteBucket": "lake",
    "s3:DeleteObjectVersion": "lake/raw/spotify/2026-11-23/p/playlist.json",
    "s3:PutBucketPolicy": "lake",
    "sns:Subscribe": "earworm-dev-raw-snapshots",
    "sqs:DeleteQueue": "earworm-dev-songs",
    "ssm:PutParameter": "parameter/earworm/dev/bucket",
    "sts:AssumeRole": "role/another",
}
"""Actions that no role has any business with, each on a resource."""


@dataclass(frozen=True)
class Case:
    """A call that a policy allows or denies.

    Attributes:
        component: Whose template has the policy.
        policy: The logical id of the role, or of a resource's policy.
        caller: The principal, unless it is the role.
        action: What is called.
        resource: The ARN of what it is called on.
        context: The values of condition keys.
        allowed: Whether it is to be allowed.
    """

    component: str
    policy: str
    caller: str | None
    action: str
    resource: str
    context: Mapping[str, str]
    allowed: bool

    def __str__(self) -> str:
        of = {name: value for name, value in self.context.items() if name != "aws:SecureTransport" or value == "false"}
        what = " ".join([self.resource.removeprefix("arn:aws:"), *(f"{name}={value}" for name, value in of.items())])
        verb = "may" if self.allowed else "may-not"
        return f"{self.component}.{self.policy} {self.caller or ''} {verb} {self.action} {what}"

    def simulation(self, *, bounded: bool = False) -> dict[str, Any]:
        """What the evaluator takes: with the boundary of the environment's roles, or without."""
        properties = resolved(self.component).properties(self.policy)
        policies = [
            {"name": policy["PolicyName"], "policy": policy["PolicyDocument"]}
            for policy in properties.get("Policies", ())
        ]
        simulated: dict[str, Any] = {"serviceControlPolicies": [], "resourceControlPolicies": []}
        if bounded:
            boundary = resolved(BOOTSTRAP).properties("Boundary")["PolicyDocument"]
            simulated["permissionBoundaryPolicies"] = [{"name": "boundary", "policy": boundary}]
        if self.caller is None:
            simulated["identityPolicies"] = policies
        else:
            is_service = self.caller.endswith(".amazonaws.com")
            simulated["identityPolicies"] = [] if is_service else [{"name": "all", "policy": ALLOW_ALL}]
            simulated["resourcePolicy"] = properties.get("PolicyDocument") or properties["AssumeRolePolicyDocument"]
        simulated["request"] = {
            "action": self.action,
            "principal": self.caller or f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.policy}/session",
            "resource": {"accountId": ACCOUNT, "resource": self.resource},
            "contextVariables": self.context,
        }
        return simulated


@cache
def resolved(component: str) -> Resolved:
    path = ROOT / "infra/bootstrap.yaml" if component == BOOTSTRAP else template(component)
    return Resolved(yaml_parse(path.read_text()), GIVEN.get(component, {}))


def declared(component: str) -> dict[str, Any]:
    """What stands beside a component's code."""
    if component == PLATFORM:
        return {**_read("infra/calls.yaml"), **_read("analytics/calls.yaml")}
    if component == BOOTSTRAP:
        return _read("infra/deploying/calls.yaml")
    if component in TABLES:
        names = {"<table>": component, "<service>": component.replace("_", "-")}
        kind = kind_of(TABLES[component])
        topic = "earworm-dev-raw-charts" if kind is KINDS["charts"] else "earworm-dev-raw-snapshots"
        return _read("shared/calls.yaml", {**names, "<folder>": kind.folder, "<topic>": topic})
    return _read(f"services/{component}/calls.yaml")


def _read(file: str, filling: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    text = (ROOT / file).read_text()
    for name, value in filling.items():
        text = text.replace(name, value)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def cases(component: str) -> Iterator[Case]:
    for policy, told in declared(component).items():
        for allowed, verdict in ((True, "allowed"), (False, "denied")):
            for action, listed in told[verdict].items():
                for call in listed:
                    yield case(component, policy, told.get("principal"), action, call, allowed=allowed)
        for allowed, verdict in ((True, "trusted"), (False, "distrusted")):
            for principal in told.get(verdict, ()):
                context = dict(principal) if isinstance(principal, dict) else {"principal": principal}
                caller = context.pop("principal")
                call = {"resource": f"role/{policy}", **context}
                yield case(component, policy, caller, "sts:AssumeRole", call, allowed=allowed)
        if "principal" not in told and component != BOOTSTRAP:
            for action, resource in NOBODYS.items():
                yield case(component, policy, None, action, resource, allowed=False)


def case(component: str, policy: str, caller: str | None, action: str, call: Any, *, allowed: bool) -> Case:
    context = dict(call) if isinstance(call, dict) else {"resource": call}
    resource = context.pop("resource")
    service = action.partition(":")[0]
    for name, bucket in LAKES.items():
        if resource == name or resource.startswith(f"{name}/"):
            resource = bucket + resource.removeprefix(name)
    if resource != "*" and not resource.startswith("arn:"):
        resource = WITHOUT_REGION.get(service, f"arn:aws:{service}:{REGION}:{ACCOUNT}:") + resource
    return Case(component, policy, caller, action, resource, {"aws:SecureTransport": "true", **context}, allowed)


POLICED: Final = [*(each for each in COMPONENTS if each in {PLATFORM, *SERVICES}), BOOTSTRAP]
