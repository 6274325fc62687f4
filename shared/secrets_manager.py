"""Reads secrets of Secrets Manager."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.settings import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def secret_string(secrets: "SecretsManagerClient", name: str, *, advice: str) -> str:
    """Returns what a secret holds; empty if that is not text.

    Args:
        secrets: The client.
        name: The secret's name.
        advice: What to do where there is none.

    Raises:
        SettingsError: There is no such secret, or the function may not read it; never contains a value.
        ClientError: Secrets Manager refuses for another reason.
    """
    try:
        return secrets.get_secret_value(SecretId=name).get("SecretString", "")
    except secrets.exceptions.ResourceNotFoundException:
        raise SettingsError(f"Secrets Manager has no secret {name!r}: {advice}") from None
    except ClientError as fault:
        # IAM compares the ARN of a secret that does not exist without the six characters at its end: the role, whose
        # rights have them, is refused before anybody looks whether there is one.
        if fault.response["Error"]["Code"] != "AccessDeniedException":
            raise
        raise SettingsError(
            f"Secrets Manager has no secret {name!r}, or this function may not read it: {advice}"
        ) from None
