"""Traces, as X-Ray keeps them: documents of segments and subsegments by their trace.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections import Counter, defaultdict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_FILTER: Final = re.compile(r'annotation\.(\w+)\s*=\s*"([^"]*)"')
_MOST_TRACES: Final = 10_000
_MOST_BYTES_OF_A_TRACE: Final = 2**20
"""About what X-Ray keeps of one."""
_MOST_BYTES: Final = 256 * 2**20


class Traces:
    """All reported traces, in memory; the oldest are dropped. Safe to use from several threads."""

    def __init__(self) -> None:
        self._documents: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._sizes: Counter[str] = Counter()
        self._size = 0
        self._lock = Lock()

    def put(self, document: Mapping[str, Any]) -> None:
        """Keep a segment or subsegment; one that makes its trace too large is dropped.

        Raises:
            ValueError: It names no trace, or lacks what every segment has.
        """
        root = str(document.get("trace_id", ""))
        if not _ROOT.fullmatch(root):
            raise ValueError(f"no trace id: {root!r}")
        if not {"id", "start_time"} <= document.keys():
            raise ValueError(f"no segment: {root} has a document without id or start_time")
        size = len(json.dumps(document))
        with self._lock:
            if self._sizes[root] + size > _MOST_BYTES_OF_A_TRACE:
                return
            self._documents[root].append(dict(document))
            self._sizes[root] += size
            self._size += size
            while len(self._documents) > _MOST_TRACES or self._size > _MOST_BYTES:
                oldest = next(iter(self._documents))
                del self._documents[oldest]
                self._size -= self._sizes.pop(oldest)

    def get(self, root: str) -> dict[str, Any] | None:
        """Returns a trace as `BatchGetTraces` answers it; None if there is none."""
        with self._lock:
            documents = list(self._documents.get(root, ()))
        if not documents:
            return None
        begin = min(document["start_time"] for document in documents)
        end = max(document.get("end_time", document["start_time"]) for document in documents)
        segments = [{"Id": document["id"], "Document": json.dumps(document)} for document in documents]
        return {"Id": root, "Duration": end - begin, "LimitExceeded": False, "Segments": segments}

    def summaries(self, begin: float, end: float, expression: str | None) -> list[dict[str, Any]]:
        """Returns the answer of `GetTraceSummaries` for traces that began between two moments, the newest first.

        Raises:
            ValueError: The expression is another than `annotation.NAME = "VALUE"`.
        """
        wanted = _FILTER.fullmatch(expression.strip()) if expression else None
        if expression and not wanted:
            raise ValueError(f'only annotation.NAME = "VALUE" is understood here, not {expression}')
        with self._lock:
            traces = {root: list(documents) for root, documents in self._documents.items()}
        found = []
        for root, documents in traces.items():
            everything = [each for document in documents for each in _flat(document)]
            facts = {(name, str(value)) for each in everything for name, value in each.get("annotations", {}).items()}
            if begin <= min(each["start_time"] for each in documents) <= end and (
                not wanted or (wanted[1], wanted[2]) in facts
            ):
                found.append(
                    {
                        "Id": root,
                        "Duration": self.get(root)["Duration"],  # type: ignore[index]  # it is there
                        **{
                            f"Has{flag.capitalize()}": any(each.get(flag) for each in everything)
                            for flag in ("fault", "error", "throttle")
                        },
                        "Annotations": {
                            name: [{"AnnotationValue": {"StringValue": value}, "ServiceIds": []}]
                            for name, value in sorted(facts)
                        },
                    }
                )
        return sorted(found, key=lambda each: str(each["Id"]), reverse=True)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._documents.clear()
            self._sizes.clear()
            self._size = 0


class Invocation:
    """Lambda's own segments of an invocation: of the request, and of the function's work.

    Attributes:
        header: The function's trace header.
    """

    def __init__(self, function: str, arn: str, request_id: str, upstream: list[str]) -> None:
        """It begins now.

        Args:
            function: The function's name.
            arn: Its ARN.
            request_id: The invocation's id.
            upstream: Trace headers of the messages that it was invoked with.
        """
        self._began = time.time()
        self._root = f"1-{int(self._began):08x}-{secrets.token_hex(12)}"
        self._ids = secrets.token_hex(8), secrets.token_hex(8)
        self._common = {"name": function, "resource_arn": arn, "aws": {"request_id": request_id, "function_arn": arn}}
        self._links = [_link(header) for header in upstream]
        self.header = f"Root={self._root};Parent={self._ids[1]};Sampled=1"

    def documents(self, fault: str | None) -> list[dict[str, Any]]:
        """Its segments, when it has ended.

        Args:
            fault: What it failed for.
        """
        end = {"start_time": self._began, "end_time": time.time(), "trace_id": self._root}
        flags = {"fault": True, "cause": {"exceptions": [{"message": fault, "type": "Error"}]}} if fault else {}
        service, function = self._ids
        return [
            {"id": service, "origin": "AWS::Lambda", "links": self._links, **self._common, **end, **flags},
            {"id": function, "parent_id": service, "origin": "AWS::Lambda::Function", **self._common, **end, **flags},
        ]


def _link(header: str) -> dict[str, Any]:
    fields = dict(part.partition("=")[::2] for part in header.split(";"))
    return {
        "trace_id": fields.get("Root"),
        "id": fields.get("Parent"),
        "attributes": {"aws.xray.reserved.reference_type": "parent"},
    }


def _flat(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document
    for each in document.get("subsegments", ()):
        yield from _flat(each)
