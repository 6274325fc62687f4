"""A template's policies as CloudFormation makes them: with names and ARNs in the place of functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
_HERE: Final = f"{REGION}:{ACCOUNT}"
_PSEUDO: Final = {"AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::Region": REGION}
_OF_THE_PLATFORM: Final = {
    "Bucket": f"earworm-dev-{ACCOUNT}-{REGION}",
    "TopicArn": f"arn:aws:sns:{_HERE}:earworm-dev-raw-snapshots",
    "ChartsTopicArn": f"arn:aws:sns:{_HERE}:earworm-dev-raw-charts",
    "AlarmTopicArn": f"arn:aws:sns:{_HERE}:earworm-dev-alarms",
    "PagesTopicArn": f"arn:aws:sns:{_HERE}:earworm-dev-pages",
    "Database": "earworm_dev",
    "Workgroup": "earworm-dev",
    "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/earworm-dev-boundary",
    "RolePath": "/earworm/dev/",
}
"""What the platform publishes, by the parameters that read it."""
_GIVEN: Final = {"CodeBucket": "code", "CodeKey": "bundles/x/5eed.zip", "Contact": "charts@label.example"}
_NAMED_BY: Final = {
    "AWS::Glue::Crawler": "Name",
    "AWS::Athena::WorkGroup": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Serverless::Function": "FunctionName",
}
_ARNS: Final = {
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{{}}",
    "AWS::IAM::OIDCProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:{{}}",
    "AWS::Serverless::Function": f"arn:aws:lambda:{_HERE}:function:{{}}",
}
_NOTHING: Final = object()


@dataclass(frozen=True)
class Resolved:
    """A template with the values of its parameters."""

    template: Mapping[str, Any]
    given: Mapping[str, Any] = field(default_factory=dict)

    def properties(self, logical_id: str) -> Any:
        """A resource's properties."""
        return self._value(self.template["Resources"][logical_id]["Properties"])

    def _value(self, node: Any) -> Any:  # noqa: PLR0911 - one line for each function
        match node:
            case {"Ref": "AWS::NoValue"}:
                return _NOTHING
            case {"Ref": name}:
                return self._ref(name)
            case {"Fn::GetAtt": [name, *attribute]}:
                return self._attribute(name, ".".join(attribute))
            case {"Fn::Sub": [text, values]}:
                return self._text(text, self._value(values))
            case {"Fn::Sub": text}:
                return self._text(text, {})
            case {"Fn::If": [condition, then, otherwise]}:
                return self._value(then if self._holds(condition) else otherwise)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self._value(parts))
            case dict():
                values = {name: self._value(value) for name, value in node.items()}
                return {name: value for name, value in values.items() if value is not _NOTHING}
            case list():
                return [value for each in node if (value := self._value(each)) is not _NOTHING]
        return node

    def _holds(self, condition: Any) -> bool:
        match condition:
            case str():
                return self._holds(self.template["Conditions"][condition])
            case {"Fn::Not": [other]}:
                return not self._holds(other)
            case {"Fn::Equals": [one, other]}:
                return str(self._value(one)) == str(self._value(other))
        raise AssertionError(condition)

    def _text(self, text: str, values: Mapping[str, str]) -> str:
        def one(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            if name in values:
                return values[name]
            return str(self._attribute(name, attribute) if attribute else self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", one, text)

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self.template["Resources"]:
            return self._attribute(name, "Arn") if self._type(name) in _REFERRED_TO_BY_ARN else self._name(name)
        parameter = self.template["Parameters"][name]
        value = {**_OF_THE_PLATFORM, **_GIVEN, **self.given}.get(name, parameter.get("Default"))
        return value.split(",") if parameter["Type"] == "CommaDelimitedList" else value

    def _attribute(self, name: str, attribute: str) -> str:
        if attribute == "Arn":
            return _ARNS[self._type(name)].format(self._name(name))
        assert attribute in {"QueueName", "PolicyArn"}, attribute
        return self._name(name)

    def _name(self, logical_id: str) -> str:
        if self._type(logical_id) == "AWS::Glue::Database":
            return str(self.properties(logical_id)["DatabaseInput"]["Name"])
        if self._type(logical_id) == "AWS::IAM::Role":
            properties = self.template["Resources"][logical_id]["Properties"]
            return f"{self._value(properties.get('Path', '/'))}{self._value(properties.get('RoleName', logical_id))}"
        named_by = _NAMED_BY.get(self._type(logical_id))
        return str(self.properties(logical_id)[named_by]) if named_by else logical_id

    def _type(self, logical_id: str) -> str:
        return str(self.template["Resources"][logical_id]["Type"])


_REFERRED_TO_BY_ARN: Final = {"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider"}
