"""That every package that code imports is declared where the code is installed, and does not come by chance."""

import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

import pytest
from grimp import ImportGraph, build_graph

from infra.deploying.stacks import ROOT, SERVICES


@cache
def graph() -> ImportGraph:
    folders = ("analytics", "contracts", "infra", "services", "shared", "tests")
    return build_graph(*folders, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None)


def imported(modules: set[str]) -> set[str]:
    """The distributions of those of some modules that are of others' making."""
    distributions = packages_distributions()
    return {
        normalised(distribution)
        for module in modules
        if graph().is_module_squashed(module) and module not in sys.stdlib_module_names
        for distribution in distributions.get(module, [module])
    }


def normalised(requirement: str) -> str:
    """The name of a requirement's distribution, as package indexes compare it."""
    name = re.split(r"[\s\[<>=~!;]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def own_locks() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("services/*/requirements.txt"))]


def pinned(lock: str) -> set[str]:
    """The versions of a lock, with the platforms that they are for."""
    return set(re.findall(r"^\S+==[^\\\n]+?(?= \\$)", (ROOT / lock).read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("service", SERVICES)
def test_a_bundle_declares_what_its_handler_imports(service: str) -> None:
    own = ROOT / "services" / service / "requirements.in"
    declared = (own if own.exists() else ROOT / "requirements/transformer.in").read_text().split()

    handler = f"services.{service}.handler"
    needed = imported(set(graph().find_upstream_modules(handler)) | {handler})

    assert needed == set(map(normalised, declared))


@pytest.mark.parametrize("lock", ["requirements/run.txt", "requirements/transformer.txt", *own_locks()])
def test_the_local_cloud_runs_a_service_with_the_versions_of_its_bundle(lock: str) -> None:
    assert pinned(lock) <= pinned("requirements/dev.txt")


def test_what_runs_is_set_up_without_what_develops() -> None:
    modules = {each for each in graph().modules if each.startswith(("infra.", "services.")) and ".tools." not in each}

    needed = imported(modules.union(*map(graph().find_upstream_modules, modules)))

    assert needed - {normalised(each) for each in pinned("requirements/run.txt")} == set()


def test_the_project_declares_what_is_imported_anywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    of_benchmarks = (ROOT / "requirements/bench.in").read_text().split()
    groups = [*project["dependency-groups"].values(), project["project"]["dependencies"], of_benchmarks]
    declared = {normalised(each) for group in groups for each in group if isinstance(each, str)}

    assert imported(graph().modules) - declared == set()
