"""Where credentials come from, and that none of them is ever shown."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from pydantic import SecretStr

from services.extractor.credentials import Credentials, days_since_consent, plain_credentials, stored_credentials
from shared.settings import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

NAME = "earworm/dev/spotify"
CLIENT_SECRET = "the-client-secret"
REFRESH_TOKEN = "the-refresh-token"
CONSENTED_AT = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
APPLICATION = {"client_id": "the-client-id", "client_secret": CLIENT_SECRET}
CONSENT = {"refresh_token": REFRESH_TOKEN, "consented_at": "2026-11-22T06:30:00+00:00"}


def as_variables(fields: dict[str, str]) -> dict[str, str]:
    return {f"SPOTIPY_{name.upper()}": value for name, value in fields.items()}


@pytest.fixture
def secrets() -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_the_application_alone_is_stored_without_a_consent(secrets: "SecretsManagerClient") -> None:
    secrets.create_secret(Name=NAME, SecretString=json.dumps(APPLICATION))

    stored = stored_credentials(secrets, NAME)

    assert stored == Credentials(client_id="the-client-id", client_secret=SecretStr(CLIENT_SECRET))
    assert (stored.refresh_token, stored.consented_at) == (None, None)


def test_a_consent_is_stored_beside_the_application(secrets: "SecretsManagerClient") -> None:
    secrets.create_secret(Name=NAME, SecretString=json.dumps(APPLICATION | CONSENT))

    stored = stored_credentials(secrets, NAME)

    assert stored.refresh_token == SecretStr(REFRESH_TOKEN)
    assert stored.consented_at == CONSENTED_AT


def test_a_missing_secret_is_named(secrets: "SecretsManagerClient") -> None:
    with pytest.raises(SettingsError, match=f"no secret '{NAME}': create it as JSON with client_id and client_secret"):
        stored_credentials(secrets, NAME)


def test_a_secret_that_iam_refuses_for_want_of_one_is_named_too(secrets: "SecretsManagerClient") -> None:
    sentence = f"no secret '{NAME}', or this function may not read it: create it as JSON"

    with Stubber(secrets) as refusing:
        refusing.add_client_error("get_secret_value", "AccessDeniedException", http_status_code=400)
        with pytest.raises(SettingsError, match=sentence):
            stored_credentials(secrets, NAME)


def test_any_other_refusal_may_pass(secrets: "SecretsManagerClient") -> None:
    with Stubber(secrets) as refusing:
        refusing.add_client_error("get_secret_value", "InternalServiceError", http_status_code=500)
        with pytest.raises(ClientError, match="InternalServiceError"):
            stored_credentials(secrets, NAME)


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (CLIENT_SECRET, "Invalid JSON"),
        ([CLIENT_SECRET], "the input"),
        ({"client_secret": CLIENT_SECRET}, "client_id: Field required"),
        (APPLICATION | {"client_id": ""}, "client_id"),
        (APPLICATION | {"refresh_token": REFRESH_TOKEN}, "refresh_token and consented_at belong together"),
        (APPLICATION | {"consented_at": CONSENT["consented_at"]}, "refresh_token and consented_at belong together"),
        (APPLICATION | CONSENT | {"refresh_token": ""}, "refresh_token"),
        (APPLICATION | CONSENT | {"consented_at": "2026-11-22T06:30:00"}, "consented_at: Input should have timezone"),
        (APPLICATION | CONSENT | {"consented_at": REFRESH_TOKEN}, "consented_at"),
    ],
)
def test_a_secret_that_holds_something_else_is_a_mistake_and_stays_untold(
    secrets: "SecretsManagerClient", held: Any, sentence: str
) -> None:
    secrets.create_secret(Name=NAME, SecretString=held if isinstance(held, str) else json.dumps(held))

    with pytest.raises(SettingsError, match=sentence) as fault:
        stored_credentials(secrets, NAME)

    assert CLIENT_SECRET not in repr(fault.value)
    assert REFRESH_TOKEN not in repr(fault.value)
    assert fault.value.__suppress_context__


def test_plain_variables_hold_the_application_and_perhaps_a_consent() -> None:
    application = plain_credentials(as_variables(APPLICATION))
    consented = plain_credentials(as_variables(APPLICATION | CONSENT))

    assert application == Credentials(client_id="the-client-id", client_secret=SecretStr(CLIENT_SECRET))
    assert consented == Credentials(
        client_id="the-client-id",
        client_secret=SecretStr(CLIENT_SECRET),
        refresh_token=SecretStr(REFRESH_TOKEN),
        consented_at=CONSENTED_AT,
    )


def test_without_plain_variables_there_are_no_plain_credentials() -> None:
    assert plain_credentials({"SPOTIFY_SECRET_NAME": NAME}) is None
    assert plain_credentials(dict.fromkeys(as_variables(APPLICATION | CONSENT), "")) is None


@pytest.mark.parametrize("missing", sorted(APPLICATION | CONSENT))
def test_plain_variables_that_belong_together_are_set_together(missing: str) -> None:
    held = {name: value for name, value in (APPLICATION | CONSENT).items() if name != missing}

    with pytest.raises(SettingsError, match="belong together: set both or neither") as fault:
        plain_credentials(as_variables(held))

    assert missing in str(fault.value)
    assert CLIENT_SECRET not in repr(fault.value)
    assert REFRESH_TOKEN not in repr(fault.value)


def test_no_secret_is_shown_with_credentials() -> None:
    credentials = Credentials.model_validate(APPLICATION | CONSENT)

    shown = f"{credentials!r} {credentials} {credentials.model_dump()} {credentials.model_dump_json()}"

    assert CLIENT_SECRET not in shown
    assert REFRESH_TOKEN not in shown


@given(st.integers(min_value=0, max_value=10_000), st.timedeltas(timedelta(0), timedelta(hours=23, minutes=59)))
def test_days_since_consent_are_full_days(days: int, rest: timedelta) -> None:
    credentials = Credentials.model_validate(APPLICATION | CONSENT)

    assert days_since_consent(credentials, CONSENTED_AT + timedelta(days=days) + rest) == days


def test_without_consent_no_days_have_passed_since() -> None:
    assert days_since_consent(Credentials.model_validate(APPLICATION), CONSENTED_AT) is None
