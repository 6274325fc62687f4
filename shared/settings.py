import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import sentence_of


class SettingsError(ValueError):
    """The environment lacks a setting or holds an invalid one."""


class Settings(BaseModel):
    """A service's settings, read once from the environment: the field `s3_bucket` is the variable `S3_BUCKET`."""

    model_config = ConfigDict(alias_generator=str.upper, frozen=True, extra="ignore", hide_input_in_errors=True)

    s3_bucket: str
    service_version: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Reads and checks the settings.

        Raises:
            SettingsError: Names each variable that is missing or wrong; never its value, which may be a secret.
        """
        try:
            return cls.model_validate(environment)
        except ValidationError as fault:
            raise SettingsError(
                f"the environment does not fit {cls.__name__}: {sentence_of(fault)}. "
                "Set the variables in the service's template, or in the shell that starts it."
            ) from None


class TransformerSettings(Settings):
    """The settings of a transformer.

    Attributes:
        glue_database: The database of the catalog that has the tables.
    """

    queue_url: str
    dead_letter_queue_url: str
    glue_database: str
