"""Starts and stops the local cloud."""

import os
import shlex

from rich.markup import escape

from infra.cli.cloud import STATE, local
from infra.cli.screen import err, out


def up() -> None:
    """Start the local cloud: an AWS emulator and simulators of Spotify and ListenBrainz on loopback ports."""
    _name_the_local_cloud()
    endpoints = local().start()
    out.print(f"[green]up[/]  AWS emulator            {endpoints.aws}")
    if endpoints.spotify:
        out.print(f"[green]up[/]  Spotify simulator       {endpoints.spotify}")
    else:
        out.print("[green]up[/]  the real Spotify, with the credentials of your environment")
    if endpoints.listenbrainz:
        out.print(f"[green]up[/]  ListenBrainz simulator  {endpoints.listenbrainz}")
    else:
        out.print("[green]up[/]  the real ListenBrainz, with the contact of your environment")
    file = shlex.quote(os.path.relpath(STATE / "env"))
    out.print(f"[dim]For other tools: set -a; . {escape(file)}; set +a[/]", soft_wrap=True)


def down() -> None:
    """Stop the local cloud. Its data are in memory and are lost."""
    _name_the_local_cloud()
    out.print("[green]stopped[/]" if local().stop() else "The local cloud was not running.")


def _name_the_local_cloud() -> None:
    err.print(f"[dim]the local cloud of {escape(os.path.relpath(STATE))}[/]", soft_wrap=True)
