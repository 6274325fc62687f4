"""Makes the sessions and clients of AWS's SDK."""

import os
from collections.abc import Mapping
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError as SessionError
from botocore.session import Session

__all__ = ["SessionError", "client", "of_the_environment", "of_the_local_cloud"]

_LONGEST_INVOCATION: Final = 910


def of_the_environment(variables: Mapping[str, str]) -> boto3.Session:
    """Returns the session that variables and files of AWS name.

    Raises:
        SessionError: They name a profile that does not exist.
    """
    # botocore reads AWS_DEFAULT_REGION alone; AWS's other SDKs read AWS_REGION.
    return boto3.Session(region_name=variables.get("AWS_REGION") or None)


def of_the_local_cloud(variables: Mapping[str, str]) -> boto3.Session:
    """Returns a session that asks neither variables nor files for anything."""
    unset = {
        name: (None, None, os.devnull if name in {"config_file", "credentials_file"} else default, convert)
        for name, (_, _, default, convert) in Session.SESSION_VARIABLES.items()
    }
    return boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
        botocore_session=Session(session_vars=unset),
    )


def client(session: boto3.Session, service: str, endpoint: str | None, *, is_local: bool) -> object:
    """Returns a client; Lambda's waits as long as the longest invocation and never retries one.

    What lies between may end a connection that is silent for minutes, unless it is kept alive.
    """
    config = Config(
        tcp_keepalive=service == "lambda",
        read_timeout=_LONGEST_INVOCATION if service == "lambda" else 60,
        retries={"total_max_attempts": 1} if service == "lambda" else {"mode": "standard"},
        proxies={} if is_local else None,
    )
    return session.client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]  # Cloud.client narrows it
