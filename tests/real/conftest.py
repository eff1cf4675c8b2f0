"""Real data lies beside the project, not in it; where it is absent these tests say so and skip."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("AGROCREDIT_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the real data sets."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data at {SHARED}; set AGROCREDIT_SHARED_DATA to its folder")
    return SHARED
