import re
from collections.abc import Iterable

import pytest

from contracts.tables import TABLES
from infra.stacks import SERVICES, template
from services.redrive.letters import FUNCTIONS


@pytest.mark.parametrize(
    ("service", "suffix", "services"),
    [("sqs", "", TABLES), ("sqs", "-dead-letters", (*TABLES, *FUNCTIONS)), ("lambda", "", FUNCTIONS)],
)
def test_the_role_names_the_queues_and_functions_of_every_service_and_no_other(
    service: str, suffix: str, services: Iterable[str]
) -> None:
    text = template("redrive").read_text()

    named = re.findall(rf"arn:\S+:{service}:\S+:earworm-\${{Environment}}-([a-z-]+?){suffix}\n", text)

    own = [name for name in named if suffix or not name.endswith("-dead-letters")]
    assert sorted(own) == sorted(each.replace("_", "-") for each in services)


def test_every_service_with_a_dead_letter_queue_is_looked_at() -> None:
    with_queue = {service for service in SERVICES if "-dead-letters\n" in template(service).read_text()} - {"redrive"}

    assert with_queue == {*TABLES, *FUNCTIONS}
