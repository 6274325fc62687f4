"""Who may talk to a server on a loopback port.

Nobody but this machine reaches the port, but a browser on it does, in the name of any page that it shows: with requests
that need no leave (a form, a simple POST), and by a name of the page's own that it lets point here (DNS rebinding),
then with the answers to read. Browsers name the origin of a page, and nothing that is meant to talk to the port has
another one than the port's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.local.processes import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

HEALTH_PATH: Final = "/_health"
"""Answers whoever is let in with 204 and nothing else."""
INFO_PATH: Final = "/_simulator"
"""Begins the own routes of a simulator."""
SECRET_HEADER: Final = "X-Simulator-Secret"  # noqa: S105 - the header's name

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def foreign(method: str, headers: Mapping[str, str], port: int) -> str | None:
    """Why a request is not from a program of this machine that means this port, as a sentence; None if it is.

    Args:
        method: In capital letters.
        headers: By their names in small letters.
        port: That of the server.
    """
    names = {f"{host}:{port}" for host in (HOST, "localhost")}
    host = headers.get("host", "").lower()
    if host not in names:
        return f"The request is for the host '{host}'; this is {HOST}:{port}."
    origin = headers.get("origin")
    if origin is not None and origin not in {f"http://{name}" for name in names}:
        return f"The request comes from a page of {origin}, which has no business here."
    if method not in _SAFE_METHODS and headers.get("sec-fetch-site") == "cross-site":
        return "The request comes from a page of another site, which has no business here."
    return None
