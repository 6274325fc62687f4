"""Logs, metrics and traces: the only module that knows their libraries.

Importing it changes nothing: `instrument` sets up logging and tracing at cold start.
Logs are JSON lines, one per event, and metrics are lines in CloudWatch's embedded metric format, both on standard
output. Traces go to X-Ray's daemon by UDP. None of them ever fails or delays the work.
Sources: https://docs.aws.amazon.com/powertools/python/latest/,
https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/
"""

import logging
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from typing import Any, Final, TypeAlias

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ClientError

from contracts.operations.log_events import LogEvent

try:
    from aws_xray_sdk.core import patch, xray_recorder
except Exception:  # noqa: BLE001 - it raises its own exception for an unreadable address
    _address = os.environ.pop("AWS_XRAY_DAEMON_ADDRESS")
    from aws_xray_sdk.core import patch, xray_recorder

    os.environ["AWS_XRAY_DAEMON_ADDRESS"] = _address
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core.lambda_launcher import LAMBDA_TRACE_HEADER_KEY, LambdaContext
from aws_xray_sdk.core.models import http
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.trace_header import TraceHeader

Fact: TypeAlias = str | float | bool | None

_metrics = Metrics()

_THROTTLES: Final = frozenset(
    {"429", "503", "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"}
)
_ANSWERS: Final = frozenset({404, 409, 412})
"""Expected statuses of conditional calls, which are not faults."""
_MOST_BUFFERED_STEPS: Final = 80
"""The most steps that a message's segment holds before it is sent in parts: a datagram holds 64 KB."""
_STACK_FRAMES: Final = 10
_ABOVE: Final = 3
"""The stack depth of a line's location."""


class Log:
    """Writes JSON lines to standard output, each with an event for programs and a sentence for people."""

    def info(self, event: LogEvent, sentence: str, /, **facts: Any) -> None:
        """Logs something that went as expected."""
        _lines().info(sentence, stacklevel=_ABOVE, event=event, **facts)

    def warning(self, event: LogEvent, sentence: str, /, *, fault: BaseException | None = None, **facts: Any) -> None:
        """Logs something unexpected, with the exception and its stack trace if there is one."""
        _lines().warning(sentence, stacklevel=_ABOVE, exc_info=fault, event=event, **facts)

    def error(self, event: LogEvent, sentence: str, /, **facts: Any) -> None:
        """Logs something that needs attention."""
        _lines().error(sentence, stacklevel=_ABOVE, event=event, **facts)

    def add(self, **facts: Any) -> None:
        """Adds fields to each line from now on."""
        _lines().append_keys(**facts)

    def about(self, **facts: Any) -> AbstractContextManager[None]:
        """Adds fields to each line within the context."""
        return _lines().append_context_keys(**facts)


log = Log()


@cache
def _lines() -> Logger:
    return Logger(service_version=os.environ.get("SERVICE_VERSION"))


def instrument(*libraries: str) -> None:
    """Sets up logging, and traces every call of the named libraries within a trace.

    A call that AWS throttled is marked as such, even if a retry succeeded.
    """
    _lines()
    logging.getLogger("aws_xray_sdk").setLevel(logging.CRITICAL)  # it warns about every call outside of a trace
    with suppress(Exception):
        xray_recorder.configure(context_missing="IGNORE_ERROR")
        xray_recorder.record_subsegment = _record
        patch(libraries, raise_errors=False)
        if boto3.DEFAULT_SESSION is None:
            boto3.setup_default_session()
        assert boto3.DEFAULT_SESSION
        boto3.DEFAULT_SESSION.events.register("needs-retry", _mark_throttle, unique_id="earworm-throttle")


class Step:
    """A step of a trace. No method raises, even if tracing fails."""

    def __init__(self, entity: Any) -> None:
        self._entity = entity

    def annotate(self, **facts: Fact) -> None:
        """Adds annotations, by which the step can be found; None is left out."""
        self.describe(lambda entity: [entity.put_annotation(n, v) for n, v in facts.items() if v is not None])

    def note(self, **numbers: Any) -> None:
        """Adds metadata, which is not searched, such as counts."""
        self.describe(lambda entity: [entity.put_metadata(name, value) for name, value in numbers.items()])

    def fail(self, fault: BaseException) -> None:
        """Marks the step as failed; not for an expected answer of AWS, and also as throttled if it was."""
        self.describe(lambda entity: _mark(entity, fault))

    def describe(self, how: Callable[[Any], object]) -> None:
        """Passes the step to one of the SDK's own describing functions."""
        with suppress(Exception):
            if self._entity is not None:
                how(self._entity)


@contextmanager
def step(name: str, **facts: Fact) -> Iterator[Step]:
    """Traces a step of the work within the current one; an exception that leaves it marks it as failed.

    Args:
        name: The name of the step, the same for every run.
        facts: See `Step.annotate`.
    """
    with _step(name, "local", facts) as taken:
        yield taken


@contextmanager
def _step(name: str, namespace: str, facts: Mapping[str, Fact]) -> Iterator[Step]:
    entity = None
    with suppress(Exception):
        entity = xray_recorder.begin_subsegment(name, namespace)
    taken = Step(entity)
    taken.annotate(**facts)
    try:
        yield taken
    except BaseException as fault:
        taken.fail(fault)
        raise
    finally:
        if entity is not None:
            with suppress(Exception):
                xray_recorder.end_subsegment()


@contextmanager
def message(trace_header: str | None, **facts: Fact) -> Iterator[Step]:
    """Traces the work on one message in the message's own trace, apart from the others of its batch.

    Lambda gives a batch one trace of its own, which the segment of each message names. A trace that is not sampled is
    sent only if the work failed. Without a header the work is a step of Lambda's trace.

    Args:
        trace_header: The message's attribute `AWSTraceHeader`.
        facts: See `Step.annotate`.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
    """
    segment, sampled = _segment(trace_header)
    if segment is None:
        with _step("message", "local", facts) as taken, _buffer_subsegments():
            yield taken
        return
    taken = Step(segment)
    taken.annotate(**facts)
    taken.note(invocation=os.environ.get(LAMBDA_TRACE_HEADER_KEY))
    invocation = TraceHeader.from_header_str(os.environ.get(LAMBDA_TRACE_HEADER_KEY))
    # Lambda detects recursive loops by the lineage.
    header = TraceHeader(segment.trace_id, segment.id, sampled=1, data=invocation.data).to_header_str()
    with _buffer_subsegments(), _in_trace(header):
        try:
            yield taken
        except BaseException as fault:
            taken.fail(fault)
            raise
        finally:
            with suppress(Exception):
                segment.subsegments = xray_recorder.current_segment().subsegments
                segment.close()
                if sampled or getattr(segment, "fault", False):
                    xray_recorder.emitter.send_entity(segment)


def count(**amounts: int) -> None:
    """Publishes amounts as metrics of this service, each under its name in CamelCase."""
    for name, amount in amounts.items():
        _metrics.add_metric(_camel_case(name), MetricUnit.Count, amount)
    _flush()


def gauge(**values: Any) -> None:
    """Publishes values as metrics of this service, each under its name in CamelCase; None is left out."""
    known = {name: value for name, value in values.items() if value is not None}
    for name, value in known.items():
        _metrics.add_metric(_camel_case(name), MetricUnit.NoUnit, value)
    if known:
        _flush()


def seconds(**durations: float) -> None:
    """Publishes durations as metrics of this service, each as `Seconds` and its name in CamelCase."""
    for name, duration in durations.items():
        _metrics.add_metric(f"Seconds{_camel_case(name)}", MetricUnit.Seconds, duration)
    _flush()


def _flush() -> None:
    for name in ("run_id", "raw_key"):
        value = _lines().get_current_keys().get(name)
        if value:
            _metrics.add_metadata(name, value)
    _metrics.flush_metrics()


def _camel_case(name: str) -> str:
    return name.title().replace("_", "")


def _segment(trace_header: str | None) -> tuple[Any, bool]:
    """Returns a segment in a header's trace, or None without one, and whether that trace is sampled."""
    with suppress(Exception):
        came = TraceHeader.from_header_str(trace_header)
        if came.root and global_sdk_config.sdk_enabled():
            name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "earworm")
            return Segment(name, traceid=came.root, parent_id=came.parent), came.sampled == 1
    return None, False


@contextmanager
def _in_trace(header: str) -> Iterator[None]:
    """Makes the SDK, botocore and the logger use a header in place of Lambda's own."""
    context, before = xray_recorder.context, os.environ.get(LAMBDA_TRACE_HEADER_KEY)
    xray_recorder.context = LambdaContext()
    os.environ[LAMBDA_TRACE_HEADER_KEY] = header
    try:
        yield
    finally:
        xray_recorder.context = context
        if before is None:
            os.environ.pop(LAMBDA_TRACE_HEADER_KEY, None)
        else:
            os.environ[LAMBDA_TRACE_HEADER_KEY] = before


@contextmanager
def _buffer_subsegments() -> Iterator[None]:
    """Sends steps together instead of one by one, which takes a fraction of the time."""
    before = xray_recorder.streaming_threshold
    xray_recorder.streaming_threshold = _MOST_BUFFERED_STEPS
    try:
        yield
    finally:
        xray_recorder.streaming_threshold = before


def _record(
    wrapped: Any, instance: Any, args: Any, kwargs: Any, *, name: str, namespace: str, meta_processor: Any
) -> Any:
    """Replaces the SDK's own function, whose exceptions would reach the caller."""
    with _step(name, namespace, {}) as call:
        answer = None
        try:
            answer = wrapped(*args, **kwargs)
            return answer
        finally:
            call.describe(
                lambda entity: meta_processor(
                    wrapped=wrapped,
                    instance=instance,
                    args=args,
                    kwargs=kwargs,
                    return_value=answer,
                    exception=None,
                    subsegment=entity,
                    stack=None,
                )
            )


def _mark(entity: Any, fault: BaseException) -> None:
    if isinstance(fault, ClientError) and getattr(entity, "namespace", None) == "aws":
        status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status in _ANSWERS:
            entity.http["response"] = {http.STATUS: status}
            return
        entity.put_http_meta(http.STATUS, status)
        if fault.response["Error"]["Code"] in _THROTTLES:
            entity.add_throttle_flag()
    entity.add_exception(fault, traceback.extract_tb(fault.__traceback__, limit=_STACK_FRAMES))


def _mark_throttle(response: tuple[Any, dict[str, Any]] | None, attempts: int, **_: Any) -> None:
    with suppress(Exception):
        code = str(response[1]["Error"]["Code"]) if response and "Error" in response[1] else ""
        entity = xray_recorder.current_subsegment()
        if code in _THROTTLES and entity is not None:
            entity.add_throttle_flag()
            entity.put_metadata("throttled_attempts", attempts)
