"""Which tokens are asked for, how long they are kept, and what a refusal is called."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from spotipy.cache_handler import MemoryCacheHandler

from services.extractor.authorization import Authorization, ConsentEndedError, UnauthorizedError, authorization
from services.extractor.credentials import Credentials
from shared.web import (
    QuotaError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
    WebSession,
)
from tests.fake_accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, FakeAccounts

ALONE = Credentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))
CONSENTED = ALONE.model_copy(
    update={"refresh_token": SecretStr(REFRESH_TOKEN), "consented_at": datetime(2026, 5, 3, tzinfo=UTC)}
)
both_flows = pytest.mark.parametrize("credentials", [ALONE, CONSENTED], ids=["alone", "consented"])


@pytest.fixture
def accounts() -> Iterator[FakeAccounts]:
    with FakeAccounts().listening() as accounts:
        yield accounts


@pytest.fixture
def tokens() -> MemoryCacheHandler:
    return MemoryCacheHandler()


def authorized(
    accounts: FakeAccounts, credentials: Credentials, tokens: MemoryCacheHandler, *, seconds_left: float = 600
) -> Authorization:
    session = WebSession(lambda: seconds_left, call_budget=lambda: 500)
    return authorization(credentials, session=session, tokens=tokens, token_url=accounts.token_url)


def test_the_application_asks_for_itself_where_nobody_consented(
    accounts: FakeAccounts, tokens: MemoryCacheHandler
) -> None:
    assert authorized(accounts, ALONE, tokens).get_access_token(as_dict=False) == "access-1"
    assert accounts.asked == [{"grant_type": "client_credentials"}]


def test_a_consent_is_used_where_there_is_one(accounts: FakeAccounts, tokens: MemoryCacheHandler) -> None:
    assert authorized(accounts, CONSENTED, tokens).get_access_token(as_dict=False) == "access-1"
    assert accounts.asked == [{"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}]


@both_flows
def test_a_token_is_kept_from_client_to_client_until_its_last_minute(
    accounts: FakeAccounts, tokens: MemoryCacheHandler, credentials: Credentials
) -> None:
    # given a client that got a token
    first = authorized(accounts, credentials, tokens).get_access_token()

    # when another client of the same process needs one, before and after it has run out
    second = authorized(accounts, credentials, tokens).get_access_token()
    tokens.save_token_to_cache({**tokens.get_cached_token(), "expires_at": datetime.now(UTC).timestamp() + 59})
    third = authorized(accounts, credentials, tokens).get_access_token()

    # then a new one was asked for once
    assert (first, second, third) == ("access-1", "access-1", "access-2")


@both_flows
def test_a_token_that_was_refused_is_not_used_again(
    accounts: FakeAccounts, tokens: MemoryCacheHandler, credentials: Credentials
) -> None:
    client = authorized(accounts, credentials, tokens)
    client.get_access_token()

    client.forget_access_token()

    assert client.get_access_token() == "access-2"


def test_before_the_first_token_there_is_none_to_forget(accounts: FakeAccounts, tokens: MemoryCacheHandler) -> None:
    authorized(accounts, CONSENTED, tokens).forget_access_token()

    assert tokens.get_cached_token() is None


def test_a_refresh_token_that_takes_the_place_of_another_is_kept_for_the_life_of_the_process(
    accounts: FakeAccounts, tokens: MemoryCacheHandler
) -> None:
    # given a refresh that answered with a new refresh token
    accounts.rotates = "the-next-refresh-token"
    client = authorized(accounts, CONSENTED, tokens)
    client.get_access_token()

    # when the access token is no longer good, in the same run and in a later one
    client.forget_access_token()
    client.get_access_token()
    client.forget_access_token()
    authorized(accounts, CONSENTED, tokens).get_access_token()

    # then the new refresh token is used
    assert [form["refresh_token"] for form in accounts.asked] == [REFRESH_TOKEN, *["the-next-refresh-token"] * 2]


def test_a_consent_that_has_ended_is_told_with_what_to_do(accounts: FakeAccounts, tokens: MemoryCacheHandler) -> None:
    accounts.refresh_token = None

    with pytest.raises(ConsentEndedError, match=r"end six months after consent.* Run `earworm authorize`") as fault:
        authorized(accounts, CONSENTED, tokens).get_access_token()

    assert "03 May 2026" in str(fault.value)
    assert fault.value.finding == "consent_ended"
    assert not isinstance(fault.value, RefusedError)
    assert len(accounts.asked) == 1


@both_flows
def test_wrong_credentials_are_told_with_what_to_do(
    accounts: FakeAccounts, tokens: MemoryCacheHandler, credentials: Credentials
) -> None:
    wrong = credentials.model_copy(update={"client_secret": SecretStr("another-secret")})

    with pytest.raises(UnauthorizedError, match=r"invalid_client: .* Compare client_id and client_secret"):
        authorized(accounts, wrong, tokens).get_access_token()


def test_an_invalid_grant_without_a_consent_is_no_ended_consent(
    accounts: FakeAccounts, tokens: MemoryCacheHandler
) -> None:
    accounts.faults = [(400, {"error": "invalid_grant"})]

    with pytest.raises(UnauthorizedError, match="invalid_grant"):
        authorized(accounts, ALONE, tokens).get_access_token()


@both_flows
@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ((503, "upstream connect error"), UnavailableError),
        ((429, {"error": "too many requests"}), RateLimitedError),
        ((200, "<html>"), UnavailableError),
        ((200, {}), UnavailableError),
        ((200, {"expires_in": 3600}), UnavailableError),
        ((200, {"expires_in": 3600, "access_token": None}), UnavailableError),
        ((200, {"expires_in": "3600", "access_token": "access"}), UnavailableError),
    ],
)
def test_no_usable_answer_is_left_to_the_callers_retries(
    accounts: FakeAccounts,
    tokens: MemoryCacheHandler,
    credentials: Credentials,
    answer: tuple[int, object],
    fault: type[Exception],
) -> None:
    # given an accounts service that is itself again after one answer
    accounts.faults = [answer]
    client = authorized(accounts, credentials, tokens)

    # when a token is asked for, then the fault comes through after one call
    with pytest.raises(fault):
        client.get_access_token()
    assert len(accounts.asked) == 1

    # and the next attempt asks again
    assert client.get_access_token() == "access-2"


@both_flows
def test_no_token_is_asked_for_once_the_time_is_spent(
    accounts: FakeAccounts, tokens: MemoryCacheHandler, credentials: Credentials
) -> None:
    with pytest.raises(QuotaError):
        authorized(accounts, credentials, tokens, seconds_left=0).get_access_token()

    assert accounts.asked == []


@both_flows
def test_no_token_is_written_to_a_file(
    accounts: FakeAccounts,
    tokens: MemoryCacheHandler,
    credentials: Credentials,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    authorized(accounts, credentials, tokens).get_access_token()

    assert list(tmp_path.iterdir()) == []


@both_flows
def test_nothing_secret_is_printed_or_raised(
    accounts: FakeAccounts,
    tokens: MemoryCacheHandler,
    credentials: Credentials,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # given a token
    client = authorized(accounts, credentials, tokens)
    token = client.get_access_token()

    # when it is refused
    client.forget_access_token()
    accounts.faults = [(400, {"error": "invalid_grant"})]
    with pytest.raises((UnauthorizedError, ConsentEndedError)) as fault:
        client.get_access_token()

    # then none of what is secret has left
    told = f"{capfd.readouterr()}{fault.value!r}{client!r}{credentials!r}"
    for secret in (token, CLIENT_SECRET, REFRESH_TOKEN):
        assert secret not in told
