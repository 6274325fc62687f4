"""What the local cloud lets through of requests, against botocore's own signers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from infra.local.emulator.signatures import SignatureError, SignedRequest, verify
from infra.local.loopback import foreign

ENDPOINT = "http://127.0.0.1:4566"
ROOT = Credentials("LOCAL0123456789ABCDEF", "the root's secret")
ROLE = Credentials("ASIA0123456789ABCDEF", "a role's secret", "the token/of+a=session")
S3V4 = Config(signature_version="s3v4")


def credentials_of(key: str, token: str) -> Credentials:
    for known in (ROOT, ROLE):
        if known.access_key == key and (known.token or "") == token:
            return known
    raise SignatureError("UnrecognizedClientException", "The security token included in the request is invalid.")


def client(service: Any, signer: Credentials = ROOT, config: Config | None = None) -> Any:
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=signer.access_key,
        aws_secret_access_key=signer.secret_key,
        aws_session_token=signer.token,
        config=config,
    )


def sent(service: Any, operation: str, signer: Credentials = ROOT, /, **arguments: Any) -> SignedRequest:
    """The request that boto3 would send."""
    caught: list[SignedRequest] = []

    class CaughtError(Exception):
        pass

    def catch(request: Any, **_: Any) -> None:
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        caught.append(of_the_wire(request.method, request.url, dict(request.headers.items()), body))
        raise CaughtError

    asking = client(service, signer)
    asking.meta.events.register("before-send", catch)
    with pytest.raises(CaughtError):
        getattr(asking, operation)(**arguments)
    return caught[0]


def of_the_wire(method: str, url: str, headers: dict[str, Any], body: bytes | str = b"") -> SignedRequest:
    parts = urlsplit(url)
    lines = {"Host": parts.netloc} | {
        name: value.decode() if isinstance(value, bytes) else value for name, value in headers.items()
    }
    return SignedRequest(
        method, parts.path, parts.query, tuple(lines.items()), body.encode() if isinstance(body, str) else body
    )


def refusal(request: SignedRequest, now: datetime | None = None) -> str:
    with pytest.raises(SignatureError) as refused:
        verify(request, credentials_of, now)
    return refused.value.code


def changed(request: SignedRequest, **change: Any) -> SignedRequest:
    told = {name: getattr(request, name) for name in ("method", "path", "query_string", "headers", "body")}
    return SignedRequest(**(told | change))


def with_header(request: SignedRequest, name: str, value: str) -> SignedRequest:
    kept = tuple(line for line in request.headers if line[0].lower() != name.lower())
    return changed(request, headers=(*kept, (name, value)))


KEY = "a b/ü+&=?%2F#~*'(x)/.././/!"

REQUESTS: dict[str, Callable[[Credentials], SignedRequest]] = {
    "s3 get": lambda by: sent("s3", "get_object", by, Bucket="lake", Key=KEY),
    "s3 put": lambda by: sent(
        "s3", "put_object", by, Bucket="lake", Key=KEY, Body=b"x" * 70_000, Metadata={"a": " b  c"}
    ),
    "s3 list": lambda by: sent("s3", "list_objects_v2", by, Bucket="lake", Prefix=KEY, StartAfter="é ", Delimiter="/"),
    "s3 version": lambda by: sent("s3", "head_object", by, Bucket="lake", Key=KEY, VersionId="a+b/c=", IfMatch='"e"'),
    "s3 delete": lambda by: sent("s3", "delete_objects", by, Bucket="lake", Delete={"Objects": [{"Key": KEY}]}),
    "lambda": lambda by: sent(
        "lambda", "invoke", by, FunctionName="arn:aws:lambda:us-east-1:0:function:f", Payload=b"{}"
    ),
    "sqs": lambda by: sent("sqs", "send_message", by, QueueUrl=f"{ENDPOINT}/0/queue", MessageBody="ü"),
    "sts": lambda by: sent("sts", "get_caller_identity", by),
    "cloudformation": lambda by: sent("cloudformation", "describe_stacks", by, StackName="a b"),
    "scheduler": lambda by: sent("scheduler", "get_schedule", by, Name="weekly", GroupName="a group"),
}


@pytest.fixture(params=list(REQUESTS.values()), ids=list(REQUESTS))
def request_(request: pytest.FixtureRequest) -> SignedRequest:
    return request.param(ROLE)  # type: ignore[no-any-return]


def test_what_boto3_signs_passes(request_: SignedRequest) -> None:
    assert verify(request_, credentials_of) == ROLE.access_key


def test_nothing_of_it_can_be_changed(request_: SignedRequest) -> None:
    authorization = request_.fields["authorization"]
    alterations = [
        changed(request_, method="DELETE" if request_.method != "DELETE" else "PUT"),
        changed(request_, path=f"{request_.path}x"),
        changed(request_, query_string=f"{request_.query_string}&versionId=x"),
        changed(request_, body=b"another body"),
        with_header(request_, "X-Amz-Date", f"{datetime.now(UTC) + timedelta(minutes=1):%Y%m%dT%H%M%SZ}"),
        with_header(request_, "X-Amz-Copy-Source", "lake/secret"),
        with_header(request_, "Authorization", authorization[:-1] + ("0" if authorization[-1] != "0" else "1")),
    ]
    for altered in alterations:
        assert refusal(altered) in {"SignatureDoesNotMatch", "AccessDenied", "XAmzContentSHA256Mismatch"}


def test_what_is_not_signed_is_refused() -> None:
    signed = REQUESTS["lambda"](ROOT)
    bare = changed(signed, headers=tuple(line for line in signed.headers if line[0].lower() != "authorization"))

    assert refusal(bare) == "MissingAuthenticationToken"


@pytest.mark.parametrize(
    ("by", "code"),
    [
        (Credentials("test", "test"), "UnrecognizedClientException"),
        (Credentials("000000000000", "test"), "UnrecognizedClientException"),
        (Credentials(ROOT.access_key, "another secret"), "SignatureDoesNotMatch"),
        (Credentials(ROLE.access_key, ROLE.secret_key), "UnrecognizedClientException"),
        (Credentials(ROLE.access_key, ROLE.secret_key, "another token"), "UnrecognizedClientException"),
    ],
)
def test_other_keys_open_nothing(by: Credentials, code: str) -> None:
    assert refusal(REQUESTS["s3 get"](by)) == code


@pytest.mark.parametrize(("minutes", "passes"), [(-16, False), (-4, True), (4, True), (16, False)])
def test_a_request_counts_for_minutes(minutes: int, passes: bool) -> None:  # noqa: FBT001 - it is a table
    request, now = REQUESTS["lambda"](ROOT), datetime.now(UTC) + timedelta(minutes=minutes)

    if passes:
        assert verify(request, credentials_of, now) == ROOT.access_key
    else:
        assert refusal(request, now) == "RequestTimeTooSkewed"


def test_a_request_without_a_readable_date_is_refused() -> None:
    assert refusal(with_header(REQUESTS["lambda"](ROOT), "X-Amz-Date", "yesterday")) == "IncompleteSignature"


@pytest.mark.parametrize(
    "authorization", ["Bearer x", "AWS AKIA:x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b"]
)
def test_other_ways_to_sign_are_refused(authorization: str) -> None:
    assert refusal(with_header(REQUESTS["s3 get"](ROOT), "Authorization", authorization)) in {
        "UnsupportedSignature",
        "IncompleteSignature",
        "MissingAuthorizationParameter",
    }


def test_a_body_that_the_signature_does_not_cover_passes_with_s3_alone() -> None:
    def signed(service: str) -> SignedRequest:
        request = AWSRequest("PUT", f"{ENDPOINT}/lake/key", data=b"body")
        request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
        request.context["payload_signing_enabled"] = False
        request.context["client_config"] = Config(s3={"payload_signing_enabled": False})
        (S3SigV4Auth if service == "s3" else SigV4Auth)(ROOT, service, "us-east-1").add_auth(request)
        return of_the_wire("PUT", f"{ENDPOINT}/lake/key", dict(request.headers.items()), b"body")

    assert verify(signed("s3"), credentials_of) == ROOT.access_key
    assert refusal(signed("lambda")) == "XAmzContentSHA256Mismatch"


def test_two_ways_to_sign_at_once_are_refused() -> None:
    request = REQUESTS["s3 list"](ROLE)
    query = f"{request.query_string}&X-Amz-Credential={ROOT.access_key}/20260101/us-east-1/s3/aws4_request"

    assert refusal(changed(request, query_string=query)) == "AccessDenied"


@pytest.mark.parametrize("config", [S3V4, None], ids=["version 4", "as boto3 does by itself"])
@pytest.mark.parametrize("signer", [ROOT, ROLE], ids=["root", "role"])
def test_an_address_that_was_signed_opens_until_it_ends(signer: Credentials, config: Config | None) -> None:
    parameters = {"Bucket": "lake", "Key": KEY, "ResponseContentType": "text/html; a=b", "VersionId": "x+y/z"}
    address = client("s3", signer, config).generate_presigned_url("get_object", Params=parameters, ExpiresIn=600)
    request = of_the_wire("GET", address, {"Accept": "text/html", "Sec-Fetch-Site": "none"})

    assert verify(request, credentials_of) == signer.access_key
    assert refusal(request, datetime.now(UTC) + timedelta(seconds=601)) == "RequestExpired"
    assert refusal(changed(request, method="PUT")) == "SignatureDoesNotMatch"
    assert refusal(changed(request, path="/lake/another")) == "SignatureDoesNotMatch"
    assert refusal(with_header(request, "X-Amz-Copy-Source", "lake/x")) in {"SignatureDoesNotMatch", "AccessDenied"}


def test_an_address_of_another_service_opens_too() -> None:
    address = client("sts", ROLE).generate_presigned_url("get_caller_identity", HttpMethod="GET")

    assert verify(of_the_wire("GET", address, {}), credentials_of) == ROLE.access_key


def test_an_address_lives_for_a_week_at_most() -> None:
    address = client("s3", ROOT, S3V4).generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    request = of_the_wire("GET", address, {})
    query = {**dict(parse_qsl(request.query_string)), "X-Amz-Expires": "604801"}

    assert refusal(changed(request, query_string=urlencode(query))) == "IncompleteSignature"


@given(
    segments=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=4),
    query=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        ),
        max_size=4,
    ),
    body=st.binary(max_size=20),
    service=st.sampled_from(["s3", "lambda"]),
)
def test_whatever_botocore_signs_passes(
    segments: list[str], query: list[tuple[str, str]], body: bytes, service: str
) -> None:
    query = [pair for pair in query if pair[0].lower() not in {"x-amz-credential", "awsaccesskeyid", "x-amz-signature"}]
    encoded = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
    url = f"{ENDPOINT}/{'/'.join(quote(segment, safe='-_.~') for segment in segments)}?{encoded}"
    request = AWSRequest("POST", url, data=body)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(ROLE, service, "us-east-1").add_auth(request)

    assert verify(of_the_wire("POST", url, dict(request.headers.items()), body), credentials_of) == ROLE.access_key


HOST = {"host": "127.0.0.1:4566"}


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", HOST),
        ("POST", {"host": "localhost:4566"}),
        ("POST", HOST | {"origin": "http://localhost:4566", "sec-fetch-site": "same-origin"}),
        ("GET", HOST | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}),
    ],
)
def test_programs_and_a_link_that_is_opened_are_let_in(method: str, headers: dict[str, str]) -> None:
    assert foreign(method, headers, 4566) is None


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, "for the host ''"),
        ({"host": "evil.example:4566"}, "for the host 'evil.example:4566'"),
        ({"host": "127.0.0.1"}, "for the host '127.0.0.1'"),
        ({"host": "127.0.0.1:80"}, "for the host"),
        ({"host": "lake.localhost:4566"}, "for the host"),
        (HOST | {"origin": "https://evil.example"}, "page of https://evil.example"),
        (HOST | {"origin": "null"}, "page of null"),
        (HOST | {"origin": "http://127.0.0.1:8080"}, "page of http://127.0.0.1:8080"),
        (HOST | {"sec-fetch-site": "cross-site"}, "page of another site"),
    ],
)
def test_pages_and_other_names_are_not(headers: dict[str, str], sentence: str) -> None:
    told = foreign("POST", headers, 4566)

    assert told
    assert sentence in told
