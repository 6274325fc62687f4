"""Reads the work of a run from X-Ray's segments."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_CALLS: Final = frozenset({"aws", "remote"})


@dataclass(eq=False, slots=True)
class Span:
    """A period of work.

    Attributes:
        kind: `service` for a segment, `step` for one of our own, or `call` for one to AWS or elsewhere.
        begin: Seconds since 1970.
        end: Likewise; equal to `begin` while it is in progress.
        facts: The annotations.
        notes: The metadata.
        troubles: What went wrong here, such as `throttled`; empty if nothing did.
        children: The work within it, in the order of time.
        cause: For a service, the call that triggered it, if known.
    """

    id: str
    parent_id: str | None
    kind: str
    label: str
    begin: float
    end: float
    facts: Mapping[str, Any]
    notes: Mapping[str, Any]
    troubles: Sequence[str]
    children: "list[Span]" = field(default_factory=list)
    cause: "Span | None" = None

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.end - self.begin

    @property
    def waited(self) -> float | None:
        """How long the message that triggered a service was in flight.

        It can arrive before the call that sent it has its answer.
        """
        return max(self.begin - self.cause.end, 0) if self.cause else None

    def everything(self) -> "Iterator[Span]":
        """Itself and all spans below it."""
        yield self
        for child in self.children:
            yield from child.everything()

    def first(self, fact: str) -> str:
        """Returns the first value of a fact in it or below it; empty if there is none."""
        return next((str(span.facts[fact]) for span in self.everything() if fact in span.facts), "")

    @property
    def title(self) -> str:
        """Its label; of the work on a message the table and the list."""
        if not self.is_of_a_message:
            return self.label
        label = self.label if self.kind == "service" else self.facts["table"]
        return f"{label} {self.first('playlist_id')}".rstrip()

    @property
    def is_of_a_message(self) -> bool:
        """Whether it is the work of a table's service on one message.

        That is a service in the message's own trace, or a step of Lambda's where the message came in none.
        """
        return "table" in self.facts and (self.kind == "service" or self.label == "message")

    @property
    def is_troubled(self) -> bool:
        """Whether anything went wrong at it or below it."""
        return any(span.troubles for span in self.everything())


def spans(documents: Iterable[Mapping[str, Any]], environment: str) -> list[Span]:
    """Returns the services of some traces in the order of time, each with its steps below it.

    Args:
        documents: Segments and subsegments as X-Ray keeps them, those of a segment within it or beside it.
        environment: Its name, such as `dev`.
    """
    # Lambda's own segment of a function adds nothing to the function's.
    ours = [document for document in documents if document.get("origin") != "AWS::Lambda"]
    found = {span.id: span for document in ours for span in _read(document, None, environment)}
    services = []
    for span in sorted(found.values(), key=lambda each: (each.begin, each.id)):
        parent = found.get(span.parent_id or "")
        if span.kind == "service":
            span.cause = parent if parent and parent.kind == "call" else None
            services.append(span)
        elif parent:
            parent.children.append(span)
        else:  # its parent was lost
            services.append(span)
    return services


def _read(document: Mapping[str, Any], parent_id: str | None, environment: str) -> Iterator[Span]:
    is_call = document.get("namespace") in _CALLS
    is_step = document.get("type") == "subsegment" or parent_id is not None
    yield Span(
        id=document["id"],
        parent_id=parent_id or document.get("parent_id"),
        kind="call" if is_call else "step" if is_step else "service",
        label=_label(document, environment),
        begin=document["start_time"],
        end=document.get("end_time", document["start_time"]),
        facts=document.get("annotations", {}),
        notes=document.get("metadata", {}).get("default", {}),
        troubles=list(_troubles(document)),
    )
    for child in document.get("subsegments", ()):
        yield from _read(child, document["id"], environment)


def _label(document: Mapping[str, Any], environment: str) -> str:
    facts, http = document.get("annotations", {}), document.get("http", {})
    match document:
        case {"namespace": "aws", "aws": {"operation": operation}}:
            status = http.get("response", {}).get("status", 200)
            return f"{document['name']} {operation}{'' if status < 300 else f' {status}'}"
        case {"namespace": "remote"}:
            request = http.get("request", {})
            path = "/" + request.get("url", "").partition("://")[2].partition("/")[2]
            return f"{request.get('method', '')} {path} {http.get('response', {}).get('status', '')}".strip()
        case {"type": "subsegment"}:
            return f"{document['name']} {facts['playlist_id']}" if document["name"] == "playlist" else document["name"]
    return str(document["name"]).removeprefix(f"earworm-{environment}-")


def _troubles(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("throttle"):
        attempts = document.get("metadata", {}).get("default", {}).get("throttled_attempts")
        yield f"throttled in attempt {attempts}, then retried" if attempts else "throttled"
    cause = document.get("cause", {})
    messages = [each.get("message", "") for each in cause.get("exceptions", ())] if isinstance(cause, dict) else []
    if messages:
        yield f"fault: {' '.join(messages[-1].split())}"
    elif document.get("namespace") in _CALLS and not document.get("throttle"):
        status = document.get("http", {}).get("response", {}).get("status", 200)
        if document.get("fault") or document.get("error"):
            yield f"answered with {status}"
