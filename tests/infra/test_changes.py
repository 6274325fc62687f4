import pytest

from contracts.tables import TABLES
from infra.deploying import build as building
from infra.deploying.changes import ChangesError, concerned, paths_since
from infra.deploying.stacks import ANALYTICS, PLATFORM, ROOT, SERVICES


@pytest.mark.parametrize(
    ("path", "components"),
    [
        ("services/songs/transform.py", ["songs"]),
        ("services/report/requirements.txt", ["report"]),
        ("requirements/transformer.txt", [*TABLES]),
        ("services/songs/template.yaml", ["songs"]),
        ("services/songs/a_module_that_is_gone.py", ["songs"]),
        ("infra/platform.yaml", [PLATFORM]),
        ("analytics/report/page.css", ["report"]),
        ("analytics/queries/debuts.sql", ["report"]),
        ("analytics/template.yaml", [ANALYTICS]),
        ("contracts/tables/songs.py", [*SERVICES]),
        ("shared/worker.py", [*SERVICES]),
        ("services/__init__.py", [*SERVICES]),
        ("infra/deploying/build.py", [*SERVICES]),
        ("services/songs/README.md", []),
        ("services/report/requirements.in", []),
        ("services/songs_of_old/transform.py", []),
        ("contracts/schemas/songs.v1.json", []),
        ("tests/conftest.py", []),
    ],
)
def test_a_file_concerns_what_is_made_from_it(path: str, components: list[str]) -> None:
    assert concerned([path]) == components


def test_the_platform_comes_first_and_nothing_comes_twice() -> None:
    changed = ["services/songs/transform.py", "services/albums/template.yaml", "infra/platform.yaml"]

    assert concerned([*changed, "services/songs/handler.py"]) == [PLATFORM, "albums", "songs"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_file_of_a_bundle_concerns_its_service(service: str) -> None:
    files = [file.relative_to(ROOT).as_posix() for file in building._code(service)]

    assert len(files) > 10
    assert [file for file in files if service not in concerned([file])] == []


def test_an_unknown_commit_is_named() -> None:
    with pytest.raises(ChangesError, match=r"what changed since 'no-such-commit': fatal: .*[^.]\. Name a commit"):
        paths_since("no-such-commit")


def test_a_machine_without_git_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ChangesError, match="install git"):
        paths_since("HEAD~1")
