"""That what `make generate` writes is committed, and how it follows from the contracts."""

from dataclasses import replace

import pytest

from contracts.tables import TABLES
from contracts.tables.songs import SONGS
from infra.deploying.stacks import ROOT
from infra.tools import templates
from shared.lake import KINDS

GENERATED = {path.relative_to(ROOT).as_posix(): text for path, text in templates.generated().items()}


@pytest.mark.parametrize("path", GENERATED)
def test_what_is_generated_is_committed(path: str) -> None:
    assert (ROOT / path).read_text() == GENERATED[path], "run `make generate`"


def test_names_that_a_contract_fills_in_are_filled_in() -> None:
    generated = "".join(map(templates.transformer, TABLES.values()))

    assert "<" not in generated.replace("AWS::SSM::Parameter::Value<String>", "")


def test_a_table_of_charts_hears_of_charts_and_has_to_do_with_their_keys_alone() -> None:
    of_playlists, of_charts = (templates.transformer(replace(SONGS, kind=kind)) for kind in KINDS)

    moved = of_playlists.replace("/spotify/", "/charts/")
    for parameter in ("\n  {}:", "!Ref {}"):
        moved = moved.replace(parameter.format("TopicArn"), parameter.format("ChartsTopicArn"))
    assert of_charts == moved != of_playlists


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_declared_in_a_module_of_its_name(table: str) -> None:
    assert (ROOT / f"contracts/tables/{table}.py").exists()
