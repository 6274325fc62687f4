"""What a crawl finds is held against the contracts."""

from contracts.columns import columns
from contracts.tables import TABLES
from infra.cli.crawl import undeclared

SONGS = {column.name: column.glue_type for column in columns(TABLES["songs"].row)}
FOLDER = "processed/spotify/songs/"


def test_what_the_contracts_declare_is_no_finding() -> None:
    some = {name: SONGS[name] for name in ("position", "extracted_at", "track_name")}

    assert list(undeclared({FOLDER: SONGS, FOLDER.rstrip("/"): some})) == []


def test_a_folder_a_column_and_a_type_that_no_contract_declares_are_told() -> None:
    found = list(
        undeclared(
            {FOLDER: {**SONGS, "mood": "string", "position": "int"}, "processed/spotify/concerts/": {"a": "int"}}
        )
    )

    assert found == [
        ("processed/spotify/concerts/", "no contract declares a table of a"),
        (FOLDER, "no contract declares the column mood (string)"),
        (FOLDER, "the column position is int in files, and bigint in its contract"),
    ]
