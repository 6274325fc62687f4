"""Builds the bundle of one service: its locked requirements, what it shares with the others and its own code.

Equal input gives an equal bundle, byte for byte, so that a bundle's SHA-256 says whether there is anything to
deploy, and its beginning is the service's version. Requirements are installed once for each lock and target and kept
under `build/dependencies`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra.deploying.stacks import ROOT, SERVICES

MEGABYTE = 2**20
"""Lambda's megabyte: its limit of 250 MB is 262,144,000 bytes."""

_IN_THE_RUNTIME = frozenset({"boto3", "botocore", "s3transfer"})
"""Packages that Lambda's Python runtimes include.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html#python-sdk-included
"""
_NEVER_IMPORTED_FOLDERS = frozenset(
    {"__pycache__", "bin", "distutils", "f2py", "include", "swagger_ui", "tests", "wrapt-stubs"}
)
_NEVER_IMPORTED_SUFFIXES = frozenset({".a", ".c", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx"})
_ABOUT_THE_INSTALLATION = frozenset({".lock", "INSTALLER", "RECORD", "REQUESTED"})
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
    """

    name: str
    python: str
    platform: str | None


AWS = Target("aws", "3.13", "aarch64-manylinux_2_28")
HOST = Target("host", f"{sys.version_info.major}.{sys.version_info.minor}", None)
_TARGETS = {target.name: target for target in (AWS, HOST)}


@dataclass(frozen=True, slots=True)
class Budget:
    """The size limits of a bundle."""

    unzipped: int
    zipped: int


_BUDGETS = {
    "audit": Budget(20 * MEGABYTE, 10 * MEGABYTE),
    "extractor": Budget(60 * MEGABYTE, 30 * MEGABYTE),
    "listenbrainz": Budget(20 * MEGABYTE, 10 * MEGABYTE),
    "redrive": Budget(20 * MEGABYTE, 10 * MEGABYTE),
    "report": Budget(20 * MEGABYTE, 10 * MEGABYTE),
}
_TRANSFORMER_BUDGET = Budget(100 * MEGABYTE, 30 * MEGABYTE)


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
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as temporary:
        unfinished = shutil.copy(_dependencies(service, target, into / "dependencies"), temporary)
        with ZipFile(unfinished, "a") as archive:
            _add(archive, ROOT, _code(service))
            unzipped = sum(member.file_size for member in archive.infolist())
        Path(unfinished).replace(path)
    content = path.read_bytes()
    bundle = Bundle(service, path, hashlib.sha256(content).hexdigest(), unzipped, len(content))
    if target == AWS:
        _check(bundle)
    return bundle


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


def _dependencies(service: str, target: Target, cache: Path) -> Path:
    lock = ROOT / _lock(service)
    inputs = (lock.read_bytes(), repr(target).encode(), Path(__file__).read_bytes())
    archive = cache / f"{hashlib.sha256(b''.join(inputs)).hexdigest()}.zip"
    if archive.exists():
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache) as temporary:
        installed, unfinished = Path(temporary, "installed"), Path(temporary, "unfinished.zip")
        _install(lock, target, installed)
        with ZipFile(unfinished, "w") as zipped:
            _add(zipped, installed, filter(Path.is_file, installed.rglob("*")))
        unfinished.replace(archive)
    return archive


def _install(lock: Path, target: Target, into: Path) -> None:
    elsewhere = ["--python-platform", target.platform] if target.platform else []
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-compile-bytecode", "--python", sys.executable, "--python-version", target.python, *elsewhere]
    result = subprocess.run(  # noqa: S603 - nothing in the command comes from outside
        [*command, "--target", str(into), "--requirements", str(lock)], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise BuildError(f"The requirements in {lock} do not install for {target.name}: {result.stderr.strip()}")


def _add(archive: ZipFile, root: Path, files: Iterable[Path]) -> None:
    """Add files in the order of their names, as if each had been made at the same time by the same user."""
    for name, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        if _is_needed(Path(name)):
            member = ZipInfo(name)
            member.create_system = _UNIX
            member.external_attr = _READABLE_FILE
            archive.writestr(member, file.read_bytes(), ZIP_DEFLATED, _COMPRESSION_LEVEL)


def _is_needed(file: Path) -> bool:
    package = file.parts[0].partition("-")[0]
    return (
        package not in _IN_THE_RUNTIME
        and _NEVER_IMPORTED_FOLDERS.isdisjoint(file.parts)
        and file.suffix not in _NEVER_IMPORTED_SUFFIXES
        and file.name not in _ABOUT_THE_INSTALLATION
    )


def main() -> None:
    """Builds the bundle of a service, and prints its key in the artifacts bucket and its path."""
    parser = ArgumentParser(prog="python -m infra.deploying.build", description="Build the bundle of one service.")
    parser.add_argument("service", choices=SERVICES)
    try:
        bundle = build(parser.parse_args().service, target_of(os.environ), ROOT / "build")
    except BuildError as fault:
        parser.exit(1, f"{fault}\n")
    sys.stdout.write(f"{bundle.key} {bundle.path}\n")


if __name__ == "__main__":
    main()
