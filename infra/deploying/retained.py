"""Takes the buckets that a removed platform left behind back into a new one."""

import json
import re
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING
from uuid import uuid4

from infra.deploying.deploy import DeployError, Plan, component_stack, deployed_stack, execute, in_role, settled
from infra.deploying.stacks import PLATFORM, stack_name

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

RETAINED = {
    "Artifacts": "earworm-${Environment}-artifacts-${AWS::AccountId}-${AWS::Region}",
    "Bucket": "earworm-${Environment}-${AWS::AccountId}-${AWS::Region}",
}
"""The buckets that outlive the platform's stack: their names in its template by logical id."""


def take_back(
    cloudformation: "CloudFormationClient", s3: "S3Client", environment: str, role_arn: str | None = None
) -> Sequence[str]:
    """Create a new platform's stack by importing the buckets that an earlier one left behind.

    CloudFormation finds resources to import by itself only by a literal name, so they are named here.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html

    Returns:
        The names of the buckets; none if there are none, or the platform is deployed.

    Raises:
        DeployError: A bucket could not be imported.
    """
    name = stack_name(environment, PLATFORM)
    if deployed_stack(cloudformation, name):
        return ()
    here = {"${Environment}": environment, "${AWS::AccountId}": "[0-9]{12}", "${AWS::Region}": s3.meta.region_name}
    there_are = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    buckets = {
        logical_id: bucket
        for logical_id, name_of_it in RETAINED.items()
        for bucket in there_are
        if re.fullmatch(reduce(lambda text, each: text.replace(*each), here.items(), name_of_it), bucket)
    }
    if not buckets:
        return ()
    retained = {
        logical_id: {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"BucketName": {"Fn::Sub": RETAINED[logical_id]}},
        }
        for logical_id in buckets
    }
    change_set = cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=f"take-back-{uuid4().hex}",
        ChangeSetType="IMPORT",
        **in_role(role_arn),
        TemplateBody=json.dumps({"Parameters": {"Environment": {"Type": "String"}}, "Resources": retained}),
        Parameters=[{"ParameterKey": "Environment", "ParameterValue": environment}],
        ResourcesToImport=[
            {
                "ResourceType": "AWS::S3::Bucket",
                "LogicalResourceId": logical_id,
                "ResourceIdentifier": {"BucketName": bucket},
            }
            for logical_id, bucket in buckets.items()
        ],
    )
    described = settled(
        lambda: cloudformation.describe_change_set(ChangeSetName=change_set["Id"]), lambda found: found["Status"]
    )
    if described["Status"] == "FAILED":
        cloudformation.delete_stack(StackName=change_set["StackId"])
        raise DeployError(f"{name} cannot take {', '.join(buckets.values())} back: {described.get('StatusReason')}")
    execute(
        cloudformation,
        Plan(component_stack(environment, PLATFORM), change_set["StackId"], change_set["Id"], (), is_new=True),
    )
    return list(buckets.values())
