"""Writes the console's files."""

from contextlib import suppress
from pathlib import Path

from infra.cli.screen import ConsoleError


def write_file(file: Path, text: str) -> None:
    """Write a file and its folders atomically.

    Raises:
        ConsoleError: The disk is full, or the file cannot be written.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            new.write_text(text, "utf-8")
            new.replace(file)
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)
    except OSError as fault:
        raise ConsoleError(f"{file} cannot be written: {fault.strerror}. Name another file, or free space.") from None
