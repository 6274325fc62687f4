"""Computes the cost of a year on AWS from stated assumptions, for the tables in `infra/README.md`.

`python -m infra.tools.cost` rewrites the text between the markers there. Prices are those of us-east-1 in US
dollars, as the price pages of the services had them in 2025: https://aws.amazon.com/lambda/pricing/, /s3/pricing/,
/sqs/pricing/, /sns/pricing/, /cloudwatch/pricing/, /athena/pricing/, /glue/pricing/, /xray/pricing/,
/secrets-manager/pricing/. What is always free, of an account and month, is from the same pages; what is free for a
new account's first months alone is left out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contracts.tables import TABLES, of_kind
from infra.deploying.stacks import OPTIONAL, PLATFORM, ROOT, SERVICES, template

_README = ROOT / "infra/README.md"
_MARKED = re.compile(r"(?<=<!-- cost of a year -->\n).*?(?=<!-- end of the cost -->)", re.DOTALL)
_LISTINGS = re.compile(r"(?<=<!-- listings of a year -->\n).*?(?=<!-- end of the listings -->)", re.DOTALL)
_PLAYLISTS = (1, 20, 500)
_BESIDE = 20
"""Playlists of each of two environments in one account."""

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
_QUERIES_OF_A_REPORT = 8
"""With a watch list; without one, one fewer."""
_LISTINGS_OF_A_LOOK = 32
"""Two weeks of two kinds of list: a listing a day, and one for each day with receipts."""
UNDATED_SCANS_OF_A_REPORT = 33
DATED_SCANS_OF_A_REPORT = 35
"""The tables that its queries read, each as often as they do: of all days, and of the year before the week."""
_GETS_OF_A_TRANSFORMER = 6
"""The raw object, a look at two quarantines to be absent, and one at each output but the receipt in the end."""
_PUTS_OF_A_TRANSFORMER = 3
_GETS_OF_AN_AUDIT = len(_TABLES)
"""Per snapshot: its receipts; other objects are only listed."""
_AUDITS_OF_A_SNAPSHOT = 8
_LISTINGS_OF_AN_AUDIT = 20
_POLLS_OF_A_QUEUE = 2 * 3 * 60 * 24 * _DAYS
"""Lambda keeps two connections to a quiet queue, each of which polls every 20 seconds; five, where the mapping has a
maximum concurrency.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
_KILOBYTES_OF_LOG = 15
"""Per snapshot, over all services."""
_OWN_METRICS = 50
_HOURS_OF_A_METRIC = 2
"""Hours in which a weekly run publishes it; metrics are billed by the hour."""
_NUMBERS_OF_AN_AUDIT = 20
"""Statistics that the daily audit asks of CloudWatch."""
_QUERIES_A_WEEK = 50
_PROJECTED_DAYS = 30 * 12 * 31
"""Those of a table whose partitions were projected over 2006 to 2035: years times months times days."""


@dataclass(frozen=True, slots=True)
class AssumedQuery:
    """A query of the assumed year. Athena lists each day that it asks for, at most as often as it reads the table.

    Attributes:
        what: It, for people.
        a_week: How often it is asked.
        scans: How many tables it reads, each as often as it does.
        weeks: How many weeks it asks for; None asks for all there are.
    """

    what: str
    a_week: int
    scans: int
    weeks: int | None = None

    def listings(self) -> int:
        """Returns the LIST calls of the first year, in which each week brings a day."""
        days = sum(min(week, self.weeks or week) for week in range(1, _WEEKS + 1))
        return self.a_week * self.scans * days

    def projected_listings(self) -> int:
        """Returns what they would be if partitions were projected: each day of the calendar is listed."""
        return self.a_week * self.scans * _WEEKS * (_PROJECTED_DAYS if self.weeks is None else 7 * self.weeks)


QUERIES = (
    AssumedQuery("a question over one table, without dates", _QUERIES_A_WEEK, 1),
    AssumedQuery("the page of a week, where it takes all days", _REPORTS_A_WEEK, UNDATED_SCANS_OF_A_REPORT),
    AssumedQuery("the page of a week, of the year before", _REPORTS_A_WEEK, DATED_SCANS_OF_A_REPORT, weeks=52),
)


@dataclass(frozen=True, slots=True)
class Charge:
    """What is charged for one kind of use.

    Attributes:
        item: The line of the table that it belongs to.
        units: The use of a year.
        price: US dollars for a unit.
        free: The units of a month that are always free in an account, whatever uses them.
    """

    item: str
    units: float
    price: float
    free: float = 0.0

    @property
    def listed(self) -> float:
        """The price of a year."""
        return self.units * self.price

    def beyond_free(self, environments: int) -> float:
        """Returns what so many environments beside each other pay together, if nothing else is in their account."""
        return max(0.0, self.units * environments - self.free * _MONTHS) * self.price


def charges(playlists: int) -> Iterator[Charge]:
    """Yields what the first year is charged for, with weekly playlists of 50 entries."""
    snapshots = playlists * _WEEKS
    transformed = snapshots * len(_TABLES)
    stored = (snapshots * _RAW_MEGABYTES + transformed * _TABLE_MEGABYTES) / _MEGABYTES_IN_GIGABYTE
    audited = snapshots * _AUDITS_OF_A_SNAPSHOT
    invocations = snapshots + transformed + _DAYS + _WEEKS * _LOOKS_OF_THE_REPORT
    gigabyte_seconds = (
        snapshots * _EXTRACTOR_GIGABYTE_SECONDS
        + transformed * _TRANSFORMER_GIGABYTE_SECONDS
        + (_DAYS + audited / 50) * _AUDIT_GIGABYTE_SECONDS
        + _WEEKS * _REPORT_GIGABYTE_SECONDS
    )
    queries = (_QUERIES_A_WEEK + _REPORTS_A_WEEK * _QUERIES_OF_A_REPORT) * _WEEKS
    # As of the middle of the year; Athena counts 10 MB at least for a query.
    scans_of_a_query = (UNDATED_SCANS_OF_A_REPORT + DATED_SCANS_OF_A_REPORT) / _QUERIES_OF_A_REPORT
    gigabytes_read = (
        _WEEKS
        / _MEGABYTES_IN_GIGABYTE
        * sum(
            asked * max(10.0, tables * snapshots / 2 * _TABLE_MEGABYTES)
            for asked, tables in ((_QUERIES_A_WEEK, 1), (_REPORTS_A_WEEK * _QUERIES_OF_A_REPORT, scans_of_a_query))
        )
    )
    reports = _LOOKS_OF_THE_REPORT * _LISTINGS_OF_A_LOOK
    listings = _DAYS * _LISTINGS_OF_AN_AUDIT + _WEEKS * reports + sum(query.listings() for query in QUERIES)
    puts = snapshots + transformed * _PUTS_OF_A_TRANSFORMER + listings
    gets = transformed * _GETS_OF_A_TRANSFORMER + audited * _GETS_OF_AN_AUDIT + queries * snapshots / 2 * 3
    polls = len(TABLES) * _POLLS_OF_A_QUEUE
    yield Charge("Lambda", gigabyte_seconds, 0.0000133334, free=400_000)
    yield Charge("Lambda", invocations, 0.20e-6, free=1e6)
    yield Charge("S3: storage", stored / 2 * _MONTHS, 0.023)
    yield Charge("S3: writes and listings", puts, 0.005 / 1000)
    yield Charge("S3: reads", gets, 0.0004 / 1000)
    yield Charge("SQS: Lambda asks the queues", polls + transformed * 3, 0.40e-6, free=1e6)
    yield Charge("SNS", snapshots, 0.50e-6, free=1e6)
    yield Charge("CloudWatch: alarms", alarms() * _MONTHS, 0.10, free=10)
    yield Charge("CloudWatch: dashboard", _MONTHS, 3.00, free=3)
    yield Charge("CloudWatch: metrics", _OWN_METRICS * _HOURS_OF_A_METRIC * _WEEKS / 730, 0.30, free=10)
    yield Charge("CloudWatch: metrics", _DAYS * _NUMBERS_OF_AN_AUDIT, 0.01 / 1000, free=1e6)
    yield Charge("CloudWatch: logs", snapshots * _KILOBYTES_OF_LOG / _MEGABYTES_IN_GIGABYTE**2, 0.50, free=5)
    yield Charge("X-Ray", snapshots + transformed, 5e-6, free=100_000)
    yield Charge("Athena", gigabytes_read / _MEGABYTES_IN_GIGABYTE, 5.00)
    yield Charge("Secrets Manager", _MONTHS, 0.40)


def listed(playlists: int) -> dict[str, float]:
    """Returns the US dollars of the first year by item at list price."""
    return _by_item((charge.item, charge.listed) for charge in charges(playlists))


def beyond_free(playlists: int, environments: int = 1) -> dict[str, float]:
    """Returns the US dollars of the first year by item after what is always free, of environments alike together."""
    return _by_item((charge.item, charge.beyond_free(environments)) for charge in charges(playlists))


def _by_item(amounts: Iterable[tuple[str, float]]) -> dict[str, float]:
    by_item: dict[str, float] = {}
    for item, amount in amounts:
        by_item[item] = by_item.get(item, 0.0) + amount
    return by_item


def alarms() -> int:
    """Returns how many metrics the templates alarm on, without optional services: one an alarm."""
    components = (PLATFORM, *(service for service in SERVICES if service not in OPTIONAL))
    return sum(template(component).read_text().count("Type: AWS::CloudWatch::Alarm\n") for component in components)


def markdown(columns: Sequence[int] = _PLAYLISTS) -> str:
    """Returns the cost of a year as a table: for each number of playlists the list price, and what is then paid."""
    years = [year for playlists in columns for year in (listed(playlists), beyond_free(playlists))]
    years += [beyond_free(_BESIDE, environments=2)]
    head = [head for playlists in columns for head in (f"{playlists:,}: list", "beyond free")]
    rows = [["US dollars a year", *head, f"two of {_BESIDE}: beyond free"], ["---", *["--:"] * len(years)]]
    rows += [[item, *(f"{year[item]:.2f}" for year in years)] for item in years[0]]
    rows += [["**together**", *(f"**{sum(year.values()):.0f}**" for year in years)]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def markdown_of_listings() -> str:
    """Returns the LIST calls of the assumed queries as a table."""
    rows = [
        ["asked of Athena", "a week", "tables read", "LIST calls a year", "if days were projected"],
        ["---", *["--:"] * 4],
    ]
    rows += [
        [query.what, f"{query.a_week}", f"{query.scans}", f"{query.listings():,}", f"{query.projected_listings():,}"]
        for query in QUERIES
    ]
    now, projected = (
        sum(listings) for listings in zip(*((q.listings(), q.projected_listings()) for q in QUERIES), strict=True)
    )
    rows += [["**together**", "", "", f"**{now:,}**", f"**{projected:,}**"]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_cost(text: str) -> str:
    """Returns a text with the tables between their markers."""
    return _LISTINGS.sub(lambda _: markdown_of_listings(), _MARKED.sub(lambda _: markdown(), text))


def main() -> None:
    """Rewrite the tables in the README."""
    _README.write_text(with_cost(_README.read_text()))


if __name__ == "__main__":
    main()
