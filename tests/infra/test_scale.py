"""The formulas of `infra/SCALE.md` against a queue and its functions, simulated message by message."""

import heapq
import random

import pytest
from samtranslator.yaml_helper import yaml_parse

from contracts.tables import TABLES
from infra.deploying.stacks import template
from infra.tools.scale import PAGE, Burst, with_scale

BATCH = 10


def simulated(burst: Burst, *, spread: float) -> tuple[float, float]:
    """When the last snapshot is done and how long a message waited at most, with functions that take uneven times.

    Each function takes a batch of the messages that are there, one after the other, and a batch is acknowledged as a
    whole: a message counts as waiting until its function takes it up.
    """
    chance = random.Random(7)
    arrivals = [number * burst.window / burst.snapshots for number in range(burst.snapshots)]
    functions = [0.0] * burst.concurrency
    taken, waited = 0, 0.0
    while taken < burst.snapshots:
        free = max(heapq.heappop(functions), arrivals[taken])
        batch = [arrival for arrival in arrivals[taken : taken + BATCH] if arrival <= free]
        for arrival in batch:
            waited = max(waited, free - arrival)
            free += burst.seconds_each * chance.uniform(1 - spread, 1 + spread)
        taken += len(batch)
        heapq.heappush(functions, free)
    return max(functions), waited


@pytest.mark.parametrize(
    "burst",
    [
        Burst(10_000, window=0),
        Burst(10_000, window=600),
        Burst(10_000, window=1_500, concurrency=3),
        Burst(10_000, window=7_200),
        Burst(1_000, window=60, concurrency=10, seconds_each=1.0),
    ],
)
def test_queues_drain_and_messages_wait_as_long_as_the_formula_says(burst: Burst) -> None:
    done, waited = simulated(burst, spread=0.9)

    a_batch = BATCH * burst.seconds_each
    assert done == pytest.approx(burst.done_after, rel=0.03, abs=2 * a_batch)
    assert waited == pytest.approx(max(0.0, burst.work - burst.window), rel=0.03, abs=2 * a_batch)


def test_the_concurrency_that_the_formula_asks_for_keeps_messages_from_waiting_longer() -> None:
    burst = Burst(10_000, window=0)

    enough = Burst(10_000, window=0, concurrency=round(burst.concurrency_for(300)))

    assert simulated(enough, spread=0.9)[1] == pytest.approx(300, rel=0.03)


@pytest.mark.parametrize("table", TABLES)
def test_the_templates_set_no_limit(table: str) -> None:
    limit = yaml_parse(template(table).read_text())["Parameters"]["MaximumConcurrency"]

    assert limit["Default"] == 0


def test_the_table_of_the_page_is_the_formula_s() -> None:
    text = PAGE.read_text()

    assert with_scale(text) == text, "run `make generate`"
