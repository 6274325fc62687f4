import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.emulator.forked import ForkedProcess

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "darwin", reason="nothing is forked there")]

OWN = ("analytics", "contracts", "services", "shared")
ENVIRONMENT = {"NAME": "songs", "AWS_REGION": "eu-west-1", "TZ": "Asia/Tokyo"}
SCRIPT = """
import json, os, sys, time
print("started", file=sys.stderr, flush=True)
for line in sys.stdin:
    if line == "end\\n":
        sys.exit(3)
    told = {"said": line.strip(), "in": os.getcwd(), "as": dict(os.environ), "at": time.tzname[0],
            "has": sorted(sys.modules)}
    print(json.dumps(told), flush=True)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[ForkedProcess]:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    forked = ForkedProcess(str(script), folder=str(tmp_path), environment=ENVIRONMENT)
    yield forked
    forked.kill()
    forked.wait(60)
    for stream in (forked.stdin, forked.stdout, forked.stderr):
        stream.close()


def say(worker: ForkedProcess, line: str) -> None:
    worker.stdin.write(line + "\n")


def test_it_speaks_by_its_own_streams_in_its_own_folder_and_environment(worker: ForkedProcess, tmp_path: Path) -> None:
    say(worker, "hello")

    told = json.loads(worker.stdout.readline())

    assert (told["said"], told["in"]) == ("hello", str(tmp_path))
    assert told["as"] == ENVIRONMENT
    assert told["at"] == "JST"
    assert worker.stderr.read() == "started\n"
    assert worker.stderr.read() == ""
    assert worker.poll() is None


def test_it_has_the_libraries_and_nothing_of_the_project_that_a_bundle_brings(worker: ForkedProcess) -> None:
    say(worker, "hello")

    has = json.loads(worker.stdout.readline())["has"]

    assert {"boto3", "fastparquet", "pydantic"} <= set(has)
    assert [name for name in has if name.split(".")[0] in OWN] == []
    assert "aws_xray_sdk.core" not in has


def test_its_code_is_told_when_it_ends(worker: ForkedProcess) -> None:
    say(worker, "end")

    assert worker.wait(60) == worker.poll() == 3
    assert worker.stdout.readline() == ""


def test_one_that_goes_on_is_waited_for_no_longer_than_that_and_ends_when_asked(worker: ForkedProcess) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.01)

    worker.terminate()

    assert worker.wait(60) < 0


def test_it_ends_with_whoever_speaks_to_it(worker: ForkedProcess) -> None:
    worker.stdin.close()

    assert worker.wait(60) == 0
