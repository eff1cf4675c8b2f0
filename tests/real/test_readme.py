"""The README's real run works as it is written, gives the tables of the contract, and the same bytes twice."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from agrocredit.domain.tables import DECISIONS, ESTIMATES, observations

ROOT = Path(__file__).parents[2]
INDICES = ("ndvi", "evi", "gndvi", "savi", "ndmi", "ndrei")


def readme_commands():
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    (block,) = [block for block in blocks if block.startswith("FARM=")]
    return block


def run_readme(folder, shared):
    """Run the block in an empty folder that has the shared data beside it."""
    project = folder / "project"
    project.mkdir(parents=True)
    (folder / "shared").mkdir()
    (folder / "shared" / "data").symlink_to(shared)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-eu", "-c", readme_commands()], cwd=project, env={**os.environ, "PATH": path}, check=True)
    return project / "build" / "swiss"


@pytest.fixture(scope="module")
def run(shared, tmp_path_factory):
    return run_readme(tmp_path_factory.mktemp("readme"), shared)


def test_the_tables_have_the_columns_of_the_contract(run):
    (part,) = sorted((run / "observations").glob("*.parquet"))
    assert pq.read_schema(part).names == observations(INDICES).names
    assert pq.read_schema(run / "estimates.parquet").names == ESTIMATES.names
    assert pq.read_schema(run / "decisions.parquet").names == DECISIONS.names


def test_both_parcels_are_estimated_within_what_swiss_wheat_brings(run):
    rows = pq.read_table(run / "estimates.parquet").to_pylist()
    assert [row["plot_id"] for row in rows] == ["Altkloster", "Ruetteli"]
    for row in rows:
        assert row["status"] == "estimated"
        assert 3.0 < row["q05"] < row["q50"] < row["q95"] < 12.0


def test_each_farmer_has_a_limit_under_every_cap_and_a_due_date_after_harvest(run):
    for row in pq.read_table(run / "decisions.parquet").to_pylist():
        caps = json.loads(row["caps"])
        assert row["outcome"] == "approved"
        assert 0 < row["limit_minor"] <= min(caps.values())
        assert row["binding_cap"] == min(caps, key=caps.get)
        assert row["due_on"].isoformat() > "2022-08-01"
        assert 1 <= len(row["reasons"]) <= 4


def test_the_page_is_whole_and_names_both_parcels(run):
    page = (run / "report.html").read_text()
    assert page.rstrip().endswith("</html>")
    assert "Altkloster" in page
    assert "Ruetteli" in page
    assert not re.search(r"(src|href)=\"https?://", page)


def test_a_second_run_gives_the_same_bytes(run, shared, tmp_path):
    again = run_readme(tmp_path, shared)
    names = sorted(path.relative_to(run) for path in run.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    for name in names:
        assert (run / name).read_bytes() == (again / name).read_bytes(), name
