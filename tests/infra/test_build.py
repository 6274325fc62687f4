import hashlib
import importlib.util
import marshal
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from analytics.sql import queries
from infra.deploying import build as building
from infra.deploying.build import (
    AWS,
    AWS_SERVICES,
    HOST,
    LOCAL,
    Budget,
    BuildError,
    Bundle,
    Target,
    build,
    compiler,
    is_input,
    target_of,
    without_bytecode,
)
from infra.deploying.stacks import ROOT, SERVICES

EVERY_SERVICE = pytest.mark.parametrize("service", SERVICES)
BY_LOCK = sorted(SERVICES, key=building._lock)
"""Every service, so that the requirements of each lock are unpacked once."""
CACHED = ROOT / "build"
"""Where requirements that were installed before are found again."""


ELF_AARCH64 = 183
"""Source: https://gabi.xinuos.com/elf/a-emachine.html, EM_AARCH64"""

FITS_LAMBDA = re.compile(r"py[23]-none-any|cp313-cp313-manylinux\w*_aarch64|cp3\d+-abi3-manylinux\w*_aarch64")
"""Source: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/"""

MAGIC_NUMBER_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"
"""Source: https://github.com/python/cpython/blob/3.13/Include/internal/pycore_magic_number.h"""

UNCHECKED_HASH = (0b01).to_bytes(4, "little")
"""Source: https://peps.python.org/pep-0552/"""

IMPORT_HANDLER = """
import gc, sys
sys.path.insert(0, sys.argv[1])
from services.{service}.handler import lambda_handler
assert callable(lambda_handler)
assert gc.isenabled(), "the collector goes on after cold start"
"""


@pytest.mark.parametrize("target", [AWS, HOST, LOCAL], ids=lambda target: target.name)
def test_the_environment_names_the_target(target: Target) -> None:
    assert target_of({"EARWORM_LAMBDA_TARGET": target.name}) is target
    assert target_of({}) is AWS


def test_an_unknown_target_is_refused_with_those_there_are() -> None:
    with pytest.raises(BuildError, match="'moon': set it to one of aws, host, local"):
        target_of({"EARWORM_LAMBDA_TARGET": "moon"})


def test_an_unknown_service_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="'moods': choose one of albums, artists, audit, charts, extractor"):
        build("moods", HOST, tmp_path)


@pytest.mark.slow
def test_a_bundle_holds_its_service_and_what_services_share_and_no_more() -> None:
    bundle = build("songs", HOST, CACHED)

    with ZipFile(bundle.path) as archive:
        names = set(archive.namelist())
    assert {name for name in names if name.startswith("services/") and name.endswith(".py")} == {
        "services/__init__.py",
        "services/songs/__init__.py",
        "services/songs/handler.py",
        "services/songs/transform.py",
    }
    assert {"contracts/snapshot.py", "shared/worker.py", "fastparquet/__init__.py", "numpy/__init__.py"} <= names
    assert "infra/__init__.py" not in names
    assert {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2} == {
        *AWS_SERVICES
    }
    assert not [name for name in names if "/tests/" in name or name.endswith((".h", ".pyi"))]


def test_a_bundle_has_the_model_of_each_aws_service_that_a_function_calls() -> None:
    code = [*(ROOT / "services").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    called = {name for file in code for name in re.findall(r"boto3\.client\(\s*\"([\w-]+)\"", file.read_text())}

    assert called | {"sts", "xray"} == AWS_SERVICES


@pytest.mark.slow
def test_the_bundle_of_the_report_holds_its_questions_and_its_style() -> None:
    with ZipFile(build("report", HOST, CACHED).path) as archive:
        names = set(archive.namelist())

    assert {"analytics/report/page.css", "analytics/report/front.html.j2"} <= names
    assert {f"analytics/queries/{name}.sql" for name in queries()} <= names
    assert not {"analytics/template.yaml", "fastparquet/__init__.py", "numpy/__init__.py"} & names


@pytest.mark.slow
def test_the_bundle_of_the_audit_has_no_reader_of_parquet() -> None:
    with ZipFile(build("audit", HOST, CACHED).path) as archive:
        names = set(archive.namelist())

    assert not {"fastparquet/__init__.py", "pyarrow/__init__.py", "pandas/__init__.py", "numpy/__init__.py"} & names


def test_a_bundle_for_the_local_cloud_holds_code_and_the_lock_of_what_it_finds_there(tmp_path: Path) -> None:
    bundle = build("songs", LOCAL, tmp_path)

    with ZipFile(bundle.path) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}
        locks = [name for name in archive.namelist() if name.endswith(".txt")]
    assert (folders, locks) == ({"contracts", "requirements", "services", "shared"}, ["requirements/transformer.txt"])


def test_bytecode_lies_beside_every_source_as_if_the_bundle_were_the_root(tmp_path: Path) -> None:
    bytecode = _bytecode(build("songs", LOCAL, tmp_path))

    assert {compiled[:8] for compiled in bytecode.values()} == {importlib.util.MAGIC_NUMBER + UNCHECKED_HASH}
    assert {source: marshal.loads(compiled[16:]).co_filename for source, compiled in bytecode.items()} == {
        source: source for source in bytecode
    }


def test_without_an_interpreter_of_its_version_a_bundle_holds_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "compiler", lambda _: None)

    bundle = build("songs", LOCAL, tmp_path)

    with ZipFile(bundle.path) as archive:
        assert [name for name in archive.namelist() if name.endswith(".pyc")] == []


def test_it_is_told_what_it_costs_to_have_no_interpreter_of_its_version() -> None:
    from_before_uv = Target("moon", "3.2", None)

    told = without_bytecode(from_before_uv)

    assert told
    assert "No Python 3.2 is on this machine" in told
    assert "`.venv/bin/uv python install 3.2` brings one" in told
    assert without_bytecode(HOST) is None


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services whose bundle was not there already."""
    made: list[str] = []
    make = building._make

    def making(service: str, *arguments: Any) -> None:
        made.append(service)
        make(service, *arguments)

    monkeypatch.setattr(building, "_make", making)
    return made


def test_a_bundle_is_built_anew_only_if_what_it_is_made_of_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[str]
) -> None:
    first = build("songs", LOCAL, tmp_path)
    assert (build("songs", LOCAL, tmp_path), made) == (first, ["songs"])

    # when another interpreter would compile it
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(building, "compiler", lambda _: None)
        assert build("songs", LOCAL, tmp_path).sha256 != first.sha256

    # or it is not what it was
    first.path.write_bytes(b"damaged")
    assert build("songs", LOCAL, tmp_path) == first
    assert made == ["songs"] * 3


def test_a_bundle_whose_inputs_changed_while_it_was_built_is_not_taken_for_what_it_was_to_be_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[str]
) -> None:
    # given an edit amid a build
    states = iter(["as before", "edited"])
    monkeypatch.setattr(building, "_inputs", lambda *_: next(states))
    build("songs", LOCAL, tmp_path)

    # when it is undone, and built again
    monkeypatch.setattr(building, "_inputs", lambda *_: "as before")
    build("songs", LOCAL, tmp_path)
    build("songs", LOCAL, tmp_path)

    assert made == ["songs", "songs"]


@EVERY_SERVICE
def test_every_input_of_a_bundle_counts_for_whether_it_is_built_anew(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    content = building._sha256

    def reading(path: Path) -> str:
        read.add(path.relative_to(ROOT).as_posix())
        return content(path)

    monkeypatch.setattr(building, "_sha256", reading)
    building._inputs(service, LOCAL)

    folders = ("analytics", "contracts", "infra/deploying", "requirements", "services", "shared")
    there = {path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*.*")}
    assert read == {path for path in there if is_input(path, service)}


@pytest.mark.slow
def test_equal_input_gives_an_equal_bundle(tmp_path: Path) -> None:
    first, second = build("redrive", HOST, CACHED), build("redrive", HOST, tmp_path)

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()
    assert first.zipped_bytes == first.path.stat().st_size


def test_a_version_is_told_by_the_key_from_which_the_template_takes_it() -> None:
    bundle = Bundle("songs", Path("songs.zip"), "5eed" * 16, 0, 0)

    assert (bundle.version, bundle.key) == ("5eed5eed5eed", "bundles/songs/5eed5eed5eed.zip")


@pytest.mark.slow
def test_a_bundle_over_its_budget_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(building._BUDGETS, "extractor", Budget(unzipped=2**20, zipped=2**20))

    with pytest.raises(BuildError, match=r"extractor has \d+\.\d MB unzipped, over its budget of 1 MB"):
        build("extractor", AWS, CACHED)

    assert build("extractor", HOST, CACHED).unzipped_bytes > 2**20, "only Lambda has a budget"


@pytest.mark.slow
def test_a_requirement_without_a_wheel_for_the_target_is_named(tmp_path: Path) -> None:
    stone_age = Target("stone-age", "3.8", None)

    with pytest.raises(BuildError, match=r"services/extractor/requirements.txt do not install for stone-age: "):
        build("extractor", stone_age, tmp_path)


@pytest.mark.slow
@EVERY_SERVICE
def test_a_bundle_for_lambda_is_within_its_budget(service: str) -> None:
    bundle = build(service, AWS, CACHED)

    assert bundle.unzipped_bytes <= bundle.budget.unzipped
    assert bundle.zipped_bytes <= bundle.budget.zipped
    assert _machines(bundle) == {ELF_AARCH64}
    tags = _tags(bundle)
    assert any(tag.startswith("cp313") for tag in tags)
    assert [tag for tag in tags if not FITS_LAMBDA.fullmatch(tag)] == []
    if compiler(AWS):
        assert {*_bytecode(bundle, 8).values()} == {MAGIC_NUMBER_OF_3_13 + UNCHECKED_HASH}


@pytest.fixture(scope="module")
def unpack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Bundle], Path]]:
    """Makes a folder hold what is in a bundle, and nothing else: of the bundle before, most is what this one has."""
    folder = tmp_path_factory.mktemp("bundle")
    there: dict[str, int] = {}

    def unpack(bundle: Bundle) -> Path:
        with ZipFile(bundle.path) as archive:
            wanted = {member.filename: member.CRC for member in archive.infolist()}
            for name in there.keys() - wanted.keys():
                (folder / name).unlink()
            archive.extractall(folder, [name for name, content in wanted.items() if there.get(name) != content])
        there.clear()
        there.update(wanted)
        return folder

    yield unpack
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("service", BY_LOCK)
def test_a_bundle_needs_nothing_but_python(
    service: str, unpack: Callable[[Bundle], Path], tmp_path: Path, written: Callable[[str], dict[str, Any]]
) -> None:
    unpacked = unpack(build(service, HOST, CACHED))
    imported = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT_HANDLER.format(service=service), unpacked],
        env={"AWS_DEFAULT_REGION": "eu-west-1", **_environment(written(service))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (imported.returncode, imported.stderr) == (0, "")


def _environment(template: dict[str, Any]) -> dict[str, str]:
    """The variables of the template's function, as its parameters' defaults and a contact make them."""
    defaults = {name: str(parameter.get("Default")) for name, parameter in template["Parameters"].items()}
    defaults["Contact"] = "charts@label.example"
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]

    def made(value: Any) -> str:
        if isinstance(value, dict) and "Fn::Sub" in value:
            return re.sub(r"\$\{(\w+)\}", lambda name: defaults.get(name[1], name[0]), value["Fn::Sub"])
        return value if isinstance(value, str) else defaults.get(value.get("Ref"), "made when it is deployed")

    return {name: made(value) for name, value in variables.items()}


def _bytecode(bundle: Bundle, size: int = -1) -> dict[str, bytes]:
    """The bytecode of a bundle's modules, or so many bytes of each, by their sources, each of which has one."""
    with ZipFile(bundle.path) as archive:
        compiled = {
            importlib.util.source_from_cache(name): _beginning(archive, name, size)
            for name in archive.namelist()
            if name.endswith(".pyc")
        }
        assert compiled.keys() == {name for name in archive.namelist() if name.endswith(".py")}
    return compiled


def _machines(bundle: Bundle) -> set[int]:
    """The processors that the shared libraries of a bundle are for."""
    with ZipFile(bundle.path) as archive:
        libraries = [name for name in archive.namelist() if ".so" in Path(name).name]
        headers = [_beginning(archive, name, 20) for name in libraries]
    return {int.from_bytes(header[18:20], "little") for header in headers}


def _beginning(archive: ZipFile, name: str, size: int) -> bytes:
    with archive.open(name) as member:
        return member.read(size)


def _tags(bundle: Bundle) -> set[str]:
    """What the wheels that a bundle was made from say they run on."""
    with ZipFile(bundle.path) as archive:
        wheels = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".dist-info/WHEEL")]
    return {tag for wheel in wheels for tag in re.findall(r"^Tag: (.+)$", wheel, flags=re.MULTILINE)}
