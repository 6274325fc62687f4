"""Where documents are that somebody wants to load: files, folders, patterns and the members of zip archives.

Nothing is unpacked onto the disk, and a document is read only when somebody asks for it: an archive of any size takes
the memory of one document. What cannot be read, and what is larger than any document, is a source as well, so that it
is named with its reason beside all others.
"""

import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from glob import glob, has_magic
from pathlib import Path, PurePath, PurePosixPath
from typing import Final, NoReturn, TypeAlias
from zipfile import BadZipFile, ZipFile, ZipInfo

from contracts.documents import MOST_BYTES
from infra.cli.screen import UsageError

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED: Final = 0x1
_MOST_TIMES: Final = 200
"""What an archive may unpack to, in sizes of its own: documents of Spotify's take up to 40, a bomb a thousand."""
_OPEN_ARCHIVES: Final = 8
_OFFICE: Final = "[Content_Types].xml"
_TAR: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz", ".7z", ".rar")
_LEADS_OUT: Final = re.compile(r"\\|^/|^[A-Za-z]:|(?:^|/)\.\.(?:/|$)")

Opener: TypeAlias = Callable[[Path], ZipFile]


class SourceError(Exception):
    """A source cannot be read; the text says why and what to do, and not which it is."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document that nobody has read yet.

    Attributes:
        path: Its folders and its name, as far as somebody named them; an archive counts as a folder.
        read: Reads it, as often as it is asked for; raises SourceError if it cannot be read.
    """

    path: PurePosixPath
    read: Callable[[], bytes]

    def __str__(self) -> str:
        """Its name for a person."""
        return str(self.path)


def find_sources(named: Sequence[Path]) -> list[Source]:
    """The documents that files, folders and patterns lead to, in the order in which they were named, each once.

    A folder and an archive hold whatever lies in them, at any depth, in the order of the names; what begins with a dot
    is left out there.

    Raises:
        UsageError: There is no such file or folder, or a pattern matches none.
    """
    opened: Opener = lru_cache(maxsize=_OPEN_ARCHIVES)(ZipFile)
    found: dict[str, list[Source]] = {}
    for path in named:
        for file in _matching(path):
            for each in _walk(file):
                if (real := os.path.realpath(each)) not in found:
                    found[real] = list(_in_file(each, opened))
    return [source for sources in found.values() for source in sources]


def _matching(path: Path) -> Sequence[Path]:
    if os.path.lexists(path):
        return (path,)
    pattern = str(path)
    matching = sorted(map(Path, glob(pattern, recursive=True))) if has_magic(pattern) else []  # noqa: PTH207 - pathlib refuses absolute ones
    if not matching:
        raise UsageError(f"{path}: there is no such file or folder. Name what there is.")
    return matching


def _walk(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path, onerror=_raise):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield from (Path(folder, name) for name in sorted(files) if not _is_hidden(name))


def _raise(fault: OSError) -> NoReturn:
    raise UsageError(
        f"{fault.filename}: its files cannot be listed: {fault.strerror}. Mend its rights, or name others."
    )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _in_file(path: Path, opened: Opener) -> Iterator[Source]:
    whole = Source(_legible(path), partial(_read_file, path))
    try:
        is_archive = stat.S_ISREG(path.stat().st_mode) and _begins_as_zip(path)
        members = opened(path).infolist() if is_archive else None
    except OSError:
        yield whole  # reading it says why
        return
    except (BadZipFile, NotImplementedError, ValueError) as fault:
        yield _refused(whole.path, f"a zip archive that cannot be read: {fault}; get it again from where it is kept")
        return
    if members is None:
        yield whole
    elif why := _why_not_unpacked(path, members):
        yield _refused(whole.path, why)
    else:
        yield from _in_archive(path, members, opened)


def _legible(path: Path) -> PurePosixPath:
    """A path that can be printed and recorded: names in another encoding than UTF-8 hold bytes that cannot."""
    return PurePosixPath(os.fsencode(path).decode(errors="replace"))


def _in_archive(path: Path, members: Sequence[ZipInfo], opened: Opener) -> Iterator[Source]:
    for member in sorted(members, key=lambda each: each.filename):
        if member.filename.endswith("/"):  # `is_dir` fails at a member without a name
            continue
        if _LEADS_OUT.search(member.filename):
            yield _refused(
                PurePosixPath(f"{_legible(path)}/{member.filename}"),
                "its name in the archive leads out of the archive; unpack it with care, and name the file",
            )
        elif not any(map(_is_hidden, PurePosixPath(member.filename).parts)):
            yield Source(_legible(path) / member.filename, partial(_read_member, path, member, opened))


def _why_not_unpacked(path: Path, members: Sequence[ZipInfo]) -> str | None:
    """Why an archive is refused as a whole; None if its members are documents as far as anybody knows."""
    unpacked, packed = sum(member.file_size for member in members), path.stat().st_size
    if unpacked > MOST_BYTES and unpacked > _MOST_TIMES * packed:
        return (
            f"a zip bomb: it unpacks to {unpacked / 10**6:,.0f} MB, {unpacked // packed:,} times its size; leave it out"
        )
    if any(member.filename == _OFFICE for member in members):
        return "a document of an office program; export it as CSV or JSON"
    return None


def _refused(path: PurePosixPath, why: str) -> Source:
    def read() -> bytes:
        raise SourceError(why)

    return Source(path, read)


def _read_file(path: Path) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise SourceError("not a file that can be read twice; write it to one")
        _refuse_what_is_none(path, about.st_size)
        return path.read_bytes()
    except OSError as fault:
        raise SourceError(f"it cannot be read: {fault.strerror}; name files that hold documents") from None


def _read_member(path: Path, member: ZipInfo, opened: Opener) -> bytes:
    if member.flag_bits & _ENCRYPTED:
        raise SourceError("encrypted; unpack it with its password, and name the folder")
    _refuse_what_is_none(PurePath(member.filename), member.file_size)
    try:
        body = opened(path).read(member)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error, lzma.LZMAError) as fault:
        why = str(fault) or "it is cut off"
        raise SourceError(f"it cannot be unpacked: {why}; unpack it yourself, and name the folder") from None
    if body.startswith(_ZIP):
        raise SourceError("an archive within an archive; unpack the outer one, and name the folder")
    return body


def _refuse_what_is_none(path: PurePath, size: int) -> None:
    if size > MOST_BYTES:
        raise SourceError(
            f"{size / 10**6:,.0f} MB, where the largest playlist takes {MOST_BYTES // 10**6} MB; name documents of one "
            "playlist each"
        )
    if path.name.lower().endswith(_TAR):
        raise SourceError("an archive that is not zip; unpack it, and name the folder")


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _ZIP
