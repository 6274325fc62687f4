"""The option of every command that acts on an environment."""

import re
from typing import Annotated, TypeAlias

import typer

from infra.deploying.stacks import ENVIRONMENT


def _wherever_it_stands(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """Gives an option the same meaning before, between and after the names of commands."""
    name = str(parameter.name)
    source = context.get_parameter_source(name)
    if source is not None and source.name == "COMMANDLINE":
        before = context.meta.setdefault(name, value)
        if before != value:
            raise typer.BadParameter(f"it is {value} here and {before} before: give one.")
    return str(context.meta.get(name, value))


def _environment(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    name = _wherever_it_stands(context, parameter, value)
    if not re.fullmatch(ENVIRONMENT, name):
        raise typer.BadParameter(
            f"{name!r} is not the name of an environment: 12 lower-case letters and digits at most."
        )
    return name


Environment: TypeAlias = Annotated[
    str,
    typer.Option("--env", envvar="EARWORM_ENV", help="Environment: dev, prod, or another.", callback=_environment),
]
