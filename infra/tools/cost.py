"""Computes the cost of a year on AWS from stated assumptions, for the table in `infra/README.md`.

`python -m infra.tools.cost` rewrites the text between the two markers there. Prices are those of us-east-1 in US
dollars, free tiers left out, as the price pages of the services had them in 2025: https://aws.amazon.com/lambda/pricing/,
/s3/pricing/, /sqs/pricing/, /sns/pricing/, /cloudwatch/pricing/, /athena/pricing/, /glue/pricing/, /xray/pricing/,
/secrets-manager/pricing/.
"""

import re
from collections.abc import Mapping, Sequence

from contracts.tables import TABLES, of_kind
from infra.deploying.stacks import OPTIONAL, PLATFORM, ROOT, SERVICES, template

_README = ROOT / "infra/README.md"
_MARKED = re.compile(r"(?<=<!-- cost of a year -->\n).*?(?=<!-- end of the cost -->)", re.DOTALL)
_PLAYLISTS = (1, 20, 500)

_WEEKS = 52
_MONTHS = 12
_DAYS = 365
_MEGABYTES_IN_GIGABYTE = 1024.0

_RAW_MEGABYTES = 0.6
"""A snapshot with 50 entries and their enrichments, as measured."""
_TABLES = of_kind("playlists")
_TABLE_MEGABYTES = 0.01
"""One table's file of such a snapshot, as measured."""
_EXTRACTOR_GIGABYTE_SECONDS = 1.0 * 20
"""Per playlist: a gigabyte, and about 15 calls to Spotify and ReccoBeats with their pauses."""
_TRANSFORMER_GIGABYTE_SECONDS = 1.0 * 5
"""Per snapshot and table, with a cold start each time."""
_AUDIT_GIGABYTE_SECONDS = 1.0 * 5
"""Per day, and as much again for each 50 snapshots of the eight days that it audits."""
_LOOKS_OF_THE_REPORT = 36
_REPORT_GIGABYTE_SECONDS = 1.0 * (_LOOKS_OF_THE_REPORT * 2 + 2 * 60)
"""Per week: 36 checks of the receipts, each a cold start, and two pages, each after a minute of queries."""
_REPORTS_A_WEEK = 2
_QUERIES_OF_A_REPORT = 6
_LISTINGS_OF_A_LOOK = 32
"""Two weeks of two kinds of list: a listing a day, and one for each day with receipts."""
_UNDATED_SCANS = 4
"""The query of the charts' history names no dates, so Athena lists every day that a table may have."""
_DAYS_OF_A_TABLE = 30 * 12 * 31
"""The days of partition projection: years times months times days."""
_GETS_OF_A_TRANSFORMER = 10
_PUTS_OF_A_TRANSFORMER = 3
_GETS_OF_AN_AUDIT = len(_TABLES)
"""Per snapshot: its receipts; other objects are only listed."""
_AUDITS_OF_A_SNAPSHOT = 8
_LISTINGS_OF_AN_AUDIT = 20
_POLLS_OF_A_QUEUE = 5 * 3 * 60 * 24 * _DAYS
"""Lambda keeps five connections per queue, each of which polls every 20 seconds.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
_KILOBYTES_OF_LOG = 15
"""Per snapshot, over all services."""
_OWN_METRICS = 30
_HOURS_OF_A_METRIC = 2
"""Hours in which a weekly run publishes it; metrics are billed by the hour."""
_QUERIES_A_WEEK = 50
_CRAWLER_DPU_HOURS = 2 / 6
"""Two units for ten minutes, the minimum charge of a crawl."""


def of_a_year(playlists: int) -> dict[str, float]:
    """Returns the US dollars of the first year by item, for weekly playlists of 50 entries."""
    snapshots = playlists * _WEEKS
    transformed = snapshots * len(_TABLES)
    stored = (snapshots * _RAW_MEGABYTES + transformed * _TABLE_MEGABYTES) / _MEGABYTES_IN_GIGABYTE
    audited = snapshots * _AUDITS_OF_A_SNAPSHOT
    lambdas = (
        snapshots * _EXTRACTOR_GIGABYTE_SECONDS
        + transformed * _TRANSFORMER_GIGABYTE_SECONDS
        + (_DAYS + audited / 50) * _AUDIT_GIGABYTE_SECONDS
        + _WEEKS * _REPORT_GIGABYTE_SECONDS
    )
    queries = (_QUERIES_A_WEEK + _REPORTS_A_WEEK * _QUERIES_OF_A_REPORT) * _WEEKS
    # A query reads one table as of the middle of the year.
    read = max(10.0, snapshots / 2 * _TABLE_MEGABYTES) / _MEGABYTES_IN_GIGABYTE
    reports = _LOOKS_OF_THE_REPORT * _LISTINGS_OF_A_LOOK + _REPORTS_A_WEEK * _UNDATED_SCANS * _DAYS_OF_A_TABLE
    listings = _DAYS * _LISTINGS_OF_AN_AUDIT + _WEEKS * reports
    puts = snapshots + transformed * _PUTS_OF_A_TRANSFORMER + listings
    gets = transformed * _GETS_OF_A_TRANSFORMER + audited * _GETS_OF_AN_AUDIT + queries * snapshots / 2 * 3
    return {
        "Lambda": lambdas * 0.0000133334,
        "S3": stored / 2 * _MONTHS * 0.023 + puts * 0.005 / 1000 + gets * 0.0004 / 1000,
        "SQS and SNS": len(TABLES) * _POLLS_OF_A_QUEUE * 0.40e-6 + snapshots * 0.50e-6 + transformed * 3 * 0.40e-6,
        "CloudWatch: alarms and dashboard": alarms() * 0.10 * _MONTHS + 3 * _MONTHS,
        "CloudWatch: metrics and logs": (
            _OWN_METRICS * _HOURS_OF_A_METRIC * _WEEKS / 730 * 0.30
            + snapshots * _KILOBYTES_OF_LOG / _MEGABYTES_IN_GIGABYTE**2 * 0.50
        ),
        "X-Ray": (snapshots + transformed) * 5e-6,
        "Glue crawler": _WEEKS * _CRAWLER_DPU_HOURS * 0.44,
        "Athena": queries * read / _MEGABYTES_IN_GIGABYTE * 5,
        "Secrets Manager": 0.40 * _MONTHS,
    }


def alarms() -> int:
    """Returns how many alarms the templates have, without optional services."""
    components = (PLATFORM, *(service for service in SERVICES if service not in OPTIONAL))
    return sum(template(component).read_text().count("Type: AWS::CloudWatch::Alarm\n") for component in components)


def markdown(columns: Sequence[int] = _PLAYLISTS) -> str:
    """Returns the cost of a year as a table, a column for each number of playlists."""
    years: Sequence[Mapping[str, float]] = [of_a_year(playlists) for playlists in columns]
    head = " | ".join(f"{playlists} playlist{'s' if playlists > 1 else ''}" for playlists in columns)
    rows = [f"| {item} | " + " | ".join(f"{year[item]:.2f}" for year in years) + " |" for item in years[0]]
    total = " | ".join(f"**{sum(year.values()):.0f}**" for year in years)
    return "\n".join(
        [f"| US dollars a year | {head} |", "|---|" + "--:|" * len(years), *rows, f"| **together** | {total} |", ""]
    )


def with_cost(text: str) -> str:
    """Returns a text with the table between its markers."""
    return _MARKED.sub(lambda _: markdown(), text)


def main() -> None:
    """Rewrite the table in the README."""
    _README.write_text(with_cost(_README.read_text()))


if __name__ == "__main__":
    main()
