"""Makes the sessions and clients of AWS's SDK.

They are botocore's: boto3 adds resources and transfers, which no command needs and each would wait for.
"""

import os
from collections.abc import Mapping
from typing import Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError as SessionError
from botocore.session import Session

__all__ = ["SessionError", "client", "of_the_environment", "of_the_local_cloud"]

_LONGEST_INVOCATION: Final = 910


def of_the_environment(variables: Mapping[str, str]) -> Session:
    """Returns the session that variables and files of AWS name.

    Raises:
        SessionError: They name a profile that does not exist.
    """
    session = Session()
    session.get_scoped_config()  # raises it
    if region := variables.get("AWS_REGION"):
        # botocore reads AWS_DEFAULT_REGION alone; AWS's other SDKs read AWS_REGION.
        session.set_config_variable("region", region)
    return session


def of_the_local_cloud(variables: Mapping[str, str]) -> Session:
    """Returns a session that asks neither variables nor files for anything."""
    unset = {
        name: (None, None, os.devnull if name in {"config_file", "credentials_file"} else default, convert)
        for name, (_, _, default, convert) in Session.SESSION_VARIABLES.items()
    }
    session = Session(session_vars=unset)
    session.set_credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    session.set_config_variable("region", variables["AWS_REGION"])
    return session


def client(session: Session, service: str, endpoint: str | None, *, is_local: bool) -> object:
    """Returns a client; Lambda's waits as long as the longest invocation and never retries one.

    What lies between may end a connection that is silent for minutes, unless it is kept alive.
    """
    config = Config(
        tcp_keepalive=service == "lambda",
        read_timeout=_LONGEST_INVOCATION if service == "lambda" else 60,
        retries={"total_max_attempts": 1} if service == "lambda" else {"mode": "standard"},
        proxies={} if is_local else None,
    )
    return session.create_client(service, endpoint_url=endpoint, config=config)
