"""Settings are read from the environment once and fail loudly."""

import pytest

from shared.settings import SettingsError, TransformerSettings

COMPLETE = {
    "S3_BUCKET": "lake",
    "SERVICE_VERSION": "1.0.0",
    "QUEUE_URL": "https://queue",
    "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
    "GLUE_DATABASE": "earworm_dev",
    "PATH": "/bin",
}


def test_settings_are_the_variables_of_their_names() -> None:
    settings = TransformerSettings.from_environment(COMPLETE)

    assert (settings.s3_bucket, settings.dead_letter_queue_url) == ("lake", "https://dead-letters")


def test_every_missing_variable_is_named() -> None:
    with pytest.raises(SettingsError) as fault:
        TransformerSettings.from_environment({"SERVICE_VERSION": "1.0.0"})

    assert "S3_BUCKET: Field required; QUEUE_URL: Field required; DEAD_LETTER_QUEUE_URL: Field required" in str(
        fault.value
    )
    assert "template" in str(fault.value)
