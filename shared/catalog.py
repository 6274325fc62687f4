"""The Glue catalog: which folders of the lake are partitions of which table.

Whoever writes an object registers its day before the receipt, so that queries list only the days that exist. Partitions
are never dropped: one without objects has no rows, and costs a query one listing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shared.batches import batches
from shared.errors import TransientError
from shared.lake import Partition

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef, StorageDescriptorOutputTypeDef

_MOST_AT_ONCE: Final = 100
"""Source: https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html"""
_MOST_MONTHS: Final = 24
"""The most months that are asked for by name, for an expression has 2,048 characters at most."""
_BUSY: Final = frozenset({"ConcurrentModificationException", "InternalServiceException", "OperationTimeoutException"})
"""The errors that pass when others are done: several workers register the same day of `receipts` at once."""


class _BusyError(TransientError):
    """The catalog was busy with another change."""


class Catalog:
    """The lake's tables in the Glue catalog.

    Args:
        glue: The client.
        database: The database of the tables.
        bucket: The lake.
    """

    def __init__(self, glue: "GlueClient", database: str, bucket: str) -> None:
        self._glue = glue
        self._database = database
        self._bucket = bucket
        self._tables: dict[str, StorageDescriptorOutputTypeDef] = {}
        self._registered_here: set[Partition] = set()

    def register(self, partitions: Iterable[Partition]) -> None:
        """Registers partitions, described as their tables are; those that are registered stay as they are.

        What was registered here once is not asked for again: Glue answers an account only so many calls a second. If it
        was dropped since, the audit names it.

        Raises:
            TransientError: A table is missing, or the catalog took no partition for now.
        """
        unknown = {*partitions} - self._registered_here
        for table, inputs in self._inputs(unknown).items():
            for batch in batches(inputs, _MOST_AT_ONCE):
                self._create(table, batch)
        self._registered_here |= unknown

    def faults(self, partitions: Iterable[Partition]) -> Iterator[tuple[Partition, str]]:
        """Yields each partition that is missing or wrong in the catalog, with what is wrong.

        Partitions of a table that is missing are left out.
        """
        for table, expected in _by_table(partitions).items():
            try:
                described, registered = self._table(table), self._registered(table, expected)
            except TransientError:
                continue
            for partition in expected:
                if what := self._fault(partition, described, registered.get(partition.values)):
                    yield partition, what

    def repair(self, partitions: Iterable[Partition]) -> int:
        """Registers the partitions that are missing, describes anew those that are wrong, and returns how many.

        Raises:
            TransientError: As for `register`.
        """
        faulty = [partition for partition, _ in self.faults(partitions)]
        for table, inputs in self._inputs(faulty).items():
            for batch in batches(inputs, _MOST_AT_ONCE):
                there = self._create(table, batch)
                if wrong := [each for each in batch if tuple(each["Values"]) in there]:
                    self._update(table, wrong)
        return len(faulty)

    @retry(
        retry=retry_if_exception_type(_BusyError),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(multiplier=0.1, max=1),
        reraise=True,
    )
    def _create(self, table: str, inputs: "Sequence[PartitionInputTypeDef]") -> set[tuple[str, ...]]:
        """Creates partitions, and returns the values of those that there are already."""
        try:
            answer = self._glue.batch_create_partition(
                DatabaseName=self._database, TableName=table, PartitionInputList=inputs
            )
        except ClientError as fault:
            if (code := fault.response["Error"]["Code"]) in _BUSY:
                raise _BusyError(f"the catalog is busy with {self._database}.{table}: {code}") from fault
            raise
        there = set()
        for error in answer.get("Errors", ()):
            if (code := error["ErrorDetail"]["ErrorCode"]) != "AlreadyExistsException":
                kind = _BusyError if code in _BUSY else TransientError
                raise kind(self._sentence(table, error["PartitionValues"], error["ErrorDetail"]))
            there.add(tuple(error["PartitionValues"]))
        return there

    def _update(self, table: str, inputs: "Sequence[PartitionInputTypeDef]") -> None:
        answer = self._glue.batch_update_partition(
            DatabaseName=self._database,
            TableName=table,
            Entries=[{"PartitionValueList": each["Values"], "PartitionInput": each} for each in inputs],
        )
        for error in answer.get("Errors", ()):
            raise TransientError(self._sentence(table, error["PartitionValueList"], error["ErrorDetail"]))

    def _inputs(self, partitions: Iterable[Partition]) -> "dict[str, list[PartitionInputTypeDef]]":
        return {
            table: [self._input(partition, self._table(table)) for partition in of_table]
            for table, of_table in _by_table(partitions).items()
        }

    def _input(self, partition: Partition, table: "StorageDescriptorOutputTypeDef") -> "PartitionInputTypeDef":
        return {
            "Values": partition.values,
            "StorageDescriptor": {**table, "Location": self._location(partition)},
        }

    def _location(self, partition: Partition) -> str:
        return f"s3://{self._bucket}/{partition.folder}"

    def _table(self, name: str) -> "StorageDescriptorOutputTypeDef":
        if name not in self._tables:
            try:
                found = self._glue.get_table(DatabaseName=self._database, Name=name)["Table"]
            except self._glue.exceptions.EntityNotFoundException:
                raise TransientError(
                    f"there is no table {name} in {self._database}: run `earworm deploy catalog`"
                ) from None
            self._tables[name] = found["StorageDescriptor"]
        return self._tables[name]

    def _registered(
        self, table: str, wanted: Collection[Partition]
    ) -> "Mapping[tuple[str, ...], StorageDescriptorOutputTypeDef]":
        """Returns the table's partitions in the months that are wanted, or in all."""
        months = sorted({partition.month for partition in wanted})
        of_months = " OR ".join(f"(year = '{year}' AND month = '{month}')" for year, month in months)
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=self._database,
            TableName=table,
            Expression=of_months if len(months) <= _MOST_MONTHS else "",
        )
        return {tuple(each["Values"]): each["StorageDescriptor"] for page in pages for each in page["Partitions"]}

    def _fault(
        self,
        partition: Partition,
        table: "StorageDescriptorOutputTypeDef",
        found: "StorageDescriptorOutputTypeDef | None",
    ) -> str | None:
        named = f"partition {'/'.join(partition.values)}"
        if found is None:
            return f"the {named} is missing from the catalog"
        location = found.get("Location", "")
        if location.rstrip("/") != self._location(partition).rstrip("/"):
            return f"the catalog locates the {named} at {location}, not at {self._location(partition)}"
        # Athena refuses a table whose columns are others than a partition's; of JSON it compares them in their order.
        # Source: https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html
        if _columns(found) != _columns(table):
            return f"the {named} has other columns in the catalog than its table"
        return None

    def _sentence(self, table: str, values: Sequence[str], error: Mapping[str, Any]) -> str:
        told = f"{error.get('ErrorCode')}: {error.get('ErrorMessage')}"
        return f"the catalog refuses the partition {'/'.join(values)} of {self._database}.{table}: {told}"


def _by_table(partitions: Iterable[Partition]) -> dict[str, list[Partition]]:
    found: defaultdict[str, list[Partition]] = defaultdict(list)
    for partition in sorted(set(partitions)):
        found[partition.table].append(partition)
    return found


def _columns(described: "StorageDescriptorOutputTypeDef") -> list[tuple[str, str]]:
    return [(column["Name"], column.get("Type", "")) for column in described.get("Columns", ())]
