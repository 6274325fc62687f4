"""What the console says of the faults that are expected, each of a class of its own."""

from botocore.exceptions import BotoCoreError, ClientError

from analytics.athena import AthenaError
from infra.deploying.build import BuildError
from infra.deploying.changes import ChangesError
from infra.deploying.deploy import DeployError
from infra.local.cloud import LocalCloudError
from shared.errors import PermanentError


def sentence_about(fault: Exception) -> str | None:
    """Returns what to say of a fault, None of one that nobody expected."""
    match fault:
        case AthenaError() | BuildError() | ChangesError() | DeployError() | LocalCloudError() | PermanentError():
            return str(fault)
        case BotoCoreError() | ClientError():
            return f"the cloud refused the request: {fault}"
    return None
