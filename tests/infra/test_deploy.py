import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.error import URLError

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.deploying import deploy as deploying
from infra.deploying.build import LOCAL, Bundle, build
from infra.deploying.deploy import (
    SUPERSEDED,
    Change,
    DeployError,
    Deployment,
    Plan,
    Stack,
    ThrottledError,
    component_stack,
    deploy,
    discard,
    execute,
    held,
    prepare,
    remove,
    service_stack,
    settable_parameters,
    standing,
    supersede,
    upload,
    upload_template,
)
from infra.deploying.secrets import store_spotify_secret, stored_spotify_secret
from infra.deploying.stacks import ANALYTICS, PLATFORM, ROOT, SERVICES
from infra.local.loopback import HEALTH_PATH
from infra.local.processes import free_port

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "eu-west-1"
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "ROOTOFTHETESTS", "AWS_SECRET_ACCESS_KEY": "secret"}


@dataclass(frozen=True)
class Cloud:
    """An emulated AWS of its own for these tests."""

    endpoint: str

    def client(self, service: str) -> Any:
        return boto3.client(
            cast("Any", service),
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ROOT_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ROOT_KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def run_script(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs infra/deploying/deploy.sh with the AWS CLI that `make test` sets up."""
        cli = ROOT / ".venv/tools/aws/bin"
        assert (cli / "aws").exists(), (
            "run `make test`, which sets up the tools, or `make .venv/tools/aws/.ready` alone"
        )
        return subprocess.run(
            [ROOT / "infra/deploying/deploy.sh", *arguments],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                "PATH": f"{cli}{os.pathsep}{os.environ['PATH']}",
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_DEFAULT_REGION": REGION,
                **ROOT_KEYS,
                "EARWORM_LAMBDA_TARGET": "local",
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    port, folder = free_port(), tmp_path_factory.mktemp("emulator")
    with (folder / "log").open("w") as log:
        emulator = subprocess.Popen(
            [sys.executable, "-m", "infra.local.emulator", "--port", str(port), "--state", folder],
            env={"PATH": os.environ["PATH"], **ROOT_KEYS},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}{HEALTH_PATH}")
        yield Cloud(f"http://127.0.0.1:{port}")
    finally:
        emulator.terminate()
        emulator.wait(10)


@pytest.fixture
def cloudformation(cloud: Cloud) -> "CloudFormationClient":
    return cast("CloudFormationClient", cloud.client("cloudformation"))


@pytest.fixture
def s3(cloud: Cloud) -> "S3Client":
    return cast("S3Client", cloud.client("s3"))


@pytest.fixture
def platform(cloudformation: "CloudFormationClient") -> Deployment:
    return deploy(cloudformation, component_stack("dev", PLATFORM))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle whose function does nothing: what it does is not what is deployed here."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(b"PK\x05\x06" + bytes(18))
    return Bundle("extractor", path, "5e" * 32, 0, 22)


def test_settings_that_the_template_has_a_parameter_for_are_passed_on(bundle: Bundle) -> None:
    settings = {"PLAYLIST_ID": "one,two", "SPOTIFY_MARKET": "DE", "HOME": "/root"}

    stack = service_stack("prod", bundle, "artifacts", settings)

    assert stack.name == "earworm-prod-extractor"
    assert stack.parameters == {
        "Environment": "prod",
        "CodeBucket": "artifacts",
        "CodeKey": "bundles/extractor/5e5e5e5e5e5e.zip",
        "PlaylistIds": "one,two",
        "Market": "DE",
    }


def test_the_name_of_a_stack_has_dashes(bundle: Bundle) -> None:
    track_features = Bundle("track_features", bundle.path, bundle.sha256, 0, 22)

    assert service_stack("dev", track_features, "artifacts", {"PLAYLIST_ID": "one"}) == Stack(
        name="earworm-dev-track-features",
        template=service_stack("dev", track_features, "", {}).template,
        parameters={
            "Environment": "dev",
            "CodeBucket": "artifacts",
            "CodeKey": "bundles/track_features/5e5e5e5e5e5e.zip",
        },
        tags={"application": "earworm", "environment": "dev", "component": "track_features"},
    )


@pytest.mark.parametrize(
    ("reason", "throttled"),
    [
        ('Resource handler returned message: "Rate exceeded (Service: CloudWatch, Status Code: 400)"', True),
        ("Too Many Requests (Service: Lambda, Status Code: 429, HandlerErrorCode: Throttling)", True),
        ("Queue earworm-dev-songs already exists", False),
    ],
)
def test_a_stack_that_failed_for_being_called_too_often_says_so(reason: str, *, throttled: bool) -> None:
    class Failing:
        stack: ClassVar = {"StackName": "earworm-dev-songs", "StackId": "id", "StackStatus": "ROLLBACK_COMPLETE"}

        def execute_change_set(self, **asked: str) -> None:
            self.token = asked["ClientRequestToken"]

        def describe_stacks(self, **_: str) -> dict[str, Any]:
            return {"Stacks": [self.stack]}

        def get_paginator(self, _: str) -> Any:
            event = {
                "LogicalResourceId": "Errors",
                "ResourceType": "AWS::CloudWatch::Alarm",
                "ResourceStatus": "CREATE_FAILED",
                "ResourceStatusReason": reason,
                "ClientRequestToken": self.token,
            }
            return SimpleNamespace(paginate=lambda **_: [{"StackEvents": [event]}])

    stack = Stack("earworm-dev-songs", Path("template.yaml"), {}, {})
    plan = Plan(stack, "id", "change-set", (), is_new=True)

    with pytest.raises(DeployError, match="Errors") as failure:
        execute(cast("CloudFormationClient", Failing()), plan)

    assert isinstance(failure.value, ThrottledError) is throttled


class FakeCloudFormation:
    """A CloudFormation with one stack, which stands as it is told."""

    def __init__(self, status: str, reason: str = "Queue is gone") -> None:
        self.stack = {"StackName": "earworm-dev-songs", "StackId": "id", "StackStatus": status}
        self.stack["StackStatusReason"] = reason

    def describe_stacks(self, **asked: str) -> dict[str, Any]:
        assert asked == {"StackName": "earworm-dev-songs"}
        return {"Stacks": [self.stack]}


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("UPDATE_IN_PROGRESS", "is busy (UPDATE_IN_PROGRESS): try again when that is over."),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name earworm-dev-songs` and deploy again."),
        ("ROLLBACK_FAILED", "is ROLLBACK_FAILED (Queue is gone): fix that, run `earworm remove`, then deploy again."),
        ("DELETE_FAILED", "is DELETE_FAILED (Queue is gone): fix that, run `earworm remove`, then deploy again."),
    ],
)
def test_a_stack_that_cannot_be_deployed_says_what_to_do(bundle: Bundle, status: str, sentence: str) -> None:
    cloudformation = cast("CloudFormationClient", FakeCloudFormation(status))
    songs = Bundle("songs", bundle.path, bundle.sha256, 0, 22)

    with pytest.raises(DeployError) as refusal:
        prepare(cloudformation, service_stack("dev", songs, "artifacts", {}))

    assert str(refusal.value).startswith("earworm-dev-songs is ")
    assert str(refusal.value).endswith(sentence)


@pytest.mark.parametrize("code", ["ChangeSetNotFound", "InvalidChangeSetStatus"])
def test_a_deployment_that_another_one_outran_says_what_to_do(code: str) -> None:
    class Outrun:
        def execute_change_set(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": code, "Message": "gone"}}, "ExecuteChangeSet")

    plan = Plan(Stack("earworm-dev-songs", Path("template.yaml"), {}, {}), "id", "change-set", (), is_new=False)

    with pytest.raises(DeployError, match=r"^earworm-dev-songs is being changed by another .* deploy again when"):
        execute(cast("CloudFormationClient", Outrun()), plan)


def test_a_busy_stack_is_not_removed() -> None:
    with pytest.raises(DeployError, match=r"earworm-dev-songs is busy \(UPDATE_IN_PROGRESS\)"):
        remove(cast("CloudFormationClient", FakeCloudFormation("UPDATE_IN_PROGRESS")), "earworm-dev-songs")


@pytest.mark.parametrize(("code", "ends"), [("Throttling", False), ("AccessDenied", True)])
def test_being_throttled_ends_no_wait(code: str, *, ends: bool) -> None:
    answers: Iterator[str | ClientError] = iter(
        [ClientError({"Error": {"Code": code}}, "DescribeStacks"), "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    )

    def describe() -> str:
        answer = next(answers)
        if isinstance(answer, ClientError):
            raise answer
        return answer

    if ends:
        with pytest.raises(ClientError, match=code):
            deploying.settled(describe, str)
    else:
        assert deploying.settled(describe, str) == "CREATE_COMPLETE"


def test_a_template_that_cloudformation_does_not_take_is_refused_with_its_size(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("#" * 51_201)

    with pytest.raises(DeployError, match=r"template.yaml has 51,201 bytes and CloudFormation takes 51,200"):
        prepare(cast("CloudFormationClient", FakeCloudFormation("CREATE_COMPLETE")), Stack("large", template, {}, {}))


def test_a_template_that_is_too_large_to_be_sent_is_read_from_the_bucket(cloud: Cloud, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(f"Resources: {{Topic: {{Type: 'AWS::SNS::Topic'}}}}\n{'#' * 51_201}")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})

    plan = prepare(
        cloud.client("cloudformation"),
        Stack("large", template, {}, {}),
        lambda body: upload_template(s3, "templates", body),
    )

    assert [change.type for change in plan.changes] == ["AWS::SNS::Topic"]


@pytest.mark.parametrize(
    ("change", "loses"),
    [
        (Change("Remove", "Queue", "AWS::SQS::Queue"), True),
        (Change("Modify", "Queue", "AWS::SQS::Queue", "yes"), True),
        (Change("Modify", "Queue", "AWS::SQS::Queue", "maybe"), True),
        (Change("Modify", "Queue", "AWS::SQS::Queue"), False),
        (Change("Add", "Queue", "AWS::SQS::Queue"), False),
        (Change("Remove", "Errors", "AWS::CloudWatch::Alarm"), False),
        (Change("Modify", "Role", "AWS::IAM::Role", "yes"), False),
    ],
)
def test_what_holds_something_and_goes_is_a_loss(change: Change, *, loses: bool) -> None:
    assert change.loses is loses


def test_parameters_that_are_given_outdo_settings_but_not_the_bundle(bundle: Bundle) -> None:
    given = {"Market": "SE", "CodeKey": "another"}

    stack = service_stack("dev", bundle, "artifacts", {"SPOTIFY_MARKET": "DE"}, given)

    assert stack.parameters["Market"] == "SE"
    assert stack.parameters["CodeKey"] == "bundles/extractor/5e5e5e5e5e5e.zip"


@pytest.mark.slow
class TestInAnEmulatedCloud:
    def test_the_platform_tells_services_where_it_is(self, cloud: Cloud, platform: Deployment) -> None:
        pages = cloud.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/earworm/dev/")
        told = [parameter for page in pages for parameter in page["Parameters"]]

        assert {parameter["Name"].rpartition("/")[2]: parameter["Value"] for parameter in told} == {
            "alarm-topic-arn": platform.outputs["AlarmTopicArn"],
            "artifacts-bucket": platform.outputs["ArtifactsBucket"],
            "bucket": platform.outputs["Bucket"],
            "charts-topic-arn": platform.outputs["ChartsTopicArn"],
            "crawler": "earworm-dev-processed",
            "database": "earworm_dev",
            "pages-topic-arn": platform.outputs["PagesTopicArn"],
            "permissions-boundary": "none",
            "role-path": "/",
            "topic-arn": platform.outputs["TopicArn"],
            "workgroup": "earworm-dev",
        }

    @pytest.mark.parametrize("service", SERVICES)
    def test_a_service_is_deployed_once_and_then_unchanged(
        self,
        service: str,
        cloudformation: "CloudFormationClient",
        s3: "S3Client",
        platform: Deployment,
        bundle: Bundle,
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        own = Bundle(service, bundle.path, bundle.sha256, 0, 22)
        upload(s3, artifacts, own)
        stack = service_stack("dev", own, artifacts, {"LISTENBRAINZ_CONTACT": "charts@label.example"})

        first, second = deploy(cloudformation, stack), deploy(cloudformation, stack)

        assert {change.action for change in first.changes} == {"Add"}
        assert "AWS::Lambda::Function" in {change.type for change in first.changes}
        assert first.outputs["FunctionName"] == stack.name
        assert second == Deployment(stack.name, (), first.outputs)

    def test_new_code_changes_the_function_alone(
        self, cloudformation: "CloudFormationClient", s3: "S3Client", platform: Deployment, bundle: Bundle
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        songs = Bundle("songs", bundle.path, "a" * 64, 0, 22)
        changed = Bundle("songs", bundle.path, "b" * 64, 0, 22)
        for each in (songs, changed):
            upload(s3, artifacts, each)
        deploy(cloudformation, service_stack("dev", songs, artifacts, {}))

        plan = prepare(cloudformation, service_stack("dev", changed, artifacts, {}))

        assert ("Modify", "Function", "no") in {(c.action, c.resource, c.replacement) for c in plan.changes}
        assert {c.action for c in plan.changes} == {"Modify"}
        assert execute(cloudformation, plan).changes == plan.changes

    def test_a_parameter_that_is_not_named_keeps_its_value(
        self,
        cloud: Cloud,
        cloudformation: "CloudFormationClient",
        s3: "S3Client",
        platform: Deployment,
        bundle: Bundle,
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        upload(s3, artifacts, bundle)
        deploy(cloudformation, service_stack("dev", bundle, artifacts, {"PLAYLIST_ID": "kept"}))

        deploy(cloudformation, service_stack("dev", bundle, artifacts, {"SPOTIFY_MARKET": "SE"}))

        function = cloud.client("lambda").get_function_configuration(FunctionName="earworm-dev-extractor")
        assert function["Environment"]["Variables"]["PLAYLIST_ID"] == "kept"
        assert function["Environment"]["Variables"]["SPOTIFY_MARKET"] == "SE"

    def test_what_the_platform_publishes_anew_reaches_a_service_when_it_is_deployed_again(
        self, cloud: Cloud, cloudformation: "CloudFormationClient", s3: "S3Client", bundle: Bundle
    ) -> None:
        # given an environment of its own, whose roles stand in no path and have no boundary
        artifacts = deploy(cloudformation, component_stack("bounded", PLATFORM)).outputs["ArtifactsBucket"]
        audit = Bundle("audit", bundle.path, bundle.sha256, 0, 22)
        upload(s3, artifacts, audit)
        deploy(cloudformation, service_stack("bounded", audit, artifacts, {}))
        # when both are set on the platform
        iam = cloud.client("iam")
        boundary = iam.create_policy(
            PolicyName="bound",
            PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            ),
        )["Policy"]["Arn"]
        bounded = component_stack("bounded", PLATFORM, {"PermissionsBoundary": boundary, "RolePath": "/label/"})
        deploy(cloudformation, bounded)
        plan = prepare(cloudformation, service_stack("bounded", audit, artifacts, {}))
        execute(cloudformation, plan)

        # then they reach the roles of the service, too; the emulator keeps a role's path and forgets its boundary
        caused = {change.resource: " ".join(change.causes) for change in plan.changes}
        for role in ("Role", "ScheduleRole"):
            assert "Path" in caused[role]
            assert "PermissionsBoundary" in caused[role]
        assert len(iam.list_roles(PathPrefix="/label/")["Roles"]) == 4

    def test_tags_stay_and_come_together(self, cloudformation: "CloudFormationClient", tmp_path: Path) -> None:
        template = tmp_path / "template.yaml"
        template.write_text("Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: first}}}\n")
        deploy(cloudformation, Stack("tagged", template, {}, {"team": "charts", "stage": "old"}))

        template.write_text("Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: second}}}\n")
        deploy(cloudformation, Stack("tagged", template, {}, {"stage": "new"}))

        (stack,) = cloudformation.describe_stacks(StackName="tagged")["Stacks"]
        assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]} == {"team": "charts", "stage": "new"}

    def test_a_refused_parameter_is_told_in_one_sentence(
        self, cloudformation: "CloudFormationClient", platform: Deployment, bundle: Bundle
    ) -> None:
        stack = service_stack("dev", bundle, platform.outputs["ArtifactsBucket"], {"SPOTIFY_MARKET": "Sweden"})

        with pytest.raises(DeployError, match=r"earworm-dev-extractor cannot be deployed: .*Market"):
            deploy(cloudformation, stack)

    def test_a_failed_resource_is_named(
        self, cloudformation: "CloudFormationClient", s3: "S3Client", platform: Deployment, bundle: Bundle
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        albums = Bundle("albums", bundle.path, bundle.sha256, 0, 22)
        upload(s3, artifacts, albums)
        deploy(cloudformation, service_stack("dev", albums, artifacts, {}))

        with pytest.raises(
            DeployError, match=r"albums was not deployed and is rolled back: Function \(AWS::Lambda::Function\): "
        ):
            deploy(cloudformation, service_stack("dev", albums, "no-such-bucket", {}))

    def test_a_service_without_its_platform_is_told_what_is_missing(
        self, cloudformation: "CloudFormationClient", bundle: Bundle
    ) -> None:
        with pytest.raises(DeployError, match=r"earworm-bare-extractor cannot be deployed: .*/earworm/bare/bucket"):
            deploy(cloudformation, service_stack("bare", bundle, "artifacts", {}))

    def test_a_new_stack_that_failed_can_be_deployed_when_its_cause_is_gone(
        self, cloudformation: "CloudFormationClient", tmp_path: Path
    ) -> None:
        template = tmp_path / "template.yaml"
        queue = "Resources: {{Queue: {{Type: 'AWS::SQS::Queue', Properties: {{MessageRetentionPeriod: {}}}}}}}\n"
        stack = Stack("failing", template, {}, {})
        template.write_text(queue.format(5))
        with pytest.raises(
            DeployError, match=r"failing was not deployed and is rolled back: Queue \(AWS::SQS::Queue\)"
        ):
            deploy(cloudformation, stack)

        template.write_text(queue.format(60))
        deployed = deploy(cloudformation, stack)

        assert [change.action for change in deployed.changes] == ["Add"]

    def test_a_stack_is_removed_once(
        self, cloudformation: "CloudFormationClient", s3: "S3Client", platform: Deployment, bundle: Bundle
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        artists = Bundle("artists", bundle.path, bundle.sha256, 0, 22)
        upload(s3, artifacts, artists)
        deploy(cloudformation, service_stack("dev", artists, artifacts, {}))

        assert remove(cloudformation, "earworm-dev-artists") == []
        assert remove(cloudformation, "earworm-dev-artists") is None

    def test_a_plan_tells_the_properties_and_progress_is_counted(
        self, cloudformation: "CloudFormationClient", s3: "S3Client", platform: Deployment, bundle: Bundle
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        songs = Bundle("songs", bundle.path, bundle.sha256, 0, 22)
        upload(s3, artifacts, songs)
        remove(cloudformation, "earworm-dev-songs")
        counted: list[int] = []
        new = prepare(cloudformation, service_stack("dev", songs, artifacts, {}))
        execute(cloudformation, new, counted.append)

        plan = prepare(cloudformation, service_stack("dev", songs, artifacts, {}, {"LogLevel": "DEBUG"}))

        assert (new.is_new, counted[-1]) == (True, len(new.changes))
        assert [(change.resource, change.causes) for change in plan.changes] == [
            ("Function", ("Environment (LogLevel)",))
        ]

    @pytest.mark.parametrize("is_new", [True, False])
    def test_a_plan_that_is_given_up_leaves_nothing_behind(
        self,
        cloudformation: "CloudFormationClient",
        s3: "S3Client",
        platform: Deployment,
        bundle: Bundle,
        *,
        is_new: bool,
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        redrive = Bundle("redrive", bundle.path, bundle.sha256, 0, 22)
        remove(cloudformation, "earworm-dev-redrive")
        if not is_new:
            upload(s3, artifacts, redrive)
            deploy(cloudformation, service_stack("dev", redrive, artifacts, {}))
        before = standing(cloudformation, "dev", "redrive")

        plan = prepare(cloudformation, service_stack("dev", redrive, artifacts, {}, {"LogLevel": "ERROR"}))
        discard(cloudformation, plan)

        assert plan.is_new is is_new
        assert len(plan.changes) > 0
        assert standing(cloudformation, "dev", "redrive") == before
        if before:
            assert before.version == bundle.version
            listed = cloudformation.list_change_sets(StackName=before.name)["Summaries"]
            assert "AVAILABLE" not in {change_set["ExecutionStatus"] for change_set in listed}
        else:
            with pytest.raises(ClientError, match="does not exist"):
                cloudformation.describe_stacks(StackName="earworm-dev-redrive")

    def test_what_the_template_keeps_is_told_when_its_stack_is_removed(
        self, cloudformation: "CloudFormationClient", tmp_path: Path
    ) -> None:
        template = tmp_path / "template.yaml"
        template.write_text(
            "Resources:\n"
            "  Kept: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {BucketName: kept}}\n"
            "  Gone: {Type: AWS::SQS::Queue, Properties: {QueueName: gone}}\n"
        )
        deploy(cloudformation, Stack("keeping", template, {}, {}))

        assert [each.split()[0] for each in sorted(held(cloudformation, "keeping"))] == [
            "AWS::S3::Bucket",
            "AWS::SQS::Queue",
        ]
        assert remove(cloudformation, "keeping") == ["kept"]

    def test_a_stack_of_prod_is_protected_until_somebody_removes_it(
        self, cloudformation: "CloudFormationClient", tmp_path: Path
    ) -> None:
        # given a stack of prod
        path = tmp_path / "template.yaml"
        path.write_text("Parameters: {Environment: {Type: String}}\nResources: {Topic: {Type: 'AWS::SNS::Topic'}}")
        stack = Stack("earworm-prod-protected", path, {"Environment": "prod"}, {})
        deploy(cloudformation, stack)

        # when somebody deletes it elsewhere, then it stays
        with pytest.raises(ClientError, match="TerminationProtection"):
            cloudformation.delete_stack(StackName=stack.name)

        # and the console's command, which asks before, removes it
        assert remove(cloudformation, stack.name) == []

    def test_bundles_that_no_rollback_needs_are_marked_and_one_that_comes_back_no_longer(
        self, s3: "S3Client", bundle: Bundle
    ) -> None:
        # given four bundles of a service, the oldest of which is deployed again
        s3.create_bucket(Bucket="bundles", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        four = [replace(bundle, sha256=f"{number}" * 64) for number in range(4)]
        for each in four:
            upload(s3, "bundles", each)
        supersede(s3, "bundles", four[3], four[2].version)
        assert [tags_of(s3, each) for each in four] == [[SUPERSEDED], [SUPERSEDED], [], []]

        # when it is
        upload(s3, "bundles", four[0])
        supersede(s3, "bundles", four[0], four[3].version)

        # then it and the one before stay
        assert [tags_of(s3, each) for each in four] == [[], [SUPERSEDED], [SUPERSEDED], []]

    def test_parameters_of_the_deployment_are_nobodys_to_set(self, cloudformation: "CloudFormationClient") -> None:
        assert settable_parameters(cloudformation, "songs") == {
            "LogLevel",
            "LogRetentionDays",
            "MaximumConcurrency",
            "MemorySize",
            "Timeout",
        }

    def test_the_script_deploys_what_the_console_would(
        self, cloud: Cloud, cloudformation: "CloudFormationClient", platform: Deployment
    ) -> None:
        deployed = cloud.run_script("track_features", "dev", "LogLevel=DEBUG")

        assert deployed.returncode == 0, deployed.stderr
        bundle = build("track_features", LOCAL, ROOT / "build")
        stack = service_stack("dev", bundle, platform.outputs["ArtifactsBucket"], {})
        assert prepare(cloudformation, stack).changes == ()

    def test_the_script_deploys_the_analytics_whose_template_is_too_large_to_be_sent(
        self, cloud: Cloud, cloudformation: "CloudFormationClient", s3: "S3Client", platform: Deployment
    ) -> None:
        deployed = cloud.run_script("analytics", "dev")

        assert deployed.returncode == 0, deployed.stderr
        plan = prepare(
            cloudformation,
            component_stack("dev", ANALYTICS),
            lambda body: upload_template(s3, platform.outputs["ArtifactsBucket"], body),
        )
        assert plan.changes == ()

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ([], "usage: infra/deploying/deploy.sh COMPONENT ENVIRONMENT"),
            (["concerts", "dev"], "There is no service 'concerts'"),
            (["songs", "the-moon"], "'the-moon' is not the name of an environment"),
            (["songs", "dev", "LogLevel"], "'LogLevel' sets no parameter: write NAME=VALUE."),
            (["songs", "dev", "Level=INFO"], "has no parameter 'Level': choose among"),
        ],
    )
    def test_the_script_ends_with_a_sentence_where_it_cannot_go_on(
        self, cloud: Cloud, arguments: list[str], sentence: str
    ) -> None:
        refused = cloud.run_script(*arguments)

        assert refused.returncode == 1
        assert sentence in refused.stderr

    def test_the_spotify_secret_is_stored_when_it_is_new(self, cloud: Cloud) -> None:
        secretsmanager = cloud.client("secretsmanager")

        stored = [store_spotify_secret(secretsmanager, "dev", "me", secret) for secret in ("old", "old", "new")]

        assert stored == [True, False, True]
        value = secretsmanager.get_secret_value(SecretId="earworm/dev/spotify")["SecretString"]
        assert json.loads(value) == {"client_id": "me", "client_secret": "new"}


class TestTheSpotifySecret:
    CONSENT: ClassVar = {"refresh_token": "refresh", "consented_at": "2026-11-22T06:30:00+00:00"}

    @pytest.fixture
    def secretsmanager(self) -> Iterator["SecretsManagerClient"]:
        with mock_aws():
            yield boto3.client("secretsmanager")

    def test_it_is_new_when_something_in_it_is(self, secretsmanager: "SecretsManagerClient") -> None:
        # given an application's credentials, stored twice and then with another secret
        stored = [store_spotify_secret(secretsmanager, "dev", "me", secret) for secret in ("old", "old", "new")]
        # when a consent is stored beside them, twice
        stored += [store_spotify_secret(secretsmanager, "dev", "me", "new", self.CONSENT) for _ in range(2)]

        # then each change was told once
        assert stored == [True, False, True, True, False]

    def test_a_consent_outlives_a_deployment_and_a_new_client_secret(
        self, secretsmanager: "SecretsManagerClient"
    ) -> None:
        store_spotify_secret(secretsmanager, "dev", "me", "old", self.CONSENT)

        changed = [store_spotify_secret(secretsmanager, "dev", "me", secret) for secret in ("old", "new")]

        assert changed == [False, True]
        assert stored_spotify_secret(secretsmanager, "dev") == {
            "client_id": "me",
            "client_secret": "new",
            **self.CONSENT,
        }

    def test_a_consent_to_another_application_is_dropped(self, secretsmanager: "SecretsManagerClient") -> None:
        store_spotify_secret(secretsmanager, "dev", "me", "old", self.CONSENT)

        store_spotify_secret(secretsmanager, "dev", "another", "new")

        assert stored_spotify_secret(secretsmanager, "dev") == {"client_id": "another", "client_secret": "new"}

    @pytest.mark.parametrize("held", ["the-client-secret", '["the-client-secret"]', '{"client_id": 1}'])
    def test_something_else_in_it_is_not_overwritten_and_stays_untold(
        self, secretsmanager: "SecretsManagerClient", held: str
    ) -> None:
        secretsmanager.create_secret(Name="earworm/dev/spotify", SecretString=held)

        with pytest.raises(DeployError, match="earworm/dev/spotify in Secrets Manager is not a JSON object") as fault:
            store_spotify_secret(secretsmanager, "dev", "me", "new")

        assert "the-client-secret" not in repr(fault.value)
        assert secretsmanager.get_secret_value(SecretId="earworm/dev/spotify")["SecretString"] == held

    def test_each_environment_has_its_own(self, secretsmanager: "SecretsManagerClient") -> None:
        store_spotify_secret(secretsmanager, "prod", "me", "secret")

        assert stored_spotify_secret(secretsmanager, "dev") is None
        assert stored_spotify_secret(secretsmanager, "prod") == {"client_id": "me", "client_secret": "secret"}


def tags_of(s3: "S3Client", bundle: Bundle) -> list[tuple[str, str]]:
    tags = s3.get_object_tagging(Bucket="bundles", Key=bundle.key)["TagSet"]
    return [(tag["Key"], tag["Value"]) for tag in tags]


def _wait_until_it_answers(url: str) -> None:
    attempts = Retrying(
        retry=retry_if_exception_type(URLError), wait=wait_fixed(0.1), stop=stop_after_delay(20), reraise=True
    )
    attempts(urllib.request.urlopen, url).close()
