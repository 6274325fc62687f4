import re

import pytest

from contracts.tables import TABLES
from infra.deploying.stacks import template


@pytest.mark.parametrize("suffix", ["", "-dead-letters"])
def test_the_role_names_the_queues_of_every_table_and_no_other(suffix: str) -> None:
    text = template("redrive").read_text()

    named = re.findall(rf"arn:\S+:sqs:\S+:earworm-\${{Environment}}-([a-z-]+?){suffix}\n", text)

    own = [name for name in named if suffix or not name.endswith("-dead-letters")]
    assert sorted(own) == sorted(table.replace("_", "-") for table in TABLES)
