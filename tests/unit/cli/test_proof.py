"""A file is read by a process that it may take with it, and what it holds is held against its receipt."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.rows import Rows
from contracts.tables.rejected_rows import REJECTED_ROWS
from contracts.tables.rejected_values import REJECTED_VALUES
from contracts.tables.songs import SONGS
from infra.cli import contents
from infra.cli.claim import Claim, Holding
from infra.cli.contents import read
from infra.cli.proof import fault_of
from shared.parquet import encode
from tests.rows import row_of

ROW: dict[str, Any] = row_of(SONGS)
REJECTED: dict[str, Any] = {**row_of(REJECTED_ROWS), "table_name": "songs", "row_json": "{}"}
REFUSED: dict[str, Any] = {**row_of(REJECTED_VALUES), "table_name": "songs", "value_json": "101"}
ROWS = 100
SHARED = ("playlist_id", "snapshot_date", "run_id")


def parquet(*rows: dict[str, Any]) -> bytes:
    return encode(SONGS, Rows.of(SONGS, rows))


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row, default=str).encode() + b"\n" for row in rows)


def claim(path: Path, body: bytes, rows: int, of: dict[str, Any] = ROW, holding: Holding = "Parquet file") -> Claim:
    path.write_bytes(body)
    shared = {name: of[name] for name in SHARED}
    return Claim(path=str(path), holding=holding, table="songs", rows=rows, shared=shared)


def table_with(tmp_path: Path, change: Callable[[pa.Table], pa.Table]) -> bytes:
    path = tmp_path / "changed.parquet"
    path.write_bytes(parquet(ROW, ROW))
    pq.write_table(change(pq.ParquetFile(path).read()), path)
    return path.read_bytes()


def test_a_file_that_holds_what_its_receipt_says_is_without_fault(tmp_path: Path) -> None:
    rows = claim(tmp_path / "a.parquet", parquet(ROW, ROW), 2)
    nothing = claim(tmp_path / "b.parquet", parquet(), 0)
    rejected = claim(tmp_path / "c.json", lines(REJECTED, REJECTED), 2, REJECTED, "quarantine")
    refused = claim(tmp_path / "d.json", lines(REFUSED), 1, REFUSED, "quarantine of values")

    claims = [rows, nothing, rejected, refused]
    assert [*map(fault_of, claims)] == [None, None, None, None]
    assert list(read(claims)) == [None, None, None, None]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (parquet(ROW), "holds 1 rows, the receipt says 2"),
        (parquet(ROW, {**ROW, "playlist_id": "another"}), "holds rows of playlist_id 'another', not "),
        (parquet(ROW, {**ROW, "snapshot_date": "2026-01-05"}), "holds rows of snapshot_date '2026-01-05', not "),
        (parquet(ROW, {**ROW, "run_id": None}), "holds rows of run_id None, not "),
        (b"PAR1", "cannot be read: "),
    ],
)
def test_what_a_parquet_file_holds_otherwise_is_named(tmp_path: Path, body: bytes, what: str) -> None:
    fault = fault_of(claim(tmp_path / "a.parquet", body, 2))

    assert fault is not None
    assert fault.startswith(f"Parquet file {what}")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t.drop_columns(["position"]), "Parquet file lacks the column position"),
        (lambda t: t.append_column("mood", pa.array(["a", "b"])), "Parquet file holds a column 'mood' of string"),
        (
            lambda t: t.set_column(t.column_names.index("position"), "position", pa.array([1.0, 2.0])),
            "Parquet file holds a column 'position' of double",
        ),
        (lambda t: t.drop_columns(["added_by"]), None),
    ],
    ids=["a column less", "a column more", "another type", "a column less that may be null"],
)
def test_its_columns_are_the_contracts(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], what: str | None
) -> None:
    fault = fault_of(claim(tmp_path / "a.parquet", table_with(tmp_path, change), 2))

    assert fault is None if what is None else str(fault).startswith(what)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (lines(REJECTED), "quarantine holds 1 lines, the receipt says 2"),
        (lines(REJECTED) + b"{\n", "quarantine cannot be read: line 2: Invalid JSON"),
        (lines(REJECTED, {**REJECTED, "table_name": "albums"}), "quarantine holds a line of table_name 'albums'"),
        (lines(REJECTED, {**REJECTED, "playlist_id": "another"}), "quarantine holds a line of playlist_id 'another'"),
    ],
)
def test_what_a_quarantine_holds_otherwise_is_named(tmp_path: Path, body: bytes, what: str) -> None:
    assert str(fault_of(claim(tmp_path / "a.json", body, 2, REJECTED, "quarantine"))).startswith(what)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (lines(REFUSED), "quarantine of values holds 1 lines, the receipt says 2"),
        (lines(REFUSED, REJECTED), "quarantine of values cannot be read: line 2: Field required"),
        (lines(REFUSED, {**REFUSED, "run_id": "a"}), "quarantine of values holds a line of run_id 'a'"),
    ],
)
def test_so_is_what_a_quarantine_of_values_does(tmp_path: Path, body: bytes, what: str) -> None:
    assert str(fault_of(claim(tmp_path / "a.json", body, 2, REFUSED, "quarantine of values"))).startswith(what)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["os.abort()", "os._exit(0)", "sys.stdout.write('nul')", "time.sleep(99)"])
def test_a_file_that_ends_the_reader_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    # given a reader that one of the files ends
    claims = [claim(tmp_path / f"{name}.parquet", parquet(ROW), 1) for name in "abc"]
    deadly = tmp_path / "deadly.py"
    deadly.write_text(
        "import os, sys, time\nfrom infra.cli import proof\nsound = proof.fault_of\n"
        f"def fault_of(claim):\n    if 'b.parquet' in claim['path']:\n        {how}; os._exit(1)\n"
        "    return sound(claim)\nproof.fault_of = fault_of\nproof.main()\n"
    )
    began = time.monotonic()
    assert [*read(claims[:1])] == [None]
    ample = 5 * (time.monotonic() - began)
    monkeypatch.setattr(contents, "_READER", [sys.executable, str(deadly)])
    monkeypatch.setenv("PYTHONPATH", str(Path(contents.__file__).parents[2]))

    first, second, third = read(claims, patience=ample)

    assert (first, third) == (None, None)
    assert str(second).startswith("Parquet file cannot be read: it")


@pytest.mark.slow
@pytest.mark.parametrize("aim", ["anywhere", "the footer", "the length of the footer", "page headers"])
def test_a_hundred_damages_of_each_kind_do_not_end_the_reader(tmp_path: Path, aim: str) -> None:
    chance = Random(aim)
    sound = parquet(*({**ROW, "position": place} for place in range(1, ROWS + 1)))
    footer = int.from_bytes(sound[-8:-4], "little") + 8
    claims = []
    for number in range(100):
        body = bytearray(sound)
        match aim:
            case "anywhere":
                body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
            case "the footer":
                start = len(body) - footer
                body[start:-8] = chance.randbytes(footer - 8) if number % 2 else _mutated(chance, body[start:-8])
            case "the length of the footer":
                body[-8:-4] = chance.randbytes(4)
            case _:
                body[4 : len(body) - footer] = _mutated(chance, body[4 : len(body) - footer])
        claims.append(claim(tmp_path / f"{number}.parquet", bytes(body), ROWS))

    faults = list(read(claims))

    told = Counter("sound to a reader" if fault is None else fault[:40] for fault in faults)
    sys.stdout.write(f"{aim}: {dict(told)}\n")
    assert len(faults) == len(claims)
    assert not any("ends the process" in str(fault) for fault in faults)


def _mutated(chance: Random, part: bytearray) -> bytes:
    changed = bytearray(part)
    for _ in range(chance.randrange(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
