"""Where documents captured from the live Web API are: they stay outside of the repository, for they are Spotify's."""

import os
from pathlib import Path

REAL_DOCUMENTS = Path(os.environ.get("EARWORM_REAL_DOCUMENTS") or Path(__file__).parents[2] / "shared/data")
"""A folder laid out as CONTRIBUTING.md says; tests that need it are skipped where there is none."""
