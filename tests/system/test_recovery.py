"""Much goes wrong at once on the local cloud, and an operator mends it; what `make demo-recovery` shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.tables import TABLES
from tests.system.pipeline import INHERITED

WEEKS = 3
SNAPSHOTS = 2 * WEEKS
UNREADABLE = 1
"""Of the one in five that is damaged; the other one has rows that are rejected."""
REJECTED = 3


@pytest.mark.slow
def test_damaged_documents_and_broken_code_are_seen_and_mended_and_nothing_is_lost(tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}

    told = subprocess.run(
        [sys.executable, "-m", "infra.cli", "demo-recovery", "--weeks", str(WEEKS)],
        env={**environment, "EARWORM_STATE": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )

    # every step did what it should, and each balance added up
    assert told.returncode == 0, told.stderr
    snapshots = [
        (table, *map(int, numbers))
        for table, *numbers in re.findall(r"^ +(\w+) +(\d+) +(\d+) +(\d+) +(\d+) *$", told.stdout, re.MULTILINE)
        if table in TABLES and numbers[0] == str(SNAPSHOTS)
    ]
    # with broken code songs have nothing, and the other tables all that can be read
    readable = SNAPSHOTS - UNREADABLE
    assert snapshots[:5] == [
        (table, SNAPSHOTS, *((0, SNAPSHOTS) if table == "songs" else (readable, UNREADABLE)), 0) for table in TABLES
    ]
    # with mended code all tables have what can be read, of which some rows are rejected
    assert snapshots[5:10] == [(table, SNAPSHOTS, readable, UNREADABLE, 0) for table in TABLES]
    assert re.search(
        rf"songs +popularity: Input should be less than or equal to 100 \(was 999\) +{REJECTED}", told.stdout
    )
    # with mended documents all of them have everything, as if nothing had gone wrong
    assert snapshots[10:15] == [(table, SNAPSHOTS, SNAPSHOTS, 0, 0) for table in TABLES]
    assert f"{SNAPSHOTS} snapshots checked; 0 gaps" in told.stdout
    files = SNAPSHOTS * len(TABLES)
    assert f"equals that of a clean backfill: {files} Parquet files byte for byte, {files} receipts" in told.stdout
