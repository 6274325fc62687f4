"""That redrive may work on the queues of every table, whichever there are, and on those of no other environment."""

from fnmatch import fnmatch
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from contracts.tables import TABLES
from infra.deploying.stacks import stack_name, template


def patterns(sid: str) -> str:
    role = yaml_parse(template("redrive").read_text())["Resources"]["Role"]["Properties"]
    statements: list[dict[str, Any]] = role["Policies"][0]["PolicyDocument"]["Statement"]
    (statement,) = (each for each in statements if each["Sid"] == sid)
    return str(statement["Resource"]["Fn::Sub"]).rpartition(":")[2].replace("${Environment}", "dev")


@pytest.mark.parametrize("table", [*TABLES, "a_table_to_come"])
def test_the_role_covers_the_queues_of_every_table(table: str) -> None:
    assert fnmatch(f"{stack_name('dev', table)}-dead-letters", patterns("WorkOnDeadLetters"))
    assert fnmatch(stack_name("dev", table), patterns("SendBack"))


def test_it_takes_messages_from_dead_letter_queues_alone_and_from_no_other_environment() -> None:
    assert not fnmatch(stack_name("dev", "songs"), patterns("WorkOnDeadLetters"))
    assert not fnmatch(stack_name("prod", "songs") + "-dead-letters", patterns("WorkOnDeadLetters"))
    assert not fnmatch(stack_name("prod", "songs"), patterns("SendBack"))
