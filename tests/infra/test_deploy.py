import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.error import URLError

import boto3
import pytest
from moto import mock_aws
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.build import Bundle
from infra.deploy import (
    DeployError,
    Deployment,
    Stack,
    deploy,
    execute,
    platform_stack,
    prepare,
    remove,
    service_stack,
    store_spotify_secret,
    stored_spotify_secret,
    upload,
)
from infra.stacks import SERVICES

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "eu-west-1"


@dataclass(frozen=True)
class Cloud:
    """An emulated AWS of its own for these tests."""

    endpoint: str

    def client(self, service: str) -> Any:
        return boto3.client(
            cast("Any", service),
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="emulated",
            aws_secret_access_key="emulated",
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "IOT_MTLS_ENABLED": "0", "LOG_LEVEL": "ERROR"}
    folder = tmp_path_factory.mktemp("ministack")
    with (folder / "log").open("w") as log:
        emulator = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env={"PATH": os.environ["PATH"], "TMPDIR": str(folder), **own},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/_ministack/health")
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
    return deploy(cloudformation, platform_stack("dev"))


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
        "CodeKey": f"bundles/extractor/{bundle.sha256}.zip",
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
            "CodeKey": f"bundles/track_features/{bundle.sha256}.zip",
        },
        tags={"application": "earworm", "environment": "dev", "component": "track_features"},
    )


@pytest.mark.slow
class TestInAnEmulatedCloud:
    def test_the_platform_tells_services_where_it_is(self, cloud: Cloud, platform: Deployment) -> None:
        told = cloud.client("ssm").get_parameters_by_path(Path="/earworm/dev/")["Parameters"]

        assert {parameter["Name"].rpartition("/")[2]: parameter["Value"] for parameter in told} == {
            "alarm-topic-arn": platform.outputs["AlarmTopicArn"],
            "artifacts-bucket": platform.outputs["ArtifactsBucket"],
            "bucket": platform.outputs["Bucket"],
            "crawler": "earworm-dev-processed",
            "database": "earworm_dev",
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
        stack = service_stack("dev", own, artifacts, {})

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

        assert ("Modify", "Function", False) in {(c.action, c.resource, c.replaces) for c in plan.changes}
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

        with pytest.raises(DeployError, match=r"albums was not deployed: Function \(AWS::Lambda::Function\): "):
            deploy(cloudformation, service_stack("dev", albums, "no-such-bucket", {}))

    def test_a_new_stack_that_failed_can_be_deployed_when_its_cause_is_gone(
        self, cloudformation: "CloudFormationClient", s3: "S3Client", bundle: Bundle
    ) -> None:
        with pytest.raises(DeployError, match=r"earworm-prod-extractor was not deployed: .*/earworm/prod/"):
            deploy(cloudformation, service_stack("prod", bundle, "artifacts", {}))
        artifacts = deploy(cloudformation, platform_stack("prod")).outputs["ArtifactsBucket"]
        upload(s3, artifacts, bundle)

        deployed = deploy(cloudformation, service_stack("prod", bundle, artifacts, {}))

        assert deployed.outputs["FunctionName"] == "earworm-prod-extractor"

    def test_a_stack_is_removed_once(
        self, cloudformation: "CloudFormationClient", s3: "S3Client", platform: Deployment, bundle: Bundle
    ) -> None:
        artifacts = platform.outputs["ArtifactsBucket"]
        artists = Bundle("artists", bundle.path, bundle.sha256, 0, 22)
        upload(s3, artifacts, artists)
        deploy(cloudformation, service_stack("dev", artists, artifacts, {}))

        assert remove(cloudformation, "earworm-dev-artists") is True
        assert remove(cloudformation, "earworm-dev-artists") is False

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

        with pytest.raises(DeployError, match="earworm/dev/spotify in Secrets Manager is no JSON object") as fault:
            store_spotify_secret(secretsmanager, "dev", "me", "new")

        assert "the-client-secret" not in repr(fault.value)
        assert secretsmanager.get_secret_value(SecretId="earworm/dev/spotify")["SecretString"] == held

    def test_each_environment_has_its_own(self, secretsmanager: "SecretsManagerClient") -> None:
        store_spotify_secret(secretsmanager, "prod", "me", "secret")

        assert stored_spotify_secret(secretsmanager, "dev") is None
        assert stored_spotify_secret(secretsmanager, "prod") == {"client_id": "me", "client_secret": "secret"}


def _wait_until_it_answers(url: str) -> None:
    attempts = Retrying(
        retry=retry_if_exception_type(URLError), wait=wait_fixed(0.1), stop=stop_after_delay(20), reraise=True
    )
    attempts(urllib.request.urlopen, url).close()
