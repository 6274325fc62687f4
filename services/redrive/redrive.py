"""Carries out an operator's requests: counts, shows, redrives or drops dead letters."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contracts.operations.log_events import LogEvent
from contracts.operations.redrive import (
    FUNCTIONS,
    SERVICES,
    Answer,
    Depths,
    Letters,
    LetterSummary,
    QueueDepth,
    QueueLetters,
    QueueTally,
    RedriveRequest,
    Settled,
)
from services.redrive.lake import PREVIEW_CHARACTERS, LetterLake
from services.redrive.letters import DeadLetter, DeadLetters, FunctionDeadLetters, QueueDeadLetters
from services.redrive.settings import RedriveSettings
from shared.errors import PermanentError
from shared.invocation import Handler, read, seconds_left
from shared.observability import instrument, log

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

RESERVE_SECONDS: Final = 30.0
"""Time reserved for the current message and for making the remaining ones visible again."""
MOST_SHOWN: Final = 100
"""The most messages of a queue in an answer, which Lambda limits to 6 MB.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

_FAIL_FAST: Final = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=len(SERVICES),
)
_LONGEST_ATTRIBUTE = 1024


Treat: TypeAlias = Callable[[DeadLetter], bool]

FoundT = TypeVar("FoundT")


def redriver() -> Handler:
    """Returns the Lambda handler that takes a `RedriveRequest` and returns the `Answer` to its action.

    Raises:
        SettingsError: The environment lacks a setting.
    """
    settings = RedriveSettings.from_environment()
    instrument("botocore")
    redrive = Redrive(
        sqs=boto3.client("sqs", config=_FAIL_FAST),
        functions=boto3.client("lambda", config=_FAIL_FAST),
        lake=LetterLake(boto3.client("s3", config=_FAIL_FAST), settings.s3_bucket),
        queue_prefix=settings.queue_prefix,
    )

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        left = seconds_left(context, reserve=RESERVE_SECONDS)
        return redrive.carry_out(read(RedriveRequest, event), left).model_dump(mode="json")

    return handler


@dataclass(frozen=True)
class Redrive:
    """The dead-letter queues of an environment, with the clients to work on them.

    Attributes:
        wait_seconds: How long to wait for a message before a queue counts as empty.
    """

    sqs: "SQSClient"
    functions: "LambdaClient"
    lake: LetterLake
    queue_prefix: str
    sleep: Callable[[float], None] = time.sleep
    wait_seconds: int = 1

    def carry_out(self, event: RedriveRequest, seconds_left: Callable[[], float]) -> Answer:
        """Carries out a request, as far as time allows.

        Raises:
            PermanentError: The requested service has no queues.
        """
        queues = {event.service: self._queues(event.service)} if event.service else dict(self._deployed())
        answer = self._answer(event, queues, seconds_left)
        tell = log.warning if answer.faults else log.info
        tell(LogEvent.LETTERS_LOOKED_THROUGH, "dead letters were looked through", **answer.model_dump(mode="json"))
        return answer

    def _answer(
        self, event: RedriveRequest, queues: Mapping[str, DeadLetters], seconds_left: Callable[[], float]
    ) -> Answer:
        match event.action:
            case "list":
                depths, faults = _look_at(
                    lambda service, queue: _count(service, queue, event, seconds_left), queues, at_once=len(queues)
                )
                return Depths(
                    services=tuple(depth for depth, _ in depths), more=any(more for _, more in depths), faults=faults
                )
            case "show":
                shown, faults = _look_at(
                    lambda service, queue: self._show(service, queue, event, seconds_left), queues, at_once=len(queues)
                )
                return Letters(
                    services=tuple(letters for letters, _ in shown), more=any(more for _, more in shown), faults=faults
                )
            case "redrive" | "drop":
                before = event.before or datetime.now(UTC)
                tallies = {service: _Tally() for service in queues}
                cut_short, faults = _look_at(
                    lambda service, queue: self._settle(
                        service, queue, event, before, seconds_left, tally=tallies[service]
                    ),
                    queues,
                    at_once=1 if event.rate else len(queues),
                )
                return Settled(
                    action=event.action,
                    services=tuple(tally.of(service) for service, tally in tallies.items()),
                    more=any(cut_short),
                    faults=faults,
                    dry_run=event.dry_run,
                    before=before,
                )

    def _deployed(self) -> Iterator[tuple[str, DeadLetters]]:
        for service in SERVICES:
            with suppress(PermanentError):
                yield service, self._queues(service)

    def _queues(self, service: str) -> DeadLetters:
        name = f"{self.queue_prefix}{service.replace('_', '-')}"
        if service in FUNCTIONS:
            return FunctionDeadLetters(
                self.sqs,
                self.functions,
                name,
                wait_seconds=self.wait_seconds,
                on_its_day=service == "extractor",  # ListenBrainz tells which week it gives
            )
        return QueueDeadLetters(self.sqs, name, wait_seconds=self.wait_seconds)

    def _show(
        self, service: str, queues: DeadLetters, event: RedriveRequest, seconds_left: Callable[[], float]
    ) -> tuple[QueueLetters, bool]:
        messages: list[LetterSummary] = []

        def show(letter: DeadLetter) -> bool:
            if _passes(letter, event):
                messages.append(self._shown(letter))
            return False

        cut_short = look_through(queues, show, seconds_left, enough=lambda: len(messages) >= MOST_SHOWN)
        return QueueLetters(service=service, messages=tuple(messages)), cut_short

    def _shown(self, letter: DeadLetter) -> LetterSummary:
        return LetterSummary(
            message_id=letter.message_id,
            error_class=letter.error_class,
            sent_at=letter.sent_at,
            receive_count=letter.receive_count,
            attributes={name: text[:_LONGEST_ATTRIBUTE] for name, text in letter.texts.items()},
            begins=letter.body[:PREVIEW_CHARACTERS],
            raw_objects=tuple(self.lake.look(key) for key in letter.raw_keys),
        )

    def _settle(
        self,
        service: str,
        queues: DeadLetters,
        event: RedriveRequest,
        before: datetime,
        seconds_left: Callable[[], float],
        *,
        tally: "_Tally",
    ) -> bool:
        def settle(letter: DeadLetter) -> bool:
            if letter.sent_at >= before:
                tally.newer += 1
                return False
            if not _passes(letter, event):
                tally.skipped += 1
                return False
            if event.dry_run:
                tally.done += 1
                return False
            if event.rate and (tally.done or tally.failed):
                self.sleep(1 / event.rate)
            if fault := self._move(service, queues, letter, event):
                tally.failed[fault] += 1
                return False
            tally.done += 1
            return True

        return look_through(queues, settle, seconds_left)

    def _move(self, service: str, queues: DeadLetters, letter: DeadLetter, event: RedriveRequest) -> str | None:
        """Sends a message back or archives it, and deletes it after; returns the fault for which it stays."""
        try:
            if event.action == "redrive":
                queues.send_back(letter)
            else:
                assert event.reason
                self.lake.archive(service, letter, event.reason)
            queues.delete(letter)
        except (BotoCoreError, ClientError, PermanentError) as fault:
            log.warning(
                LogEvent.LETTER_STAYS,
                "message stays",
                fault=fault,
                of_service=service,
                message_id=letter.message_id,
            )
            return str(fault)
        log.info(
            LogEvent.LETTER_SETTLED,
            "message is out of the dead-letter queue",
            action=event.action,
            of_service=service,
            message_id=letter.message_id,
            error_class=letter.error_class,
            raw_keys=letter.raw_keys,
        )
        return None


def _look_at(
    look: Callable[[str, DeadLetters], FoundT], queues: Mapping[str, DeadLetters], *, at_once: int
) -> tuple[list[FoundT], dict[str, str]]:
    """Looks through several queues at once, since each waits a while before it is taken for empty.

    Returns:
        What was found, and the services whose queue AWS failed, each with the fault, which costs no other queue.
    """
    faults: dict[str, str] = {}

    def found(service: str, queue: DeadLetters) -> list[FoundT]:
        try:
            return [look(service, queue)]
        except (BotoCoreError, ClientError) as fault:
            faults[service] = str(fault)
            return []

    with ThreadPoolExecutor(max_workers=max(1, at_once)) as pool:
        return list(chain.from_iterable(pool.map(found, queues.keys(), queues.values()))), faults


@dataclass
class _Tally:
    done: int = 0
    skipped: int = 0
    newer: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def of(self, service: str) -> QueueTally:
        return QueueTally(
            service=service, done=self.done, skipped=self.skipped, newer=self.newer, failed=dict(self.failed)
        )


def look_through(
    queues: DeadLetters,
    treat: Treat,
    seconds_left: Callable[[], float],
    enough: Callable[[], bool] = lambda: False,
) -> bool:
    """Handles each dead letter once; those that stay are visible again afterwards, even after a fault.

    Args:
        queues: The dead-letter queues.
        treat: Handles one, and returns whether it is out of the queue.
        seconds_left: Returns the time left.
        enough: Returns whether to stop before the queue is empty.

    Returns:
        Whether it stopped before the queue was empty.
    """
    seen: set[str] = set()
    staying: dict[str, DeadLetter] = {}
    try:
        while seconds_left() > 0:
            received = {letter.message_id: letter for letter in queues.receive(hidden_for=_hidden(seconds_left()))}
            staying |= received
            fresh = received.keys() - seen
            if not fresh:
                return False
            for message_id, letter in received.items():
                if message_id not in fresh:
                    continue
                if enough() or seconds_left() <= 0:
                    return True
                seen.add(message_id)
                if treat(letter):
                    del staying[message_id]
        return True
    finally:
        queues.release(staying.values())


def _hidden(seconds_left: float) -> float:
    return seconds_left + 2 * RESERVE_SECONDS


def _count(
    service: str, queues: DeadLetters, event: RedriveRequest, seconds_left: Callable[[], float]
) -> tuple[QueueDepth, bool]:
    depth = queues.depth()
    classes: Counter[str] = Counter()

    def note(letter: DeadLetter) -> bool:
        if _passes(letter, event):
            classes[letter.error_class] += 1
        return False

    cut_short = look_through(queues, note, seconds_left)
    return QueueDepth(
        service=service,
        visible=depth.visible,
        hidden=depth.hidden,
        classes=dict(classes.most_common()),
    ), cut_short


def _passes(letter: DeadLetter, event: RedriveRequest) -> bool:
    return (
        (event.error_class is None or event.error_class == letter.error_class)
        and (event.date is None or event.date in letter.days)
        and (event.before is None or letter.sent_at < event.before)
    )
