"""How a user's consent comes to the extractor, and what keeps it from doing so."""

import json
import logging
import re
import socket
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import boto3
import pytest
from moto import mock_aws

from infra.cli.authorize import obtain_consent
from infra.cli.screen import ConsoleError
from infra.deploying.deploy import DeployError
from tests.fake_accounts import CLIENT_ID, CLIENT_SECRET, CODE, REFRESH_TOKEN, FakeAccounts

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET = "earworm/dev/spotify"
APPLICATION = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def agree(page: str) -> str:
    """Opens Spotify's page, is sent back to the console, and reads what that says."""
    with urllib.request.urlopen(page, timeout=5) as answer:
        read: bytes = answer.read()
    return read.decode()


@dataclass
class Browser:
    """The browser that the console opens, and somebody at it.

    Attributes:
        does: What they do with the page that was opened.
        seen: What they see in the end, for each page.
    """

    pool: ThreadPoolExecutor
    does: Callable[[str], str] = agree
    seen: list[Future[str]] = field(default_factory=list)

    def open(self, page: str) -> bool:
        self.seen.append(self.pool.submit(self.does, page))
        return True


@dataclass
class Desk:
    """An operator's shell and cloud."""

    secretsmanager: "SecretsManagerClient"
    variables: dict[str, str]
    accounts: FakeAccounts
    browser: Browser

    def authorize(self, **options: Any) -> datetime:
        return obtain_consent(
            self.secretsmanager, "dev", self.variables, **{"open_browser": True, "patience": 5} | options
        )

    @property
    def stored(self) -> Any:
        try:
            return json.loads(self.secretsmanager.get_secret_value(SecretId=SECRET)["SecretString"])
        except self.secretsmanager.exceptions.ResourceNotFoundException:
            return None


@pytest.fixture(scope="module")
def secretsmanager() -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def desk(secretsmanager: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with FakeAccounts().listening() as accounts, ThreadPoolExecutor(max_workers=1) as pool:
        variables = {
            "SPOTIPY_CLIENT_ID": CLIENT_ID,
            "SPOTIPY_CLIENT_SECRET": CLIENT_SECRET,
            "SPOTIPY_REDIRECT_URI": f"http://127.0.0.1:{port}/callback",
            "SPOTIFY_AUTHORIZE_URL": accounts.authorize_url,
            "SPOTIFY_TOKEN_URL": accounts.token_url,
        }
        desk = Desk(secretsmanager, variables, accounts, Browser(pool))
        monkeypatch.setattr(webbrowser, "open", desk.browser.open)
        yield desk
        if desk.stored is not None:
            secretsmanager.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


def test_a_consent_is_stored_beside_the_application(desk: Desk) -> None:
    # given a user who agrees
    before = datetime.now(UTC)

    # when they are asked
    consented_at = desk.authorize()

    # then the extractor's secret holds their consent, and since when
    assert desk.stored == APPLICATION | {"refresh_token": REFRESH_TOKEN, "consented_at": consented_at.isoformat()}
    assert before - timedelta(seconds=1) < consented_at <= datetime.now(UTC)

    # and their browser sends them back to the console
    assert "see there what came of it" in desk.browser.seen[0].result()


def test_the_user_is_asked_anew_for_no_more_than_their_playlists(desk: Desk) -> None:
    desk.authorize()

    (asked,) = desk.accounts.pages
    assert len(asked.pop("state")) >= 32
    assert asked == {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": desk.variables["SPOTIPY_REDIRECT_URI"],
        "scope": "playlist-read-collaborative playlist-read-private",
        "show_dialog": "True",
    }


def test_each_question_has_a_state_of_its_own(desk: Desk) -> None:
    desk.authorize()
    desk.authorize()

    assert len({asked["state"] for asked in desk.accounts.pages}) == 2


def test_no_browser_is_opened_unless_asked_and_the_page_is_printed_whole(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConsoleError, match="Nobody agreed"):
        desk.authorize(open_browser=False, patience=0.05)

    assert desk.browser.seen == []
    assert re.search(rf"^{desk.accounts.authorize_url}\?client_id=\S+$", capsys.readouterr().out, re.MULTILINE)


def test_a_renewed_consent_takes_the_place_of_the_old_one(desk: Desk) -> None:
    old = {"refresh_token": "old", "consented_at": "2026-05-03T00:00:00+00:00"}
    desk.secretsmanager.create_secret(Name=SECRET, SecretString=json.dumps(APPLICATION | old))

    consented_at = desk.authorize()

    assert desk.stored == APPLICATION | {"refresh_token": REFRESH_TOKEN, "consented_at": consented_at.isoformat()}


def test_the_stored_application_is_asked_for_where_the_shell_names_none(desk: Desk) -> None:
    desk.secretsmanager.create_secret(Name=SECRET, SecretString=json.dumps(APPLICATION))
    desk.variables |= {"SPOTIPY_CLIENT_ID": "", "SPOTIPY_CLIENT_SECRET": ""}

    desk.authorize()

    assert desk.accounts.pages[0]["client_id"] == CLIENT_ID
    assert desk.stored["refresh_token"] == REFRESH_TOKEN


def test_without_an_application_nobody_is_asked(desk: Desk) -> None:
    desk.variables |= {"SPOTIPY_CLIENT_ID": "", "SPOTIPY_CLIENT_SECRET": ""}

    with pytest.raises(ConsoleError, match=f"set SPOTIPY_CLIENT_ID and .*, or store them as {SECRET}"):
        desk.authorize()

    assert desk.browser.seen == []


@pytest.mark.parametrize("missing", ["SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET"])
def test_half_of_an_application_is_a_mistake(desk: Desk, missing: str) -> None:
    del desk.variables[missing]

    with pytest.raises(ConsoleError, match="belong together: set both or neither"):
        desk.authorize()


def test_a_secret_that_holds_something_else_is_not_overwritten(desk: Desk) -> None:
    desk.secretsmanager.create_secret(Name=SECRET, SecretString=json.dumps([CLIENT_SECRET]))
    desk.variables |= {"SPOTIPY_CLIENT_ID": "", "SPOTIPY_CLIENT_SECRET": ""}

    with pytest.raises(DeployError, match=f"{SECRET} in Secrets Manager is not a JSON object") as fault:
        desk.authorize()

    assert CLIENT_SECRET not in repr(fault.value)
    assert desk.browser.seen == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://localhost:8888/callback",
        "https://127.0.0.1:8888/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:no/callback",
        "http://127.0.0.1:88888/callback",
        "http://10.0.0.1:8888/callback",
        "http://[127.0.0.1:8888/callback",
        "127.0.0.1:8888",
    ],
)
def test_a_redirect_address_must_be_one_that_spotify_takes_and_the_console_can_listen_on(
    desk: Desk, address: str
) -> None:
    desk.variables["SPOTIPY_REDIRECT_URI"] = address

    with pytest.raises(ConsoleError, match=r"SPOTIPY_REDIRECT_URI must be .* such as http://127.0.0.1:8888/callback"):
        desk.authorize()

    assert desk.browser.seen == []


def test_a_port_that_is_taken_is_named(desk: Desk) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        desk.variables["SPOTIPY_REDIRECT_URI"] = f"http://127.0.0.1:{port}/callback"

        with pytest.raises(ConsoleError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            desk.authorize()

    assert desk.browser.seen == []


def test_a_user_who_does_nothing_is_not_waited_for_for_ever(desk: Desk) -> None:
    desk.browser.does = lambda _page: "closed"

    with pytest.raises(ConsoleError, match="Nobody agreed within 0 s"):
        desk.authorize(patience=0.2)


def test_what_else_a_browser_asks_for_is_no_answer(desk: Desk) -> None:
    # given a browser that opens a connection ahead of need, and asks for an icon
    address = desk.variables["SPOTIPY_REDIRECT_URI"]
    port = int(address.removesuffix("/callback").rpartition(":")[2])

    def busy(page: str) -> str:
        with closing(socket.create_connection(("127.0.0.1", port))):
            with pytest.raises(HTTPError, match="404"):
                agree(address.replace("callback", "favicon.ico"))
            return agree(page)

    desk.browser.does = busy

    # when its user agrees
    desk.authorize()

    # then that is the answer
    assert "see there" in desk.browser.seen[0].result()
    assert desk.stored["refresh_token"] == REFRESH_TOKEN


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"error": "access_denied"}, "The user did not agree"),
        ({"error": "server_error"}, "Spotify did not ask the user: server_error"),
        ({}, "contains neither a code nor an error"),
    ],
)
def test_a_user_or_a_spotify_that_does_not_agree_is_told_apart(
    desk: Desk, query: dict[str, str], sentence: str
) -> None:
    desk.accounts.redirect_to = query

    with pytest.raises(ConsoleError, match=sentence):
        desk.authorize()

    assert desk.accounts.asked == []
    assert desk.stored is None


@pytest.mark.parametrize(
    "query", [f"?code={CODE}", f"?code={CODE}&state=another", f"?code={CODE}&state=%D1%82%D0%BE%D1%82", ""]
)
def test_an_answer_to_another_question_is_not_used(desk: Desk, query: str) -> None:
    desk.browser.does = lambda _page: agree(desk.variables["SPOTIPY_REDIRECT_URI"] + query)

    with pytest.raises(ConsoleError, match="its state differs"):
        desk.authorize()

    assert desk.accounts.asked == []
    assert desk.stored is None


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((400, {"error": "invalid_client", "error_description": "Invalid client secret"}), "Invalid client secret"),
        ((400, ["no error object"]), "but something else"),
        ((503, "upstream connect error"), "upstream connect error"),
        ((200, "<html>"), "JSONDecodeError"),
        ((200, ["no token"]), "but something else"),
        ((200, {"access_token": "access-1", "expires_in": 3600}), "but something else"),
        ((200, {"refresh_token": None, "expires_in": 3600, "access_token": "access-1"}), "but something else"),
    ],
)
def test_a_code_that_gives_no_refresh_token_is_told_and_nothing_is_stored(
    desk: Desk, answer: tuple[int, object], sentence: str
) -> None:
    desk.accounts.faults = [answer]

    with pytest.raises(ConsoleError, match=f"Spotify issued no token at {desk.accounts.token_url}.*{sentence}"):
        desk.authorize()

    assert desk.stored is None


def test_an_accounts_service_that_cannot_be_reached_is_named(desk: Desk) -> None:
    desk.variables["SPOTIFY_TOKEN_URL"] = "http://127.0.0.1:1/api/token"

    with pytest.raises(ConsoleError, match=r"Spotify issued no token at http://127.0.0.1:1/api/token: ConnectionError"):
        desk.authorize()


@pytest.mark.parametrize("faults", [[], [(400, {"error": "invalid_grant"})], [(200, {"access_token": REFRESH_TOKEN})]])
def test_nothing_secret_is_printed_logged_or_raised(
    desk: Desk, faults: list[Any], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    # given everything logged
    caplog.set_level(logging.DEBUG)
    for name in ("botocore", "spotipy"):
        caplog.set_level(logging.DEBUG, name)
    desk.accounts.faults = faults

    # when a consent is stored, or is not
    try:
        told = str(desk.authorize())
    except ConsoleError as fault:
        told = repr(fault)

    # then none of what is secret has left
    told += f"{caplog.text}{capfd.readouterr()}{desk.browser.seen[0].result()}"
    for secret in (CLIENT_SECRET, REFRESH_TOKEN, CODE, "access-1"):
        assert secret not in told
