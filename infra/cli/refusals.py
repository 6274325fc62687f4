"""What the console says of the faults that are expected, each of a class of its own."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as CloudConnectionError

from analytics.athena import AthenaError
from infra.deploying.build import BuildError
from infra.deploying.changes import ChangesError
from infra.deploying.deploy import DeployError
from infra.local.cloud import LocalCloudError
from shared.errors import PermanentError

_CREDENTIALS = (
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
_AROUND = 40
"""Characters of an argument that are quoted on either side of what is wrong with it."""


def sentence_about(fault: Exception) -> str | None:
    """Returns what to say of a fault, None of one that nobody expected."""
    match fault:
        case AthenaError() if "TABLE_NOT_FOUND" in str(fault):
            return f"{fault}. If it is a table or a view of Earworm's, `earworm deploy catalog analytics` declares it."
        case AthenaError() | BuildError() | ChangesError() | DeployError() | LocalCloudError() | PermanentError():
            return str(fault)
        case BotoCoreError() | ClientError():
            return _of_the_cloud(fault)
        case OSError():  # after those of the cloud, some of which are also this
            where = f"{fault.filename}: " if fault.filename else ""
            return f"the system refused: {where}{fault.strerror or fault}. Fix that, and run the command again."
        case UnicodeEncodeError():
            return _unencodable(fault)
    return None


def _of_the_cloud(fault: BotoCoreError | ClientError) -> str:
    told = str(fault).removesuffix(".")
    if isinstance(fault, CloudConnectionError | HTTPClientError):
        return f"the cloud cannot be reached: {told}. Look at the network, and run the command again."
    if isinstance(fault, _CREDENTIALS):
        return f"the environment has no credentials that can be used: {told}. Log in, or name others by AWS_PROFILE."
    return f"the cloud refused the request: {fault}"


def _unencodable(fault: UnicodeEncodeError) -> str:
    if fault.encoding == "utf-8":  # bytes of an argument, which Python hands on as halves of surrogate pairs
        around = fault.object[max(fault.start - _AROUND, 0) : fault.end + _AROUND]
        return f"an argument is not in UTF-8: {around!r}. Write it in UTF-8."
    held = fault.object[fault.start : fault.end]
    return (
        f"the output cannot hold {held!r} in {fault.encoding}. Set PYTHONIOENCODING=utf-8, and run the command again."
    )
