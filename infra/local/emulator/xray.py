# ruff: noqa: SLF001 - it hooks into what ministack keeps private
"""Emulates X-Ray, which ministack lacks, and carries a trace from S3 through SNS and SQS to a function.

A UDP port takes what the SDK in the functions tells, as the daemon in Lambda does; it cannot know who sent it, so any
program of this machine may tell of traces that never were, and only so many are kept. Lambda's own segments are made
here. The header of the request that put an object travels with the object's event to every message.
Sources: https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon.html,
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sns.html
"""

from __future__ import annotations

import contextvars
import json
import os
import socket
import threading
from contextlib import suppress
from typing import Any, Final

from ministack import app
from ministack.core import router
from ministack.services import lambda_svc, sqs

from infra.local.emulator.traces import Invocation, Traces

_HEADER: Final = "AWSTraceHeader"
_LARGEST_DATAGRAM: Final = 65_536
_BUFFER_BYTES: Final = 4 * 2**20

_traces: Final = Traces()
_put_with: contextvars.ContextVar[str | None] = contextvars.ContextVar("trace header of a put", default=None)
_invocation: contextvars.ContextVar[Invocation | None] = contextvars.ContextVar("traced invocation", default=None)


def install() -> None:
    """Let ministack trace.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    _listen()
    router.SERVICE_PATTERNS.setdefault("xray", {})
    app.SERVICE_HANDLERS["xray"] = _answer
    app.SERVICE_HANDLERS["s3"] = _noting_the_header(app.SERVICE_HANDLERS["s3"])
    sqs._ensure_msg_fields = _adding_the_header(sqs._ensure_msg_fields)
    lambda_svc._execute_function_warm = _tracing(lambda_svc._execute_function_warm)
    lambda_svc._xray_trace_id_for_invocation = _header_of_the_invocation(lambda_svc._xray_trace_id_for_invocation)


def _listen() -> None:
    """Receive segments from functions by UDP; they inherit the address from this process."""
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    port.bind(("127.0.0.1", 0))
    os.environ["AWS_XRAY_DAEMON_ADDRESS"] = f"127.0.0.1:{port.getsockname()[1]}"

    def receive() -> None:
        while True:
            _, _, document = port.recv(_LARGEST_DATAGRAM).partition(b"\n")
            with suppress(ValueError):  # as the daemon, it drops what it cannot read
                _traces.put(json.loads(document))

    threading.Thread(target=receive, daemon=True, name="xray-daemon").start()


async def _answer(_method: str, path: str, _headers: Any, body: bytes, _query: Any) -> tuple[int, Any, bytes]:
    request = json.loads(body or b"{}")
    try:
        match path:
            case "/Traces":
                found = {root: _traces.get(root) for root in request["TraceIds"]}
                return _json(
                    {
                        "Traces": [trace for trace in found.values() if trace],
                        "UnprocessedTraceIds": [root for root, trace in found.items() if not trace],
                    }
                )
            case "/TraceSummaries":
                summaries = _traces.summaries(request["StartTime"], request["EndTime"], request.get("FilterExpression"))
                return _json({"TraceSummaries": summaries, "TracesProcessedCount": len(summaries)})
            case "/TraceSegments":
                for document in request["TraceSegmentDocuments"]:
                    _traces.put(json.loads(document))
                return _json({"UnprocessedTraceSegments": []})
    except ValueError as fault:
        return _json({"__type": "InvalidRequestException", "Message": str(fault)}, status=400)
    return _json({"__type": "UnknownOperationException", "Message": f"the local X-Ray has no {path}"}, status=400)


def _json(answer: dict[str, Any], status: int = 200) -> tuple[int, dict[str, str], bytes]:
    error = {"x-amzn-errortype": answer["__type"]} if "__type" in answer else {}
    return status, {"Content-Type": "application/json", **error}, json.dumps(answer).encode()


def _noting_the_header(handle: Any) -> Any:
    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        _put_with.set(headers.get("x-amzn-trace-id"))
        return await handle(method, path, headers, body, query)

    return handler


def _adding_the_header(ensure: Any) -> Any:
    def ensure_fields(message: dict[str, Any]) -> None:
        is_new = "sys" not in message
        ensure(message)
        header = _put_with.get()
        if is_new and header:
            message["sys"].setdefault(_HEADER, header)

    return ensure_fields


def _tracing(execute: Any) -> Any:
    def traced(function: dict[str, Any], event: Any, request_id: str) -> Any:
        configuration = function.get("config") or function
        if (configuration.get("TracingConfig") or {}).get("Mode") != "Active":
            return execute(function, event, request_id)
        records = event.get("Records", ()) if isinstance(event, dict) else ()
        upstream = [each["attributes"][_HEADER] for each in records if _HEADER in each.get("attributes", {})]
        name, arn = configuration["FunctionName"], configuration["FunctionArn"]
        invocation = Invocation(name, arn, request_id, upstream)
        token = _invocation.set(invocation)
        try:
            result = execute(function, event, request_id)
        finally:
            _invocation.reset(token)
        fault = result["body"].get("errorMessage") if result.get("error") else None
        for document in invocation.documents(fault):
            _traces.put(document)
        return result

    return traced


def _header_of_the_invocation(make: Any) -> Any:
    def header(configuration: dict[str, Any], inbound: str | None = None) -> str | None:
        invocation = _invocation.get()
        made: str | None = invocation.header if invocation else make(configuration, inbound)
        return made

    return header
