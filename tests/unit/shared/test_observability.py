"""Traces as X-Ray's daemon is told of them, and that nothing of it ever fails work."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext
from botocore.exceptions import ClientError

from contracts.tables import TABLES
from infra.deploying.stacks import ROOT as ROOT_FOLDER
from shared import observability
from shared.observability import instrument, message, step
from tests.unit.shared.daemon import OTHER_ROOT, ROOT, Daemon, flat, header, listening

MAIN = {"audit": "audit", "extractor": "extract", "listenbrainz": "collect", "redrive": "redrive", "report": "report"}
"""The module of each service but for the transformers that its handler starts."""
LAMBDA_ROOT = "1-6925e000-00000000000000000000000f"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "earworm-dev-songs")
    instrument()
    with listening() as daemon:
        yield daemon


@pytest.fixture
def in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within an invocation that Lambda traces."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header(LAMBDA_ROOT, parent="00000000000000ff"))
    monkeypatch.setattr(xray_recorder, "_context", LambdaContext())
    monkeypatch.setattr(xray_recorder.streaming, "_threshold", 0)


@pytest.mark.usefixtures("in_lambda")
def test_each_message_of_a_batch_is_told_in_the_trace_that_it_came_with(daemon: Daemon) -> None:
    # when a batch of three is worked on, two of them of one trace
    for number, root in enumerate((ROOT, OTHER_ROOT, ROOT)):
        with message(header(root, parent=f"000000000000000{number}"), table="songs"), step("read"):
            pass

    # then each is a segment of its own below what announced it, which names Lambda's trace
    segments = daemon.documents()
    assert [(each["trace_id"], each["parent_id"]) for each in segments] == [
        (ROOT, "0000000000000000"),
        (OTHER_ROOT, "0000000000000001"),
        (ROOT, "0000000000000002"),
    ]
    for segment in segments:
        assert (segment["name"], segment["annotations"]) == ("earworm-dev-songs", {"table": "songs"})
        assert LAMBDA_ROOT in segment["metadata"]["default"]["invocation"]
        assert [each["name"] for each in segment["subsegments"]] == ["read"]
    # and Lambda's own trace goes on
    assert LAMBDA_ROOT in os.environ["_X_AMZN_TRACE_ID"]


@pytest.mark.usefixtures("daemon")
def test_the_lineage_by_which_lambda_knows_an_endless_loop_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"{header(LAMBDA_ROOT)};Lineage=1:abcd1234:0")

    with message(header()):
        told = os.environ["_X_AMZN_TRACE_ID"]

    assert told.startswith(f"Root={ROOT};Parent=")
    assert told.endswith(";Sampled=1;Lineage=1:abcd1234:0")


@pytest.mark.usefixtures("in_lambda")
def test_a_message_without_a_trace_is_a_step_of_lambdas_own(daemon: Daemon) -> None:
    with message(None, table="songs"), step("read"):
        pass

    (document,) = daemon.documents()
    assert (document["name"], document["trace_id"], document["parent_id"]) == (
        "message",
        LAMBDA_ROOT,
        "00000000000000ff",
    )
    assert [each["name"] for each in flat(document)] == ["message", "read"]


def test_a_trace_that_is_not_sampled_is_told_of_only_where_the_work_fails(daemon: Daemon) -> None:
    with message(header(sampled=0)), step("read"):
        pass
    assert daemon.documents() == []

    with pytest.raises(ZeroDivisionError), message(header(sampled=0)), step("read"):
        _ = 1 / 0

    steps = daemon.steps()
    assert steps["read"]["fault"]
    assert steps["read"]["cause"]["exceptions"][0]["message"] == "division by zero"


def test_facts_are_annotations_and_numbers_metadata(daemon: Daemon) -> None:
    with message(header()), step("snapshot", playlist_id="p", run_id=None) as work:
        work.note(rows=3)

    found = daemon.steps()["snapshot"]
    assert found["annotations"] == {"playlist_id": "p"}
    assert found["metadata"]["default"]["rows"] == 3


@pytest.mark.parametrize(
    ("status", "code", "flags"),
    [
        (404, "404", set()),
        (412, "PreconditionFailed", set()),
        (403, "AccessDenied", {"error", "fault"}),
        (503, "SlowDown", {"fault", "throttle"}),
        (429, "TooManyRequestsException", {"error", "fault", "throttle"}),
        (500, "InternalError", {"fault"}),
    ],
)
def test_a_call_of_aws_is_marked_by_what_came_of_it(daemon: Daemon, status: int, code: str, flags: set[str]) -> None:
    fault = ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # as much as is read
        "HeadObject",
    )

    with message(header()), pytest.raises(ClientError), observability._step("s3", "aws", {}):
        raise fault

    found = daemon.steps()["s3"]
    assert {flag for flag in ("error", "fault", "throttle") if found.get(flag)} == flags
    assert found["http"]["response"]["status"] == status


def test_a_call_that_was_throttled_and_repeated_is_marked(daemon: Daemon) -> None:
    with message(header()), observability._step("s3", "aws", {}):
        observability._mark_throttle((None, {"Error": {"Code": "SlowDown"}}), attempts=1)
        observability._mark_throttle((None, {}), attempts=2)
        observability._mark_throttle(None, attempts=3)

    found = daemon.steps()["s3"]
    assert found["throttle"]
    assert found["metadata"]["default"]["throttled_attempts"] == 1


def test_more_steps_than_a_datagram_holds_are_sent_in_parts(daemon: Daemon) -> None:
    with message(header()):
        for _ in range(120):
            with step("read"):
                pass

    documents = daemon.documents()
    assert len(documents) > 1
    (segment,) = [each for each in documents if each.get("type") != "subsegment"]
    assert {each.get("parent_id") for each in documents if each is not segment} == {segment["id"]}
    assert sum(each["name"] == "read" for document in documents for each in flat(document)) == 120


def _break_the_emitter(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_data: str) -> None:
        raise BlockingIOError("the buffer is full")

    monkeypatch.setattr(xray_recorder.emitter, "_send_data", full)


def _break_the_recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("begin_subsegment", "end_subsegment", "current_segment", "current_subsegment"):
        monkeypatch.delattr(type(xray_recorder).__mro__[1], method)


def _break_the_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observability, "Segment", lambda *_args, **_kwargs: None)


def _break_the_daemons_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xray_recorder.emitter, "_ip", "no such host")


def _break_nothing(_monkeypatch: pytest.MonkeyPatch) -> None:
    """The header alone is what is wrong."""


@pytest.mark.parametrize(
    ("break_something", "trace_header"),
    [
        (_break_the_emitter, header()),
        (_break_the_recorder, header()),
        (_break_the_segment, header()),
        (_break_the_daemons_address, header()),
        *((_break_nothing, odd) for odd in (header(sampled=0), "Root", "", None)),
    ],
)
@pytest.mark.usefixtures("daemon")
def test_no_failure_of_tracing_fails_or_changes_the_work(
    monkeypatch: pytest.MonkeyPatch, break_something: Callable[[pytest.MonkeyPatch], None], trace_header: str | None
) -> None:
    break_something(monkeypatch)

    with message(trace_header, table="songs") as work, step("read") as reading:
        reading.annotate(rows=1)
        work.fail(ValueError("no"))
        answer = observability._record(
            lambda: "answer", None, (), {}, name="s3", namespace="aws", meta_processor=lambda **_: 1 / 0
        )
    assert answer == "answer"

    with pytest.raises(ZeroDivisionError), message(trace_header), step("read"):
        _ = 1 / 0


IMPORT_AND_LOOK = """
import logging, os
from importlib import import_module

def state():
    named = logging.root.manager.loggerDict.values()
    known = [logging.root, *(each for each in named if isinstance(each, logging.Logger))]
    handlers = [each for logger in known for each in logger.handlers if not isinstance(each, logging.NullHandler)]
    return dict(os.environ), handlers, logging.root.level, logging.root.filters, logging.root.manager.disable

before = state()
for module in {modules}:
    import_module(module)
assert state() == before, state()
from aws_xray_sdk.core import patcher
assert not patcher._PATCHED_MODULES
"""


@pytest.mark.slow
@pytest.mark.parametrize("address", [{}, {"AWS_XRAY_DAEMON_ADDRESS": "nowhere"}])
def test_an_import_changes_neither_logging_nor_the_environment_nor_what_it_would_trace(address: dict[str, str]) -> None:
    services = [path.parent.name for path in (ROOT_FOLDER / "services").glob("*/handler.py")]
    modules = [f"services.{service}.{'transform' if service in TABLES else MAIN[service]}" for service in services]

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_LOOK.format(modules=["shared.worker", *modules])],
        env={**os.environ, **address},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_an_address_that_cannot_be_read_does_not_keep_a_service_from_starting() -> None:
    code = "from shared.observability import instrument, message\ninstrument('botocore', 'requests')\nimport requests\n"
    code += f"with message({header()!r}): print('worked')"

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "AWS_XRAY_DAEMON_ADDRESS": "nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "worked\n"
