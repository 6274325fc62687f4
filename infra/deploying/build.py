"""Builds the bundle of one service: its locked requirements, what it shares with the others and its own code.

Equal input gives an equal bundle, byte for byte, so that a bundle's SHA-256 says whether there is anything to
deploy, and its beginning is the service's version. Requirements are installed once for each lock and target, what every
lock has once for all of them, and kept under `build/dependencies`; a bundle is built once for each state of what it is
made of.

Bytecode lies beside the sources, compiled by an interpreter of the target's version: Lambda's folder is read-only, so
without it every cold start compiles every module anew. Its hashes are unchecked, for nobody edits a bundle; bytecode of
another version than the function's would be passed over for the source.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra.deploying.stacks import ROOT, SERVICES

MEGABYTE = 2**20
"""Lambda's megabyte: its limit of 250 MB is 262,144,000 bytes."""

AWS_SERVICES = frozenset(
    {"athena", "cloudwatch", "glue", "lambda", "s3", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "sts", "xray"}
)
"""Those that the functions call, the X-Ray SDK and boto3's credentials included.

Lambda's runtimes have a boto3 too, which AWS changes when it likes. A bundle has the one that was tested, with the
models of these services alone: 7 MB more unzipped and 2.4 MB zipped.
"""
_NEVER_IMPORTED_FOLDERS = frozenset({"bin", "distutils", "f2py", "include", "swagger_ui", "tests", "wrapt-stubs"})
_NEVER_IMPORTED_SUFFIXES = frozenset({".a", ".c", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx"})
_ABOUT_THE_INSTALLATION = frozenset({".lock", "INSTALLER", "RECORD", "REQUESTED"})
_IN_EVERY_LOCK = ("aws-lambda-powertools==", "boto3==", "botocore==", "pydantic==", "pydantic-core==")
"""What takes longest to compile and to compress of what all services need, and is done once for all of them."""
_NAMESPACE = "services/__init__.py"
_UNIX = 3
_READABLE_FILE = 0o100644 << 16
_IN_CODE = (".css", ".j2", ".py", ".sql")
_BESIDE_WHAT_ALL_SHARE = {"report": ("analytics",)}
"""Folders that a service shares with the console."""
_COMPRESSION_LEVEL = 6
_VERSION_DIGITS = 12


class BuildError(Exception):
    """A bundle could not be built, or is too large."""


@dataclass(frozen=True, slots=True)
class Target:
    """The Python that a bundle is for.

    Attributes:
        name: The name of the target.
        python: Its version, major and minor.
        platform: Its platform as uv names it; None is this machine.
        has_requirements: Whether a function finds the locked requirements where it runs, as on the local cloud, whose
            functions run in the project's environment. Its bundles then hold code alone.
    """

    name: str
    python: str
    platform: str | None
    has_requirements: bool = False


_THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
AWS = Target("aws", "3.13", "aarch64-manylinux_2_28")
HOST = Target("host", _THIS_PYTHON, None)
LOCAL = Target("local", _THIS_PYTHON, None, has_requirements=True)
_TARGETS = {target.name: target for target in (AWS, HOST, LOCAL)}


@dataclass(frozen=True, slots=True)
class Budget:
    """The size limits of a bundle."""

    unzipped: int
    zipped: int


_BUDGETS = {
    "audit": Budget(30 * MEGABYTE, 10 * MEGABYTE),
    "extractor": Budget(60 * MEGABYTE, 30 * MEGABYTE),
    "listenbrainz": Budget(30 * MEGABYTE, 10 * MEGABYTE),
    "redrive": Budget(30 * MEGABYTE, 10 * MEGABYTE),
    "report": Budget(30 * MEGABYTE, 10 * MEGABYTE),
}
_TRANSFORMER_BUDGET = Budget(120 * MEGABYTE, 40 * MEGABYTE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A service's bundle: a zip file for Lambda."""

    service: str
    path: Path
    sha256: str
    unzipped_bytes: int
    zipped_bytes: int

    @property
    def version(self) -> str:
        """The version of the code: the beginning of the bundle's SHA-256."""
        return self.sha256[:_VERSION_DIGITS]

    @property
    def key(self) -> str:
        """Its key in the artifacts bucket, from which the service's template takes the version."""
        return f"bundles/{self.service}/{self.version}.zip"

    @property
    def budget(self) -> Budget:
        """The size limits of this bundle."""
        return _BUDGETS.get(self.service, _TRANSFORMER_BUDGET)


def target_of(environment: Mapping[str, str]) -> Target:
    """Returns the target that `EARWORM_LAMBDA_TARGET` names; Lambda itself if it names none.

    Raises:
        BuildError: There is no such target.
    """
    name = environment.get("EARWORM_LAMBDA_TARGET", AWS.name)
    if name not in _TARGETS:
        raise BuildError(f"EARWORM_LAMBDA_TARGET is {name!r}: set it to one of {', '.join(_TARGETS)}.")
    return _TARGETS[name]


def build(service: str, target: Target, into: Path = Path("build")) -> Bundle:
    """Build a service's bundle as `<into>/<target>/<service>.zip`.

    Raises:
        BuildError: There is no such service, a requirement has no wheel for the target, or the bundle for Lambda
            exceeds its budget; the wheels of another machine may be larger.
    """
    if service not in SERVICES:
        raise BuildError(f"There is no service {service!r}: choose one of {', '.join(SERVICES)}.")
    path = into / target.name / f"{service}.zip"
    made_of, inputs = path.with_suffix(".made-of"), _inputs(service, target)
    sha256 = _sha256(path) if path.exists() and made_of.exists() else ""
    if not sha256 or made_of.read_text() != f"{inputs} {sha256}":
        _make(service, target, path, into / "dependencies")
        sha256 = _sha256(path)
        if _inputs(service, target) == inputs:  # else nobody knows which of them it is made of
            made_of.write_text(f"{inputs} {sha256}")
    with ZipFile(path) as archive:
        unzipped = sum(member.file_size for member in archive.infolist())
    bundle = Bundle(service, path, sha256, unzipped, path.stat().st_size)
    if target == AWS:
        _check(bundle)
    return bundle


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _inputs(service: str, target: Target) -> str:
    """Returns a hash of all that a bundle is made of, and of what makes it."""
    files = sorted({*_code(service), ROOT / _lock(service), Path(__file__)})
    contents = [(str(file.relative_to(ROOT)), _sha256(file)) for file in files]
    return hashlib.sha256(repr((contents, target, compiler(target))).encode()).hexdigest()


def _make(service: str, target: Target, path: Path, dependencies: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as temporary:
        code, unfinished = Path(temporary, "code"), Path(temporary, "unfinished.zip")
        _copy(_code(service), code)
        if target.has_requirements:
            _copy([ROOT / _lock(service)], code)  # so that the version follows from it, too
        else:
            shutil.copy(_dependencies(service, target, dependencies), unfinished)
        _compile(code, target, processes=1)  # starting others takes longer
        with ZipFile(unfinished, "a") as archive:
            _add(archive, code)
        unfinished.replace(path)


def _check(bundle: Bundle) -> None:
    for kind, size, limit in (
        ("unzipped", bundle.unzipped_bytes, bundle.budget.unzipped),
        ("zipped", bundle.zipped_bytes, bundle.budget.zipped),
    ):
        if size > limit:
            raise BuildError(
                f"The bundle of {bundle.service} has {size / MEGABYTE:.1f} MB {kind}, over its budget of "
                f"{limit / MEGABYTE:.0f} MB: drop a requirement, or prune more in infra/deploying/build.py."
            )


def is_input(path: str, service: str) -> bool:
    """Returns whether a service's bundle depends on a file, by its path in the repository."""
    in_code = path.endswith(_IN_CODE) and path.startswith(tuple(f"{folder}/" for folder in _folders(service)))
    return in_code or path in {_NAMESPACE, _lock(service), Path(__file__).relative_to(ROOT).as_posix()}


def _folders(service: str) -> tuple[str, ...]:
    return (*_BESIDE_WHAT_ALL_SHARE.get(service, ()), "contracts", "shared", f"services/{service}")


def _lock(service: str) -> str:
    """Returns a service's own lock, or that of all transformers."""
    own = f"services/{service}/requirements.txt"
    return own if (ROOT / own).exists() else "requirements/transformer.txt"


def _code(service: str) -> list[Path]:
    files = [file for folder in _folders(service) for file in (ROOT / folder).rglob("*") if file.suffix in _IN_CODE]
    return [ROOT / _NAMESPACE, *files]


def _copy(files: Iterable[Path], into: Path) -> None:
    for file in files:
        copy = into / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


def _dependencies(service: str, target: Target, kept: Path) -> Path:
    lock = ROOT / _lock(service)
    requirements = re.split(r"\n(?=\S)", lock.read_text().strip())
    shared = [each for each in requirements if each.startswith(_IN_EVERY_LOCK)]
    own = [each for each in requirements if each not in shared]
    return _archive(own, lock, target, kept, after=_archive(shared, lock, target, kept))


def _archive(requirements: Sequence[str], lock: Path, target: Target, kept: Path, *, after: Path | None = None) -> Path:
    """Returns an archive of some requirements of a lock, after all that is in another one."""
    made_of = (requirements, target, compiler(target), after and after.name, _sha256(Path(__file__)))
    archive = kept / f"{hashlib.sha256(repr(made_of).encode()).hexdigest()}.zip"
    if archive.exists():
        return archive
    kept.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=kept) as temporary:
        installed, unfinished = Path(temporary, "installed"), Path(temporary, "unfinished.zip")
        if after:
            shutil.copy(after, unfinished)
        _install(requirements, lock, target, installed)
        _prune(installed)
        _compile(installed, target, processes=os.cpu_count() or 1)
        with ZipFile(unfinished, "a") as zipped:
            _add(zipped, installed)
        unfinished.replace(archive)
    return archive


def _install(requirements: Sequence[str], lock: Path, target: Target, into: Path) -> None:
    elsewhere = ["--python-platform", target.platform] if target.platform else []
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-deps", "--no-compile-bytecode", "--python", sys.executable, "--python-version", target.python]
    result = subprocess.run(  # noqa: S603 - nothing in the command comes from outside
        [*command, *elsewhere, "--target", str(into), "--requirements", "-"],
        input="\n".join(requirements),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BuildError(f"The requirements in {lock} do not install for {target.name}: {result.stderr.strip()}")


def _prune(installed: Path) -> None:
    for file in filter(Path.is_file, list(installed.rglob("*"))):
        if not _is_needed(file.relative_to(installed)):
            file.unlink()


def _is_needed(file: Path) -> bool:
    is_foreign_model = file.match("botocore/data/*/*/*") and file.parts[2] not in AWS_SERVICES
    return (
        not is_foreign_model
        and file.parts[:2] != ("boto3", "examples")
        and _NEVER_IMPORTED_FOLDERS.isdisjoint(file.parts)
        and file.suffix not in _NEVER_IMPORTED_SUFFIXES
        and file.name not in _ABOUT_THE_INSTALLATION
    )


@dataclass(frozen=True, slots=True)
class Compiler:
    """An interpreter of a target's version.

    Attributes:
        path: Where it is.
        version: Its version in full: another one may give other bytes.
    """

    path: str
    version: str


@cache
def compiler(target: Target) -> Compiler | None:
    """Returns the interpreter that compiles a target's bytecode; None if this machine has none of its version."""
    if target.python == _THIS_PYTHON:
        return Compiler(sys.executable, sys.version)
    if (path := _find_python(target.python)) is None:
        return None
    version = subprocess.run(  # noqa: S603 - an interpreter that uv has tried
        [path, "-I", "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True
    )
    return Compiler(path, version.stdout.strip())


def _find_python(version: str) -> str | None:
    command = [sys.executable, "-m", "uv", "python", "find", "--no-project", "--no-python-downloads", version]
    chosen = {"PYENV_VERSION": version}  # of all that pyenv has installed, it starts only what is chosen
    found = subprocess.run(  # noqa: S603 - nothing in the command comes from outside
        command, capture_output=True, text=True, check=False, env=os.environ | chosen
    )
    return None if found.returncode else found.stdout.strip()


def _compile(folder: Path, target: Target, *, processes: int) -> None:
    """Compile all modules, as if the folder were the root: its own name would make each bundle another one."""
    interpreter = compiler(target)
    if interpreter is None:
        return
    command = [interpreter.path, "-I", "-m", "compileall", "-q", "-j", str(processes)]
    command += ["--invalidation-mode", "unchecked-hash"]
    result = subprocess.run(  # noqa: S603 - nothing in the command comes from outside
        [*command, "-s", str(folder.resolve()), str(folder.resolve())], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise BuildError(f"Python {target.python} does not compile what is bundled: {result.stdout.strip()}")


def without_bytecode(target: Target) -> str | None:
    """Returns what it costs that a target's bundles have no bytecode, and what helps; None if they have."""
    if compiler(target):
        return None
    return (
        f"No Python {target.python} is on this machine: bundles for {target.name} have no bytecode, so each cold start "
        "compiles what it imports, which takes three times as long. `.venv/bin/uv python install "
        f"{target.python}` brings one; then build again."
    )


def _add(archive: ZipFile, root: Path) -> None:
    """Add files in the order of their names, as if each had been made at the same time by the same user."""
    files = filter(Path.is_file, root.rglob("*"))
    for name, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        member = ZipInfo(name)
        member.create_system = _UNIX
        member.external_attr = _READABLE_FILE
        archive.writestr(member, file.read_bytes(), ZIP_DEFLATED, _COMPRESSION_LEVEL)


def main() -> None:
    """Builds the bundle of a service, and prints its key in the artifacts bucket and its path."""
    parser = ArgumentParser(prog="python -m infra.deploying.build", description="Build the bundle of one service.")
    parser.add_argument("service", choices=SERVICES)
    service = parser.parse_args().service
    try:
        target = target_of(os.environ)
        bundle = build(service, target, ROOT / "build")
    except BuildError as fault:
        parser.exit(1, f"{fault}\n")
    if cost := without_bytecode(target):
        sys.stderr.write(f"{cost}\n")
    sys.stdout.write(f"{bundle.key} {bundle.path}\n")


if __name__ == "__main__":
    main()
