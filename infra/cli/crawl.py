"""Looks for what is in the lake and in no contract, by a Glue crawler that writes to a database of its own.

The crawler runs on demand alone: each run costs the ten minutes of two units that Glue charges at least. The tables of
the contracts are left alone, for it never sees their database.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import typer

from contracts.columns import columns
from contracts.tables import TABLES
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, err, grid, out
from infra.waiting import poll
from shared.lake import table_prefix

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import TableTypeDef

_PATIENCE = 3600.0
"""Seconds that a crawl may take: minutes for years of snapshots."""


def crawl(environment: Environment = "dev") -> None:
    """Crawl the lake for tables and columns that no contract declares; exit with 1 if there are any."""
    cloud = find_cloud(environment, writes=True)
    found = crawled(cloud)
    findings = list(undeclared(found))
    if findings:
        out.print(grid("In the lake, and in no contract", ("where", "what"), findings))
    out.print(f"{len(found):,} folders crawled; {len(findings):,} findings.")
    if findings:
        raise typer.Exit(1)


def crawled(cloud: Cloud) -> dict[str, Mapping[str, str]]:
    """Crawls the lake, and returns the columns of each folder that has files of a table, with their types.

    Raises:
        ConsoleError: The crawler is at work already, failed, or takes too long.
    """
    glue, name = cloud.client("glue"), cloud.platform.crawler
    database = glue.get_crawler(Name=name)["Crawler"]["DatabaseName"]
    # The crawler only adds to what it finds there: without what an earlier one added, it tells of the lake as it is.
    for table in _tables(glue, database):
        glue.delete_table(DatabaseName=database, Name=table["Name"])
    try:
        glue.start_crawler(Name=name)
    except glue.exceptions.CrawlerRunningException:
        raise ConsoleError(f"The crawler {name} is at work already: try again when it is done.") from None
    with err.status("crawling: minutes on AWS"):
        done = poll(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY", pause=2, patience=_PATIENCE)
    last = glue.get_crawler(Name=name)["Crawler"].get("LastCrawl", {})
    if not done or last.get("Status") != "SUCCEEDED":
        raise ConsoleError(
            f"The crawler {name} {'did not succeed' if done else 'is still at work'}: "
            f"{last.get('ErrorMessage', 'see its log group /aws-glue/crawlers')}."
        )
    return {
        re.sub("^s3://[^/]+/", "", table["StorageDescriptor"]["Location"]): {
            column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]
        }
        for table in _tables(glue, database)
    }


def undeclared(found: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yields what no contract declares: a place, and what is wrong with it.

    Args:
        found: The columns of each folder by its prefix in the lake, with their types.
    """
    declared = {
        table_prefix(table): {column.name: column.glue_type for column in columns(table.row)}
        for table in TABLES.values()
    }
    for folder, its in sorted(found.items()):
        contract = declared.get(f"{folder.rstrip('/')}/")
        if contract is None:
            yield folder, f"no contract declares a table of {', '.join(sorted(its))}"
            continue
        for name, type_ in sorted(its.items()):
            if name not in contract:
                yield folder, f"no contract declares the column {name} ({type_})"
            elif type_ != contract[name]:
                yield folder, f"the column {name} is {type_} in files, and {contract[name]} in its contract"


def _tables(glue: "GlueClient", database: str) -> "list[TableTypeDef]":
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    return [table for page in pages for table in page["TableList"]]
