"""How the console ends: 0 is done, 1 failed or found something, 2 is wrong usage; never a traceback."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
    SSLError,
    UnauthorizedSSOTokenError,
)
from typer.testing import CliRunner

from analytics.athena import AthenaError
from infra.cli import __main__ as console
from infra.cli.app import COMMANDS, app
from infra.cli.screen import ConsoleError, StoppedError, UsageError
from infra.deploying.build import BuildError
from infra.deploying.changes import ChangesError
from infra.deploying.deploy import DeployError
from infra.deploying.stacks import COMPONENTS, ROOT
from infra.local.cloud import LocalCloudError
from shared.errors import PermanentError

REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
EARWORM = [sys.executable, "-m", "infra.cli"]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """What a fault is printed as, and the exit code that it ends with."""

    def end(fault: BaseException) -> tuple[str, object]:
        def fail() -> None:
            raise fault

        monkeypatch.setattr(console, "app", fail)
        monkeypatch.setattr(console, "_discard_output", lambda: None)
        with pytest.raises(SystemExit) as ended:
            console.main()
        return " ".join(capsys.readouterr().err.split()), ended.value.code

    return end  # type: ignore[return-value]


@pytest.mark.parametrize(
    "fault",
    [
        *(
            kind("it is so")
            for kind in (AthenaError, BuildError, ChangesError, ConsoleError, DeployError, LocalCloudError)
        ),
        PermanentError("it", "is so"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_is_a_sentence_and_1(ends: Any, fault: Exception) -> None:
    printed, code = ends(fault)

    assert printed in {"earworm: it is so", "earworm: it: is so"}
    assert code == 1


@pytest.mark.parametrize("fault", [REFUSED, NoRegionError()])
def test_a_refusal_of_the_cloud_is_a_sentence_and_1(ends: Any, fault: Exception) -> None:
    printed, code = ends(fault)

    assert printed.startswith("earworm: the cloud refused the request: ")
    assert code == 1


@pytest.mark.parametrize(
    "fault",
    [
        EndpointConnectionError(endpoint_url="https://ssm"),
        ConnectTimeoutError(endpoint_url="https://ssm"),
        ReadTimeoutError(endpoint_url="https://ssm"),
        SSLError(endpoint_url="https://ssm", error=OSError("self-signed certificate")),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_cloud_that_does_not_answer_has_refused_nothing(ends: Any, fault: Exception) -> None:
    printed, code = ends(fault)

    assert printed.startswith("earworm: the cloud cannot be reached: ")
    assert printed.endswith(". Look at the network, and run the command again.")
    assert code == 1


@pytest.mark.parametrize(
    ("fault", "told"),
    [(NoCredentialsError(), "Unable to locate credentials"), (UnauthorizedSSOTokenError(), "The SSO session")],
)
def test_credentials_that_are_missing_or_over_were_refused_by_nobody(ends: Any, fault: Exception, told: str) -> None:
    printed, code = ends(fault)

    assert printed.startswith(f"earworm: the environment has no credentials that can be used: {told}")
    assert printed.endswith(". Log in, or name others by AWS_PROFILE.")
    assert code == 1


@pytest.mark.parametrize(
    ("text", "encoding", "told"),
    [
        (os.fsdecode(b"caf\xe9"), "utf-8", "an argument is not in UTF-8: 'caf\\udce9'. Write it in UTF-8."),
        ("Hit 🎧", "latin-1", "the output cannot hold '🎧' in latin-1. Set PYTHONIOENCODING=utf-8, and run the comm"),
    ],
    ids=["an argument", "the output"],
)
def test_a_text_that_an_encoding_cannot_hold_is_named(ends: Any, text: str, encoding: str, told: str) -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        text.encode(encoding)

    printed, code = ends(caught.value)

    assert printed.startswith(f"earworm: {told}")
    assert code == 1


def test_a_table_that_is_not_declared_is_told_with_what_declares_it(ends: Any) -> None:
    printed, code = ends(AthenaError("Athena failed the query: TABLE_NOT_FOUND: Table 'songs' does not exist"))

    assert printed.endswith(
        "Table 'songs' does not exist. If it is a table or a view of Earworm's, `earworm deploy catalog analytics` "
        "declares it."
    )
    assert code == 1


def test_wrong_usage_is_2_and_what_was_stopped_130(ends: Any) -> None:
    assert ends(UsageError("choose one")) == ("earworm: choose one", 2)
    assert ends(StoppedError("half way")) == ("earworm: half way", 130)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (OSError(ENOSPC, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/etc/shadow"), "/etc/shadow: Permission denied"),
        (IsADirectoryError(21, "Is a directory", "/tmp"), "/tmp: Is a directory"),
    ],
)
def test_a_refusal_of_the_machine_names_the_file(ends: Any, fault: OSError, named: str) -> None:
    printed, code = ends(fault)

    assert printed.startswith(f"earworm: the system refused: {named}. ")
    assert code == 1


def test_foreign_text_in_a_fault_moves_no_cursor(ends: Any) -> None:
    assert ends(ConsoleError("the playlist \x1b[2J\x1b]0;x\x07[red]one"))[0] == "earworm: the playlist [red]one"


def test_a_reader_that_has_enough_is_no_fault_to_speak_of(ends: Any) -> None:
    assert ends(BrokenPipeError()) == ("", 1)


def run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*EARWORM, *arguments], cwd=ROOT, text=True, stderr=subprocess.PIPE, timeout=60, check=False, **options
    )


@pytest.mark.slow
def test_a_full_disk_is_a_sentence() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full")
    with full.open("w") as disk:
        ended = run("query", stdout=disk)

    assert ended.returncode == 1
    assert ended.stderr.split("\n")[0].startswith("earworm: the system refused: No space left on device")
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["query"], ["--help"]])
def test_a_pipe_that_is_closed_ends_quietly(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        ended = run(*arguments, stdout=pipe)

    assert (ended.stderr, ended.returncode) == ("", 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["query"], 0),
        ([], 2),
        (["nonsense"], 2),
        (["run", "--date", "yesterday"], 2),
        (["run", "--date", "2036-01-01"], 2),
        (["report", "--week", "2005-12-31"], 2),
        (["load", "x.json", "--date", "2026-02-30"], 2),
        (["replay", "--from", "1999-01-01", "--to", "2026-01-01"], 2),
        (["compact", "--month", "2036-01"], 2),
        (["compact", "--month", "2026-13"], 2),
        (["explain", "songs", "--playlist", "p", "--date", "soon"], 2),
        (["dlq", "show", "songs", "--date", "9999-01-01"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_the_exit_code_tells_wrong_usage_from_the_rest(arguments: list[str], code: int) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == code


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["run", "--date", "2036-01-01"],
            "2036-01-01 is outside the tables' days, 2006-01-01 to 2035-12-31",
        ),
        (["run", "--date", "20260101"], "'20260101' is not a day: write YYYY-MM-DD, such as 2026-11-23"),
        (["compact", "--month", "May"], "'May' is not a month: write YYYY-MM, such as 2026-11"),
    ],
)
def test_a_day_that_cannot_be_is_refused_with_those_that_can(arguments: list[str], sentence: str) -> None:
    printed = " ".join(CliRunner().invoke(app, arguments).output.replace("│", " ").split())

    assert sentence in printed
    assert "Value error" not in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["deploy", "--all", "songs"],
        ["deploy", "concerts"],
        ["query", "top_concerts"],
        ["query", "DROP TABLE songs"],
        ["query", "top_artists", "--csv", "--json"],
        ["replay", "--from", "2026-01-02", "--to", "2026-01-01"],
        ["explain", "concerts", "--playlist", "p", "--date", "2026-01-01"],
        ["compact", "--month", "2026-01", "--table", "concerts"],
        ["dlq", "redrive"],
        ["logs", "--service", "concerts"],
        ["trace", "--open"],
        ["run", "--source", "listenbrainz", "--playlist", "p"],
    ],
    ids=" ".join,
)
def test_what_a_command_does_not_take_is_wrong_usage(arguments: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, arguments).exception, UsageError)


def completed(words: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What the shell offers for the last word."""
    asked = {"_EARWORM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    return CliRunner().invoke(app, [], prog_name="earworm", env=asked).output.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("earworm comp", ["compact"]),
        ("earworm deploy ar", ["artists"]),
        ("earworm remove ", list(COMPONENTS)),
        ("earworm dlq show au", ["audit"]),
        ("earworm query top_ar", ["top_artists"]),
        ("earworm explain al", ["albums"]),
        ("earworm replay --table track", ["track_features"]),
        ("earworm compact --table so", ["songs"]),
        ("earworm logs --service ex", ["extractor"]),
    ],
)
def test_the_shell_completes_commands_and_names(words: str, offered: list[str]) -> None:
    assert completed(words) == offered


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_itself(name: str) -> None:
    assert COMMANDS[name].load().help == COMMANDS[name].help


READS_FILES = {"duckdb", "fastparquet", "numpy", "pandas", "pyarrow", "sqlglot"}
TALKS = {"boto3", "botocore", "requests", "spotipy"}
IMPORTS_MUCH = READS_FILES | TALKS | {"contracts", "jinja2", "tenacity"}
"""What takes longer to import than the shell has patience when it completes a word."""


def modules_after(*arguments: str, **environment: str) -> set[str]:
    """What a process of the console has imported when it is done."""
    code = (
        "import sys; sys.argv[0] = 'earworm'; from infra.cli.__main__ import main\n"
        "try: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return set(done.stderr.split())


@pytest.mark.slow
def test_help_and_completion_import_no_library_that_takes_long() -> None:
    completing = {"_EARWORM_COMPLETE": "complete_bash", "COMP_WORDS": "earworm comp", "COMP_CWORD": "1"}

    for imported in (modules_after("--help"), modules_after(**completing)):
        assert "infra.cli.app" in imported
        assert imported & IMPORTS_MUCH == set()


@pytest.mark.slow
def test_a_query_and_its_completion_import_nothing_that_reads_files_or_talks_until_it_is_asked() -> None:
    completing = {"_EARWORM_COMPLETE": "complete_bash", "COMP_WORDS": "earworm query top_ar", "COMP_CWORD": "2"}

    for imported in (modules_after("query"), modules_after(**completing)):
        assert "infra.cli.query" in imported
        assert imported & (READS_FILES | TALKS | {"jinja2"}) == set()


@pytest.mark.slow
@pytest.mark.parametrize("library", ["duckdb", "pyarrow.parquet", "fastparquet", "jinja2"])
def test_the_console_ends_without_a_complaint_of_what_a_command_has_imported(library: str) -> None:
    code = f"import {library}, sys; sys.argv[1:] = ['--version']; from infra.cli.__main__ import main; main()"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("earworm 0.1.0\n", "")


def test_the_version_is_that_of_the_package() -> None:
    printed = CliRunner().invoke(app, ["--version"]).output

    assert printed == "earworm 0.1.0\n"
