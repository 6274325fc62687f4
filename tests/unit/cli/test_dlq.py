"""What the console asks the redrive's function, and what it makes of the answers."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from contracts.operations.redrive import QueueDepth
from contracts.tables import TABLES
from infra.cli import dlq
from infra.cli.screen import ConsoleError, UsageError

if TYPE_CHECKING:
    from infra.cli.cloud import Cloud

BEFORE = "2026-11-23T06:00:00+00:00"


@dataclass
class FakeCloud:
    """An environment whose function gives prepared answers, a fault's text among them."""

    answers: list[Any]
    asked: list[Any] = field(default_factory=list)
    environment: str = "dev"
    address: str = "the local cloud"

    def tables(self) -> tuple[str, ...]:
        return tuple(TABLES)

    def command(self, words: str) -> str:
        return f"earworm {words}"

    def client(self, service: str) -> "FakeCloud":
        assert service == "lambda"
        return self

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # as boto3 names them
        assert FunctionName == "earworm-dev-redrive"
        self.asked.append(json.loads(Payload))
        answer = self.answers.pop(0)
        if isinstance(answer, ClientError):
            raise answer
        if isinstance(answer, str):
            return {"FunctionError": "Unhandled", "Payload": BytesIO(json.dumps({"errorMessage": answer}).encode())}
        if isinstance(answer, bytes):
            return {"Payload": BytesIO(answer)}
        return {"Payload": BytesIO(json.dumps(answer).encode())}


def cloud_that_answers(*answers: Any) -> tuple["Cloud", FakeCloud]:
    fake = FakeCloud(list(answers))
    return cast("Cloud", fake), fake


def settled(
    done: int,
    *,
    more: bool = False,
    skipped: int = 0,
    failed: dict[str, int] | None = None,
    faults: dict[str, str] | None = None,
) -> dict[str, Any]:
    tally = {"service": "songs", "done": done, "skipped": skipped, "newer": 0, "failed": failed or {}}
    return {
        "action": "redrive",
        "services": [tally],
        "more": more,
        "faults": faults or {},
        "before": BEFORE,
        "dry_run": False,
    }


SHOWN = {
    "message_id": "m-1",
    "error_class": "UnreadableSnapshotError",
    "sent_at": "2026-11-22T06:00:00+00:00",
    "receive_count": 3,
    "attributes": {"error_class": "UnreadableSnapshotError", "sentence": "no playlist [document]"},
    "begins": "{",
    "raw_objects": [
        {
            "key": "raw/spotify/2026-11-22/p/playlist.json",
            "exists": True,
            "size": 11,
            "last_modified": "2026-11-22T06:00:00+00:00",
            "begins": '{"tracks": ',
        }
    ],
}


def test_the_depth_of_each_queue_is_asked_for() -> None:
    told = {"service": "songs", "visible": 3, "hidden": 1, "classes": {"KeyError": 3}}
    cloud, fake = cloud_that_answers({"action": "list", "services": [told], "more": False})

    assert dlq.depth(cloud).services == (QueueDepth(service="songs", visible=3, hidden=1, classes={"KeyError": 3}),)
    assert fake.asked == [{"action": "list"}]


def test_a_message_is_shown_with_its_raw_object() -> None:
    answer = {"action": "show", "services": [{"service": "songs", "messages": [SHOWN]}], "more": True}
    cloud, fake = cloud_that_answers(answer)

    found = dlq.show(cloud, "songs", error_class="UnreadableSnapshotError", day=date(2026, 11, 22))

    assert found.more is True
    assert found.messages[0].sent_at == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert found.messages[0].raw_objects[0].size == 11
    asked = {"action": "show", "service": "songs", "error_class": "UnreadableSnapshotError", "date": "2026-11-22"}
    assert fake.asked == [asked]


def test_a_redrive_goes_on_while_there_is_more_and_takes_nothing_that_came_meanwhile() -> None:
    cloud, fake = cloud_that_answers(settled(5, more=True, skipped=2), settled(3, skipped=4))

    (tally,) = dlq.redrive(cloud, "songs", rate=2).services

    assert (tally.done, tally.skipped) == (8, 4)
    assert [asked.get("before") for asked in fake.asked] == [None, "2026-11-23T06:00:00Z"]
    assert {asked["rate"] for asked in fake.asked} == {2}


@pytest.mark.parametrize(("done", "dry_run"), [(0, False), (5, True)])
def test_a_redrive_that_gets_no_further_ends(done: int, *, dry_run: bool) -> None:
    cloud, _ = cloud_that_answers(settled(done, more=True))

    with pytest.raises(ConsoleError, match=f"timed out before the queues were empty, after {done} messages"):
        dlq.redrive(cloud, "songs", dry_run=dry_run)


def test_a_drop_tells_its_reason() -> None:
    cloud, fake = cloud_that_answers(settled(1))

    assert dlq.drop(cloud, "songs", reason="of no use").services[0].done == 1
    assert fake.asked[0]["reason"] == "of no use"


def test_what_the_function_refuses_is_said_with_its_log_group() -> None:
    cloud, _ = cloud_that_answers("queue earworm-dev-songs: there is none")

    with pytest.raises(ConsoleError, match=r"songs: there is none\. .*/aws/lambda/earworm-dev-redrive"):
        dlq.show(cloud, "songs")


@pytest.mark.parametrize(
    "words", [["show", "nonsense"], ["redrive", "nonsense"], ["drop", "nonsense", "--reason", "x"]]
)
def test_a_service_without_a_queue_is_refused_before_any_cloud_is_asked(words: list[str]) -> None:
    told = CliRunner().invoke(dlq.app, words).exception

    assert isinstance(told, UsageError)
    assert str(told).startswith("There is no dead-letter queue of 'nonsense': choose one of albums, artists")


def test_what_no_function_takes_is_refused_before_it_is_asked() -> None:
    cloud, fake = cloud_that_answers()

    with pytest.raises(UsageError, match="service: unknown service 'nonsense'; choose one of albums, artists"):
        dlq.show(cloud, "nonsense")
    with pytest.raises(UsageError, match=r"rate: Input should be greater than or equal to 0\.1"):
        dlq.redrive(cloud, "songs", rate=0)
    assert fake.asked == []


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (b"", "the input: "),
        (b"null", "the input: "),
        (b"<html>", "the input: "),
        (b'{"services": 1}', "services: "),
        (
            b'{"services": [{"service": "songs", "visible": "many", "hidden": 0, "classes": {}}]}',
            "services.0.visible: ",
        ),
    ],
)
def test_an_answer_that_cannot_be_read_is_told_with_its_place(answer: bytes, where: str) -> None:
    cloud, _ = cloud_that_answers(answer)

    with pytest.raises(
        ConsoleError, match=f"answer of earworm-dev-redrive cannot be read, at {where}.*`earworm deploy"
    ):
        dlq.depth(cloud)


@pytest.mark.parametrize("told", [b"", b"[1]", b'"text"', b"{}", b'{"errorMessage": null}'])
def test_a_failure_that_cannot_be_read_is_told_with_its_log_group(told: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud, fake = cloud_that_answers()
    response = {"FunctionError": "Unhandled", "Payload": BytesIO(told)}
    monkeypatch.setattr(fake, "invoke", lambda **_: response)

    with pytest.raises(ConsoleError, match="log group of earworm-dev-redrive is /aws/lambda/earworm-dev-redrive"):
        dlq.depth(cloud)


def test_a_function_that_is_not_deployed_is_said_to_be() -> None:
    missing = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "Invoke")
    cloud, _ = cloud_that_answers(missing)

    with pytest.raises(ConsoleError, match="run `earworm deploy redrive`"):
        dlq.depth(cloud)


@pytest.mark.parametrize("arguments", [["redrive"], ["redrive", "songs", "--all"]])
def test_a_redrive_is_of_one_service_or_of_all(arguments: list[str]) -> None:
    result = CliRunner().invoke(dlq.app, arguments)

    assert isinstance(result.exception, ConsoleError)


def test_a_message_is_printed_as_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"action": "show", "services": [{"service": "songs", "messages": [SHOWN]}], "more": False}
    monkeypatch.setattr(dlq, "find_cloud", lambda *_, **__: cloud_that_answers(answer)[0])

    printed = CliRunner().invoke(dlq.app, ["show", "songs"]).output

    for text in ("m-1", "no playlist [document]", "11 bytes, last modified 2026-11-22 06:00:00 UTC", '{"tracks": '):
        assert text in printed


def test_messages_that_failed_end_the_command_with_their_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        dlq, "find_cloud", lambda *_, **__: cloud_that_answers(settled(1, failed={"AccessDenied": 2}))[0]
    )

    result = CliRunner().invoke(dlq.app, ["redrive", "songs"])

    assert isinstance(result.exception, ConsoleError)
    assert str(result.exception) == "Messages stay where they are, 2 for AccessDenied"


UNFINISHED = "The dead-letter queue of audit was not looked through to its end: SlowDown. Give the command again"


def test_a_queue_that_fails_ends_the_command_after_what_was_done_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a queue that AWS fails while there is more in another one
    answers = settled(5, more=True), settled(3, more=True, failed={"AccessDenied": 2}, faults={"audit": "SlowDown"})
    cloud, fake = cloud_that_answers(*answers)
    monkeypatch.setattr(dlq, "find_cloud", lambda *_, **__: cloud)

    # when everything is sent back
    result = CliRunner().invoke(dlq.app, ["redrive", "--all"])

    # then it says what came through, and fails with either fault
    assert re.search(r"songs\s+8", result.output)
    assert str(result.exception) == f"Messages stay where they are, 2 for AccessDenied. {UNFINISHED}"
    assert fake.answers == []


def test_a_queue_that_cannot_be_counted_or_shown_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"service": "songs", "visible": 3, "hidden": 1, "classes": {}}
    faults = {"more": False, "faults": {"audit": "SlowDown"}}
    cloud, _ = cloud_that_answers(
        {"action": "list", "services": [told], **faults}, {"action": "show", "services": [], **faults}
    )
    monkeypatch.setattr(dlq, "find_cloud", lambda *_, **__: cloud)

    counted = CliRunner().invoke(dlq.app, [])

    assert re.search(r"songs\s+3\s+1", counted.output)
    assert str(counted.exception) == UNFINISHED
    with pytest.raises(ConsoleError, match=UNFINISHED):
        dlq.show(cloud, "audit")
