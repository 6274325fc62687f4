"""That redrive may work on the queues of every table, whichever there are, and on nothing of another environment."""

from fnmatch import fnmatch
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from contracts.operations.redrive import FUNCTIONS
from contracts.tables import TABLES
from infra.deploying.stacks import SERVICES, stack_name, template


def statement(sid: str) -> dict[str, Any]:
    role = yaml_parse(template("redrive").read_text())["Resources"]["Role"]["Properties"]
    statements: list[dict[str, Any]] = role["Policies"][0]["PolicyDocument"]["Statement"]
    (found,) = (each for each in statements if each["Sid"] == sid)
    return found


def patterns(sid: str) -> list[str]:
    resource = statement(sid)["Resource"]
    listed = resource if isinstance(resource, list) else [resource]
    return [each["Fn::Sub"].rpartition(":")[2].replace("${Environment}", "dev") for each in listed]


def covers(sid: str, name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns(sid))


@pytest.mark.parametrize("table", [*TABLES, "a_table_to_come"])
def test_the_role_covers_the_queues_of_every_table(table: str) -> None:
    assert covers("WorkOnDeadLetters", f"{stack_name('dev', table)}-dead-letters")
    assert covers("SendBack", stack_name("dev", table))


def test_it_takes_messages_from_dead_letter_queues_alone_and_from_no_other_environment() -> None:
    assert not covers("WorkOnDeadLetters", stack_name("dev", "songs"))
    assert not covers("WorkOnDeadLetters", f"{stack_name('prod', 'songs')}-dead-letters")
    assert not covers("SendBack", stack_name("prod", "songs"))


@pytest.mark.parametrize("service", [*TABLES, *FUNCTIONS, "a_table_to_come"])
def test_it_sends_no_message_to_a_dead_letter_queue(service: str) -> None:
    denied = statement("SendNothingToDeadLetters")

    assert (denied["Effect"], denied["Action"]) == ("Deny", "sqs:SendMessage")
    assert covers("SendNothingToDeadLetters", f"{stack_name('dev', service)}-dead-letters")
    assert not covers("SendNothingToDeadLetters", stack_name("dev", service))


def test_it_starts_the_functions_whose_dead_letters_are_runs_and_no_other() -> None:
    assert patterns("StartAgain") == [stack_name("dev", function) for function in FUNCTIONS]


def test_every_service_with_a_dead_letter_queue_is_looked_at() -> None:
    with_queue = {service for service in SERVICES if "-dead-letters\n" in template(service).read_text()} - {"redrive"}

    assert with_queue == {*TABLES, *FUNCTIONS}
