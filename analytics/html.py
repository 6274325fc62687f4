"""How HTML is made: from Jinja templates that escape what they are given."""

from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket


class _Compiled(BytecodeCache):
    """The code of templates, which is the same for every report, and takes longer to make than a report."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def templates(folder: Path) -> Environment:
    """The templates of a folder.

    Every value is escaped unless it is `Markup`, and a name that a template misspells is an error instead of nothing.
    """
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        bytecode_cache=_COMPILED,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
