"""The embedded cloud as a whole: real processes, real requests."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import boto3
import pytest
import requests

from infra.local.cloud import LocalCloud, LocalCloudError
from infra.local.processes import Child, await_healthy, free_port, spawn

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

pytestmark = pytest.mark.slow

REAL_SPOTIFY = {**os.environ, "SPOTIPY_CLIENT_ID": "id", "SPOTIPY_CLIENT_SECRET": "secret"}

FUNCTION = """
import json, os, urllib.request
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    body = json.dumps({"event": event, "secrets": sorted(k for k in os.environ if k.startswith("SPOTIPY"))})
    s3.put_object(Bucket=os.environ["BUCKET"], Key="seen/" + context.aws_request_id, Body=body)
    return {"seen": True}
"""

TEMPLATE = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "lake"}},
        "Function": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "FunctionName": "witness",
                "Runtime": "python3.13",
                "Handler": "witness.handler",
                "Timeout": 30,
                "CodeUri": {"Bucket": "artifacts", "Key": "witness.zip"},
                "Environment": {"Variables": {"BUCKET": {"Ref": "Bucket"}}},
                "Policies": [
                    {
                        "Statement": [
                            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::lake/seen/*"}
                        ]
                    }
                ],
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Policies": [
                    {
                        "PolicyName": "work",
                        "PolicyDocument": {
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": ["lambda:InvokeFunction", "s3:ListBucket", "glue:GetTables"],
                                    "Resource": "*",
                                }
                            ]
                        },
                    }
                ],
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": ["scheduler.amazonaws.com", "glue.amazonaws.com"]},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
            },
        },
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Name": "weekly",
                "ScheduleExpression": "at(2026-11-22T07:00:00)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": {"Fn::GetAtt": ["Function", "Arn"]},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Input": '{"scheduled_time": "<aws.scheduler.scheduled-time>"}',
                },
            },
        },
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "music"}},
        },
        "Table": {
            "Type": "AWS::Glue::Table",
            "Properties": {
                "CatalogId": {"Ref": "AWS::AccountId"},
                "DatabaseName": {"Ref": "Database"},
                "TableInput": {
                    "Name": "receipts",
                    "Parameters": {"classification": "json"},
                    "PartitionKeys": [{"Name": "year", "Type": "string"}],
                    "StorageDescriptor": {
                        "Location": "s3://lake/receipts/",
                        "Columns": [{"Name": "rows", "Type": "bigint"}, {"Name": "at", "Type": "timestamp"}],
                    },
                },
            },
        },
        "Crawler": {
            "Type": "AWS::Glue::Crawler",
            "Properties": {
                "Name": "crawler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "DatabaseName": {"Ref": "Database"},
                "Targets": {"S3Targets": [{"Path": "s3://lake/processed/"}]},
            },
        },
        "NamedQuery": {
            "Type": "AWS::Athena::NamedQuery",
            "Properties": {"Name": "total", "Database": "music", "QueryString": "SELECT sum(rows) FROM receipts"},
        },
    },
    "Outputs": {"Query": {"Value": {"Ref": "NamedQuery"}}},
}


def client(name: Any, cloud: LocalCloud) -> Any:
    endpoints = cloud.endpoints()
    assert endpoints
    return boto3.client(
        name,
        endpoint_url=endpoints.aws,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def eventually(condition: Any, *, within: float = 20) -> Any:
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def processes_that_mention(text: str) -> list[str]:
    listed = subprocess.run(["ps", "-eww", "-o", "pid=,stat=,args="], capture_output=True, text=True, check=True)
    lines = (line.split(maxsplit=2) for line in listed.stdout.splitlines())
    return [args for _, state, args in lines if text in args and not state.startswith("Z")]


def deploy(cloud: LocalCloud) -> dict[str, str]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("witness.py", FUNCTION)
    s3 = client("s3", cloud)
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="witness.zip", Body=archive.getvalue())
    stacks = client("cloudformation", cloud)
    stacks.create_stack(
        StackName="all", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="all", WaiterConfig={"Delay": 1})
    return {o["OutputKey"]: o["OutputValue"] for o in stacks.describe_stacks()["Stacks"][0].get("Outputs", [])}


def query(athena: "AthenaClient", sql: str) -> dict[str, Any]:
    started = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": "music"},
        ResultConfiguration={"OutputLocation": "s3://lake/athena/"},
    )
    query_id = started["QueryExecutionId"]

    def finished() -> dict[str, Any] | None:
        execution: Any = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        return execution if execution["Status"]["State"] in {"SUCCEEDED", "FAILED"} else None

    found: dict[str, Any] = eventually(finished)
    return found


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    up = LocalCloud(tmp_path_factory.mktemp("cloud"), REAL_SPOTIFY)
    up.start()
    yield up
    up.stop()


@pytest.fixture(scope="module")
def outputs(cloud: LocalCloud) -> dict[str, str]:
    return deploy(cloud)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LocalCloud]:
    """A cloud of this test alone."""
    one = LocalCloud(tmp_path / "state", REAL_SPOTIFY)
    yield one
    one.stop()


def test_it_listens_on_the_loopback_address_alone(cloud: LocalCloud) -> None:
    (status,) = cloud.status()
    assert (status.running, status.healthy) == (True, True)
    sockets = Path("/proc/net/tcp")
    if not sockets.exists():
        pytest.skip("the open sockets can be read on Linux alone")
    listening = [line.split()[1] for line in sockets.read_text().splitlines()[1:] if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{status.port:04X}")] == [
        f"0100007F:{status.port:04X}"
    ]


def test_starting_again_leaves_it_as_it_is(cloud: LocalCloud) -> None:
    before = cloud.status()
    assert cloud.start() == cloud.endpoints()
    assert cloud.status() == before


def test_another_choice_is_refused_while_it_is_up(cloud: LocalCloud) -> None:
    (status,) = cloud.status()
    with pytest.raises(LocalCloudError, match="Stop it first"):
        LocalCloud(status.log.parents[1], {"PATH": os.environ["PATH"]}).start()


def test_the_schedule_tells_the_function_when_it_was_due(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    assert outputs
    s3 = client("s3", cloud)
    (seen,) = eventually(lambda: s3.list_objects_v2(Bucket="lake", Prefix="seen/").get("Contents"))
    witness = json.load(s3.get_object(Bucket="lake", Key=seen["Key"])["Body"])
    assert witness["event"] == {"scheduled_time": "2026-11-22T07:00:00Z"}
    assert witness["secrets"] == [], "the user's credentials reached a function"


def test_a_named_query_of_a_stack_runs(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    body = b'{"rows": 2, "at": "2026-11-22T07:00:00Z"}\n{"rows": 3}\n'
    client("s3", cloud).put_object(Bucket="lake", Key="receipts/year=2026/a.json", Body=body)
    athena = client("athena", cloud)
    named = athena.get_named_query(NamedQueryId=outputs["Query"])["NamedQuery"]
    execution = query(athena, named["QueryString"])
    assert execution["Statistics"]["DataScannedInBytes"] == len(body)
    result = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]
    (column,) = result["ResultSetMetadata"]["ColumnInfo"]
    assert (column["Name"], column["Type"]) == ("_col0", "bigint")
    assert result["Rows"] == [{"Data": [{"VarCharValue": "_col0"}]}, {"Data": [{"VarCharValue": "5"}]}]
    location = urlparse(execution["ResultConfiguration"]["OutputLocation"])
    saved = client("s3", cloud).get_object(Bucket=location.netloc, Key=location.path.lstrip("/"))
    assert saved["Body"].read() == b'"_col0"\n"5"\n'
    nothing = query(athena, "SELECT max(at), max(year) FROM receipts WHERE year = '1999'")
    rows = athena.get_query_results(QueryExecutionId=nothing["QueryExecutionId"])["ResultSet"]["Rows"]
    assert rows[1:] == [{"Data": [{}, {}]}]


def test_a_query_that_athena_refuses_fails_with_the_reason(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    assert outputs
    execution = query(client("athena", cloud), "SELECT nope FROM receipts")
    assert execution["Status"]["State"] == "FAILED"
    assert "Column 'nope'" in execution["Status"]["StateChangeReason"]


def test_the_crawler_ends_ready_and_says_how_it_went(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    assert outputs
    glue = client("glue", cloud)
    glue.start_crawler(Name="crawler")
    crawler = eventually(lambda: (c := glue.get_crawler(Name="crawler")["Crawler"])["State"] == "READY" and c)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"


def test_stopping_leaves_no_process_and_no_temporary_file(own: LocalCloud, tmp_path: Path) -> None:
    own.start()
    deploy(own)
    client("lambda", own).invoke(FunctionName="witness", Payload=b"{}")
    assert len(processes_that_mention(str(tmp_path))) >= 2, "the emulator and the function's worker"

    assert own.stop() is True

    assert processes_that_mention(str(tmp_path)) == []
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"aws.lock", "lock", "logs"}
    assert own.status() == []
    assert own.stop() is False


def test_two_starts_at_once_make_one_cloud(tmp_path: Path, own: LocalCloud) -> None:
    clouds = [LocalCloud(tmp_path / "state", REAL_SPOTIFY) for _ in range(3)]
    with ThreadPoolExecutor() as threads:
        endpoints = set(threads.map(LocalCloud.start, clouds))
    assert endpoints == {own.endpoints()}
    assert len(processes_that_mention(str(tmp_path / "state"))) == 1


def test_a_cloud_that_was_killed_is_replaced(own: LocalCloud) -> None:
    own.start()
    (before,) = own.status()
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: not own.status()[0].running)
    with pytest.raises(LocalCloudError, match="its AWS emulator is gone"):
        own.endpoints()
    own.start()
    (after,) = own.status()
    assert after.healthy
    assert after.pid != before.pid


def test_a_number_that_another_program_took_over_is_left_alone(own: LocalCloud, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as bystander:
        (tmp_path / "state").mkdir()
        record = {"pids": {"AWS emulator": bystander.pid}, "ports": {"AWS emulator": 1}}
        (tmp_path / "state" / "cloud.json").write_text(json.dumps(record))
        with pytest.raises(LocalCloudError, match="its AWS emulator is gone"):
            own.endpoints()
        assert own.stop() is False
        assert bystander.poll() is None
        bystander.communicate(b"\n")


def test_a_process_without_a_record_is_named_and_not_doubled(own: LocalCloud, tmp_path: Path) -> None:
    own.start()
    record = tmp_path / "state" / "cloud.json"
    kept = record.read_text()
    record.unlink()
    with pytest.raises(LocalCloudError, match="An earlier AWS emulator still runs"):
        own.start()
    record.write_text(kept)


def test_a_port_that_is_taken_ends_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = LocalCloud(tmp_path, REAL_SPOTIFY | {"EARWORM_AWS_PORT": str(port)})
        with pytest.raises(LocalCloudError, match=f"Port {port}, which EARWORM_AWS_PORT names.*unset EARWORM_AWS_PORT"):
            one.start()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"EARWORM_AWS_PORT": "http"}, "must be a port, 1 to 65535, not 'http'"),
        ({"SPOTIPY_CLIENT_SECRET": ""}, "Only one of SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET is set"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(LocalCloudError, match=sentence):
        LocalCloud(tmp_path, REAL_SPOTIFY | variables).start()


def test_a_process_that_ends_early_shows_the_end_of_its_log(tmp_path: Path) -> None:
    script = "import sys; sys.exit('the disk is full')"
    child = Child("AWS emulator", [sys.executable, "-c", script], free_port(), "/", tmp_path / "lock", tmp_path / "log")
    pid = spawn(child, os.environ)
    with pytest.raises(LocalCloudError, match=r"ended while it started(.|\n)*the disk is full"):
        await_healthy(child, pid, timeout=10)


def test_without_credentials_the_simulator_stands_in_for_spotify(tmp_path: Path) -> None:
    cloud = LocalCloud(tmp_path, {"PATH": os.environ["PATH"]})
    try:
        cloud.start()
        variables = dict(line.split("=", 1) for line in cloud.environment_file.read_text().splitlines())
        token = requests.post(
            variables["SPOTIFY_TOKEN_URL"],
            data={"grant_type": "client_credentials"},
            auth=(variables["SPOTIPY_CLIENT_ID"], variables["SPOTIPY_CLIENT_SECRET"]),
            timeout=5,
        ).json()["access_token"]
        search = requests.get(
            f"{variables['SPOTIFY_API_URL']}playlists/{'0' * 22}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=5,
        )
        assert search.json()["error"]["status"] == search.status_code == 404
        assert [status.healthy for status in cloud.status()] == [True, True]
    finally:
        cloud.stop()


def test_the_real_spotify_is_left_alone_and_its_credentials_stay_off_the_disk(cloud: LocalCloud) -> None:
    assert "SPOTI" not in cloud.environment_file.read_text()


def test_a_stranger_is_refused(cloud: LocalCloud) -> None:
    endpoints = cloud.endpoints()
    assert endpoints
    stranger = boto3.client(
        "s3",
        endpoint_url=endpoints.aws,
        region_name="us-east-1",
        aws_access_key_id="AKIASTRANGER",
        aws_secret_access_key="x",
    )
    with pytest.raises(stranger.exceptions.ClientError, match=r"InvalidAccessKeyId|AccessDenied"):
        stranger.list_buckets()
    client("s3", cloud).list_buckets()
