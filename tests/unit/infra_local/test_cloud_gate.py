"""What the gate does with what it lets through and with what it refuses; `test_local_cloud` asks it as a whole."""

import asyncio
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack.services import sts

from infra.local.emulator.gate import Gate

PORT = 4566
ADDRESS = f"http://127.0.0.1:{PORT}"
ROOT = Credentials("LOCAL0123456789ABCDEF", "the secret")
PATH = "/2015-03-31/functions"


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ROOT.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ROOT.secret_key)


class Asked:
    """A connection to the gate, and what came of it."""

    def __init__(self, *parts: bytes, type_: str = "http", **headers: str) -> None:
        self.passed: list[bytes] = []
        self.sent: list[dict[str, Any]] = []
        self.parts = list(parts)
        lines = {"Host": f"127.0.0.1:{PORT}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        self.scope = {
            "type": type_,
            "method": "POST",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in lines.items()],
        }
        asyncio.run(Gate(self._app, PORT)(self.scope, self._receive, self._send))

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.parts.pop(0), "more_body": bool(self.parts)}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def _app(self, _scope: Any, receive: Any, send: Any) -> None:
        self.passed.append((await receive())["body"])
        cors = [(b"access-control-allow-origin", b"*"), (b"Access-Control-Allow-Methods", b"*")]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"x"), *cors]})
        await send({"type": "http.response.body", "body": b""})


def signed(body: bytes, by: Credentials = ROOT) -> dict[str, str]:
    request = AWSRequest("POST", f"{ADDRESS}{PATH}", data=body)
    SigV4Auth(by, "lambda", "us-east-1").add_auth(request)
    return {name.replace("-", "_"): value for name, value in request.headers.items()}


def test_the_body_arrives_whole_and_no_page_is_invited() -> None:
    asked = Asked(b"two", b" parts", **signed(b"two parts"))

    assert asked.passed == [b"two parts"]
    assert asked.sent[0]["headers"] == [(b"content-type", b"x")]


def test_another_body_than_the_signed_one_does_not_pass() -> None:
    asked = Asked(b"another", **signed(b"two parts"))

    assert (asked.status, asked.passed) == (403, [])


def test_a_stranger_is_refused_before_the_body_is_read() -> None:
    asked = Asked(
        b"a large body", Authorization="AWS4-HMAC-SHA256 Credential=AKIASTRANGER/20260101/us-east-1/s3/aws4_request"
    )

    assert (asked.status, asked.passed, asked.parts) == (403, [], [b"a large body"])


def test_who_names_one_caller_and_signs_as_another_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """ministack takes the first credential of the header for the caller, and the last one for the signer."""
    # given a role that may sign
    role = Credentials("ASIA0123456789ABCDEF", "a role's secret", "a token")
    arn = "arn:aws:sts::000000000000:assumed-role/r/f"
    session = {"Arn": arn, "SecretAccessKey": role.secret_key, "SessionToken": role.token}
    monkeypatch.setitem(sts._sessions, role.access_key, session)
    headers = signed(b"", by=role)
    assert Asked(b"", **headers).status == 200

    # when it names the root besides
    algorithm, rest = headers["Authorization"].split(" ", 1)
    headers["Authorization"] = (
        f"{algorithm} Credential={ROOT.access_key}/20260101/us-east-1/lambda/aws4_request, {rest}"
    )

    # then
    assert Asked(b"", **headers).status == 403


def test_no_websocket_is_opened() -> None:
    assert Asked(b"", type_="websocket").sent == [{"type": "websocket.close", "code": 1008}]
