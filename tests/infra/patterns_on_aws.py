"""The patterns of the filters on the functions' logs, judged by CloudWatch itself: by hand, on AWS.

`AWS_PROFILE=… .venv/bin/pytest -n0 tests/infra/patterns_on_aws.py` makes and changes nothing there; it takes the right
`logs:TestMetricFilter`.
"""

import boto3
import pytest

from tests.infra.test_alarms import LINES, Written, filters, logged


@pytest.fixture(autouse=True)
def environment_without_cloud() -> None:
    """Unlike the other tests, this one is about the cloud that the shell points to."""


@pytest.mark.parametrize("line", LINES)
def test_cloudwatch_counts_what_is_to_be_counted(line: str, written: Written) -> None:
    service, text, counts = logged(line)
    logs = boto3.client("logs")

    counted = [
        name
        for name, pattern in filters(written, service)
        if logs.test_metric_filter(filterPattern=pattern, logEventMessages=[text])["matches"]
    ]

    assert bool(counted) == counts
