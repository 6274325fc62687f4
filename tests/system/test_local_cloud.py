"""The embedded cloud as a whole: real processes, real requests."""

import base64
import fcntl
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import boto3
import psutil
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.deploying.stacks import ROOT
from infra.local.cloud import LocalCloud, LocalCloudError
from infra.local.processes import Child, await_healthy, free_port, spawn
from infra.local.spotify.client import find_simulator
from tests.waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

pytestmark = pytest.mark.slow

REAL_SOURCES = {
    **os.environ,
    "SPOTIPY_CLIENT_ID": "id",
    "SPOTIPY_CLIENT_SECRET": "secret",
    "LISTENBRAINZ_CONTACT": "nobody@label.example",
}

FUNCTION = """
import json, os, urllib.request
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    print(*range(event.get("lines", 0)), sep="\\n")
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


def client(name: Any, cloud: LocalCloud, **others: Any) -> Any:
    endpoints = cloud.endpoints()
    assert endpoints
    root: dict[str, Any] = {
        "aws_access_key_id": endpoints.access_key_id,
        "aws_secret_access_key": endpoints.secret_access_key,
    }
    return boto3.client(name, endpoint_url=endpoints.aws, region_name="us-east-1", **(root | others))


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
    deep = "a_folder_whose_path_alone_is_longer_than_that_of_a_socket_may_be" * 2
    up = LocalCloud(tmp_path_factory.mktemp("cloud") / deep, REAL_SOURCES)
    up.start()
    yield up
    up.stop()


@pytest.fixture(scope="module")
def outputs(cloud: LocalCloud) -> dict[str, str]:
    return deploy(cloud)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LocalCloud]:
    """A cloud of this test alone."""
    one = LocalCloud(tmp_path / "state", REAL_SOURCES)
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


def test_the_log_of_a_function_has_its_end_however_long_it_is(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    event = json.dumps({"lines": 800_000}).encode()

    answer = client("lambda", cloud).invoke(FunctionName="witness", Payload=event, LogType="Tail")

    assert "799999" in base64.b64decode(answer["LogResult"]).decode().splitlines()


def test_a_named_query_of_a_stack_runs(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    body = b'{"rows": 2, "at": "2026-11-22T07:00:00Z"}\n{"rows": 3}\n'
    client("s3", cloud).put_object(Bucket="lake", Key="receipts/year=2026/a.json", Body=body)
    storage = {"Location": "s3://lake/receipts/year=2026/", "Columns": []}
    partition = {"Values": ["2026"], "StorageDescriptor": storage}
    client("glue", cloud).create_partition(DatabaseName="music", TableName="receipts", PartitionInput=partition)
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
    (emulator,) = own.status()
    started = psutil.Process(emulator.pid).children(recursive=True)
    assert [each.cwd() for each in started if "witness" in each.cwd()], "the function's worker"

    assert own.stop() is True

    _, left = psutil.wait_procs(started, timeout=10)
    assert [each for each in left if each.status() != psutil.STATUS_ZOMBIE] == []
    assert processes_that_mention(str(tmp_path)) == []
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"aws.lock", "lock", "logs"}
    assert own.status() == []
    assert own.stop() is False


def test_two_starts_at_once_make_one_cloud(tmp_path: Path, own: LocalCloud) -> None:
    clouds = [LocalCloud(tmp_path / "state", REAL_SOURCES) for _ in range(3)]
    with ThreadPoolExecutor() as threads:
        endpoints = set(threads.map(LocalCloud.start, clouds))
    assert endpoints == {own.endpoints()}
    assert len(processes_that_mention(str(tmp_path / "state"))) == 1


def kill(cloud: LocalCloud, name: str) -> int:
    (number,) = (status.pid for status in cloud.status() if status.name == name)
    os.kill(number, signal.SIGKILL)
    eventually(lambda: not next(status for status in cloud.status() if status.name == name).running)
    return number


def test_a_cloud_whose_lake_died_is_replaced_only_after_the_loss_is_told(
    own: LocalCloud, caplog: pytest.LogCaptureFixture
) -> None:
    # given
    before = own.start()
    number = kill(own, "AWS emulator")

    # when another command asks, and then the cloud is started again
    with pytest.raises(LocalCloudError, match=rf"process {number}.* has ended, and the lake.*`earworm up`.*empty"):
        own.endpoints()
    after = own.start()

    # then
    (told,) = caplog.messages
    assert f"(process {number}, " in told
    assert "with it ended the lake" in told
    assert "`earworm deploy` and `earworm backfill` bring back" in told
    assert own.status()[0].healthy
    assert after.access_key_id != before.access_key_id


def test_a_simulator_that_died_is_started_again_and_the_lake_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cloud = LocalCloud(tmp_path / "state", {"PATH": os.environ["PATH"]})
    try:
        # given
        before = cloud.start()
        client("s3", cloud).create_bucket(Bucket="lake")
        number = kill(cloud, "Spotify simulator")

        # when
        with pytest.raises(LocalCloudError, match=rf"process {number}.*has ended. Run `earworm up`.*keeps the lake"):
            cloud.endpoints()
        after = cloud.start()

        # then
        assert after == before
        simulator = find_simulator(after.environment())
        assert simulator
        assert simulator.info().playlists
        assert [bucket["Name"] for bucket in client("s3", cloud).list_buckets()["Buckets"]] == ["lake"]
        assert "started again; the lake is as it was" in caplog.text
    finally:
        cloud.stop()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"aws_port": 1}', '{"ports": {"AWS emulator": 1}}', "\0"])
def test_a_damaged_record_is_a_sentence_and_stopping_mends_it(own: LocalCloud, tmp_path: Path, damage: str) -> None:
    own.start()
    (tmp_path / "state" / "cloud.json").write_text(damage)

    for command in (own.endpoints, own.start, own.status):
        with pytest.raises(LocalCloudError, match=r"cloud.json, which holds .*cannot be read.*Run `earworm down`"):
            command()

    assert own.stop() is True
    assert own.endpoints() is None
    assert processes_that_mention(str(tmp_path / "state")) == []


def test_its_keys_are_drawn_at_each_start_and_nobody_else_may_read_them(own: LocalCloud, tmp_path: Path) -> None:
    first = own.start()
    folder = tmp_path / "state"
    modes = [path.stat().st_mode & 0o777 for path in (folder, folder / "env", folder / "cloud.json")]
    own.stop()
    second = own.start()

    assert modes == [0o700, 0o600, 0o600]
    assert first.secret_access_key != second.secret_access_key
    assert processes_that_mention(second.secret_access_key) == []


def test_a_folder_that_others_may_open_is_closed(own: LocalCloud, tmp_path: Path) -> None:
    # given what the console keeps there, and made the folder for where it was used on AWS before
    (tmp_path / "state").mkdir(mode=0o755)
    code = "".join(path.read_text("utf-8") for path in (ROOT / "infra").rglob("*.py"))
    kept = set(re.findall(r'\bSTATE / [\'"]([^\'"]+)', code))
    assert kept >= {"charts", "proved", "recovery", "replays", "simulator.lock"}
    for name in kept:
        (tmp_path / "state" / name).touch()

    own.start()

    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_folder_with_other_files_is_left_alone(own: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    (tmp_path / "state" / "thesis.tex").touch()
    with pytest.raises(LocalCloudError, match=r"not the local cloud's alone: it holds thesis.tex.*EARWORM_STATE"):
        own.start()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o755


def test_a_number_that_another_program_took_over_is_left_alone(own: LocalCloud, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as bystander:
        own.start()
        kill(own, "AWS emulator")
        (tmp_path / "state" / "aws.lock").write_text(str(bystander.pid))
        assert own.stop() is False
        assert bystander.poll() is None
        bystander.communicate(b"\n")


def test_a_process_without_a_record_is_named_and_not_doubled(own: LocalCloud, tmp_path: Path) -> None:
    own.start()
    (tmp_path / "state" / "cloud.json").unlink()
    with pytest.raises(LocalCloudError, match=r"An earlier AWS emulator still runs.*Run `earworm down`"):
        own.start()
    assert own.stop() is True


def test_a_port_that_is_taken_ends_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = LocalCloud(tmp_path, REAL_SOURCES | {"EARWORM_AWS_PORT": str(port)})
        with pytest.raises(
            LocalCloudError, match=f"Port {port} cannot be used.*name another port in EARWORM_AWS_PORT, or unset it"
        ):
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
        LocalCloud(tmp_path, REAL_SOURCES | variables).start()


def test_it_holds_on_to_nothing_of_whoever_starts_it(own: LocalCloud, tmp_path: Path) -> None:
    """As when a script starts it in `flock`, whose lock would last as long as the cloud."""
    with (tmp_path / "another.lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        fcntl.flock(lock, fcntl.LOCK_EX)
        own.start()

    with (tmp_path / "another.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_process_that_ends_early_shows_the_end_of_its_log(tmp_path: Path) -> None:
    script = "import sys; sys.exit('the disk is full')"
    child = Child("AWS emulator", [sys.executable, "-c", script], free_port(), "/", tmp_path / "lock", tmp_path / "log")
    pid = spawn(child, os.environ)
    with pytest.raises(LocalCloudError, match=r"ended while it started(.|\n)*the disk is full"):
        await_healthy(child, pid, timeout=60)


def test_without_credentials_simulators_stand_in_for_spotify_and_listenbrainz(tmp_path: Path) -> None:
    cloud = LocalCloud(tmp_path, {"PATH": os.environ["PATH"]})
    try:
        variables = cloud.start().environment()
        token = requests.post(
            variables["SPOTIFY_TOKEN_URL"],
            data={"grant_type": "client_credentials"},
            auth=(variables["SPOTIPY_CLIENT_ID"], variables["SPOTIPY_CLIENT_SECRET"]),
            timeout=60,
        ).json()["access_token"]
        search = requests.get(
            f"{variables['SPOTIFY_API_URL']}playlists/{'0' * 22}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        assert search.json()["error"]["status"] == search.status_code == 404
        assert [status.healthy for status in cloud.status()] == [True, True, True]
    finally:
        cloud.stop()


def test_other_tools_are_told_of_aws_alone(cloud: LocalCloud) -> None:
    endpoints = cloud.endpoints()
    assert endpoints
    told = dict(line.split("=", 1) for line in cloud.environment_file.read_text().splitlines())
    assert told == endpoints.environment_of_aws()


TEST = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
CALLS: dict[Any, str] = {
    "s3": "list_buckets",
    "lambda": "list_functions",
    "sqs": "list_queues",
    "cloudformation": "list_stacks",
    "sts": "get_caller_identity",
    "xray": "get_sampling_rules",
}


@pytest.mark.parametrize("key", ["test", "000000000000", "AKIASTRANGER"])
@pytest.mark.parametrize("service", CALLS)
def test_a_stranger_is_refused(cloud: LocalCloud, key: str, service: str) -> None:
    stranger = client(service, cloud, aws_access_key_id=key, aws_secret_access_key="test")

    with pytest.raises(ClientError) as refused:
        getattr(stranger, CALLS[service])()

    told = refused.value.response
    assert told["Error"]["Code"] in {"InvalidAccessKeyId", "UnrecognizedClientException", "InvalidClientTokenId"}
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_signature_is_refused(cloud: LocalCloud, service: str) -> None:
    wrong = client(service, cloud, aws_secret_access_key="another")

    with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignatureException"):
        getattr(wrong, CALLS[service])()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/_ministack/reset", {}),
        ("POST", "/_ministack/reset", TEST),
        ("POST", "/%5Fministack/reset", TEST),
        ("POST", "/_ministack/config", TEST),
        ("GET", "/_ministack/health", TEST),
        ("GET", "/_ministack/sqs/messages", TEST),
        ("GET", "/_ministack/lambda-code/witness", TEST),
        ("GET", "/_localstack/health", {}),
        ("GET", "/health", {}),
        ("GET", "/latest/meta-data/iam/security-credentials/", {}),
        ("GET", "/oauth2/authorize", {}),
        ("GET", "/_aws/lambda-url/witness/", TEST),
        ("GET", "/", {}),
        ("GET", "/?X-Amz-Credential=test/20260101/us-east-1/s3/aws4_request", {}),
        ("GET", "/?AWSAccessKeyId=test", {}),
        ("OPTIONS", "/", {}),
        ("OPTIONS", "/", {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}),
        ("GET", "/_health", {"Host": "evil.example"}),
        ("GET", "/_health", {"Origin": "https://evil.example"}),
    ],
)
def test_what_is_not_signed_and_what_is_the_emulators_own_stays_closed(
    cloud: LocalCloud, method: str, path: str, headers: dict[str, str]
) -> None:
    endpoints = cloud.endpoints()
    assert endpoints
    client("s3", cloud).create_bucket(Bucket="kept")

    answer = requests.request(method, f"{endpoints.aws}{path}", headers=headers, timeout=60)

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert "kept" in [bucket["Name"] for bucket in client("s3", cloud).list_buckets()["Buckets"]]


def test_the_owner_is_kept_from_the_emulators_own_routes_too(cloud: LocalCloud) -> None:
    s3 = client("s3", cloud)
    link = s3.generate_presigned_url("put_object", Params={"Bucket": "_ministack", "Key": "reset"}, HttpMethod="POST")

    assert requests.post(link, timeout=60).status_code == 403


def test_the_route_of_health_tells_nothing(cloud: LocalCloud) -> None:
    endpoints = cloud.endpoints()
    assert endpoints
    answer = requests.get(f"{endpoints.aws}/_health", timeout=60)
    assert (answer.status_code, answer.content) == (204, b"")


def test_no_page_is_invited_to_read_an_answer(cloud: LocalCloud) -> None:
    headers = client("lambda", cloud).list_functions()["ResponseMetadata"]["HTTPHeaders"]
    assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("config", [Config(signature_version="s3v4"), None], ids=["version 4", "as boto3 does"])
def test_an_address_that_was_signed_opens_from_a_link(cloud: LocalCloud, config: Config | None) -> None:
    s3 = client("s3", cloud, config=config)
    s3.create_bucket(Bucket="pages")
    s3.put_object(Bucket="pages", Key="week=1/a b+ü.html", Body=b"<h1>", ContentType="text/html")
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "pages", "Key": "week=1/a b+ü.html"})

    opened = requests.get(link, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, timeout=60)
    altered = requests.get(link.replace("week", "weeks"), timeout=60)

    assert (opened.status_code, opened.content) == (200, b"<h1>")
    assert altered.status_code == 403


def test_a_function_acts_with_credentials_that_nobody_can_derive(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    """ministack derives them from the names of the function and its role."""
    assert outputs
    functions = client("lambda", cloud)
    functions.invoke(FunctionName="witness", Payload=b"{}")
    config = functions.get_function_configuration(FunctionName="witness")
    digest = sha256(f"{config['FunctionArn']}:{config['Role']}".encode()).hexdigest()
    derived = {
        "aws_access_key_id": f"ASIA{digest[:16].upper()}",
        "aws_secret_access_key": sha256(f"secret:{digest}".encode()).hexdigest(),
        "aws_session_token": sha256(f"token:{digest}".encode()).hexdigest(),
    }

    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client("sts", cloud, **derived).get_caller_identity()
