"""What the answer to a call is that a fault strikes."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.local import answers
from infra.local.answers import Endpoint
from infra.local.spotify.admin import Fault, FaultKind

_REFUSALS: Final[Mapping[FaultKind, tuple[int, str]]] = {
    "rate_limited": (429, "API rate limit exceeded"),
    "quota_exceeded": (429, "API rate limit exceeded"),
    "server_error": (500, "Server error."),
    "unavailable": (503, "Service temporarily unavailable"),
    "forbidden": (403, "Forbidden"),
}


async def faulty(fault: Fault, endpoint: Endpoint, request: Request) -> Response:
    """Answer a call that a fault strikes."""
    if fault.kind in _REFUSALS:
        return _refusal(fault)
    answer = await answers.faulty(fault.kind, fault.seconds, endpoint, request)
    match fault.kind:
        case "short_page" if answer.status_code == HTTPStatus.OK:
            page = json.loads(bytes(answer.body))
            return JSONResponse(page | {"items": page["items"][: len(page["items"]) // 2]})
        case "floats":
            return JSONResponse(json.loads(bytes(answer.body), parse_int=float), answer.status_code)
        case _:
            return answer


def _refusal(fault: Fault) -> Response:
    status, message = _REFUSALS[fault.kind]
    error: dict[str, Any] = {"status": status, "message": message}
    if fault.kind == "quota_exceeded":
        error["reason"] = "QUOTA_EXCEEDED"
    headers = {} if fault.seconds is None else {"Retry-After": f"{fault.seconds:.0f}"}
    return JSONResponse({"error": error}, status, headers)
