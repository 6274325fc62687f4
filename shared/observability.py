"""Logs, metrics and traces: the only module that knows their libraries.

Logs are one JSON line an event, metrics lines in CloudWatch's embedded metric format, both on standard output.
Sources: https://docs.aws.amazon.com/powertools/python/latest/,
https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/
"""

import logging
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_xray_sdk.core import patch, xray_recorder

logger = Logger()
_metrics = Metrics()


def instrument(*libraries: str) -> None:
    """Traces every call that the named libraries make; outside of a trace it does nothing."""
    logging.getLogger("aws_xray_sdk").setLevel(logging.ERROR)  # it warns of every call outside of a trace
    xray_recorder.configure(context_missing="IGNORE_ERROR")
    patch(libraries, raise_errors=False)


def count(**amounts: int) -> None:
    """Publishes amounts as metrics of this service, each under its name in camel case."""
    for name, amount in amounts.items():
        _metrics.add_metric(_camel_case(name), MetricUnit.Count, amount)
    _metrics.flush_metrics()


def gauge(**values: Any) -> None:
    """Publishes values as metrics of this service, each under its name in camel case; None is no value."""
    told = {name: value for name, value in values.items() if value is not None}
    for name, value in told.items():
        _metrics.add_metric(_camel_case(name), MetricUnit.NoUnit, value)
    if told:
        _metrics.flush_metrics()


def seconds(**durations: float) -> None:
    """Publishes durations as metrics of this service, each as `Seconds` and its name in camel case."""
    for name, duration in durations.items():
        _metrics.add_metric(f"Seconds{_camel_case(name)}", MetricUnit.Seconds, duration)
    _metrics.flush_metrics()


def _camel_case(name: str) -> str:
    return name.title().replace("_", "")
