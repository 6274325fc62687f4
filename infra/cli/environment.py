"""The option of every command that acts on an environment."""

from typing import Annotated, Literal, TypeAlias

import typer


def _wherever_it_stands(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """Gives an option the same meaning before, between and after the names of commands."""
    name = str(parameter.name)
    source = context.get_parameter_source(name)
    if source is not None and source.name == "COMMANDLINE":
        before = context.meta.setdefault(name, value)
        if before != value:
            raise typer.BadParameter(f"it is {value} here and {before} before: give one.")
    return str(context.meta.get(name, value))


Environment: TypeAlias = Annotated[
    Literal["dev", "prod"],
    typer.Option("--env", envvar="EARWORM_ENV", help="Environment.", callback=_wherever_it_stands),
]
