"""The service on the sample region: the README's lines as they are written, and a plot drawn a moment ago."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import shapely

from agrocredit.cli.serve_estimator import ASKED_MAX, CubeEstimator
from agrocredit.store.bundled import models_path
from agrocredit.store.plot_files import read_plots
from agrocredit.yields import release_in_force
from pipelines.demo import run_demo
from pipelines.estimate_drawn import SeasonSources, estimate_drawn
from pipelines.observe import ObserveRequest, observe
from pipelines.run_folder import RunFolder

ROOT = Path(__file__).parents[2]


def readme_lines():
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    (block,) = [block for block in blocks if block.startswith("agrocredit serve")]
    return block


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder in which the demo was run."""
    folder = tmp_path_factory.mktemp("sample-service")
    run_demo(folder / "build" / "demo")
    return folder


@pytest.fixture(scope="module")
def said(demo):
    """What the lines print, one JSON answer a line, and what the server says."""
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    # As written, but for the port, which may be taken here; monitor mode gives job numbers, as a terminal does.
    script = "set -m\n" + readme_lines().replace("8000", str(free_port()))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AGROCREDIT_")}
    done = subprocess.run(
        ["bash", "-eu", "-c", script + "\nwait || true"],
        cwd=demo,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_lines_register_look_up_apply_draw_and_repay(said):
    answers = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
    ready, plot, limit, explanation, drawn, paid, loan = answers
    assert ready == {"status": "ready"}
    assert plot["farmer_id"] == "F0900"
    assert (limit["farmer_id"], limit["outcome"]) == ("F0001", "approved")
    assert explanation["decision_id"] == limit["decision_id"]
    assert explanation["reasons"][0]["text"]
    assert (drawn["kind"], drawn["loan"]["outstanding_minor"]) == ("draw", 100_000)
    assert (paid["kind"], paid["loan"]["outstanding_minor"]) == ("repayment", 60_000)
    assert loan["limit_minor"] == limit["limit_minor"]
    assert [entry["kind"] for entry in loan["entries"]] == ["draw", "repayment"]


def test_the_server_says_that_the_region_is_simulated_and_logs_no_farmer(said):
    assert "simulated sample region" in said.stderr
    logged = [json.loads(line) for line in said.stderr.splitlines() if line.startswith("{")]
    assert {line["status"] for line in logged if line["event"] == "answered"} <= {200, 201}
    assert "F0001" not in "".join(map(str, logged))


@pytest.fixture(scope="module")
def sources(demo):
    """A season cube of the sample, with what the batch knew besides."""
    sample = demo / "build" / "demo" / "sample"
    request = ObserveRequest(
        scenes=str(sample / "scenes" / "items.json"),
        plots=sample / "plots.geojson",
        start=date(2023, 10, 1),
        end=date(2024, 7, 1),
        out=demo / "observations",
        cube=demo / "cube",
    )
    observe(request)
    return SeasonSources(
        cube=demo / "cube", weather=sample / "weather.csv", history=sample / "history.csv", region="sample-plain"
    )


def batch(demo):
    """Return shape and estimate of some wheat plots as the batch has them."""
    run = RunFolder(demo / "build" / "demo" / "run")
    shapes = read_plots(run.plots).plots.set_index("id").geometry
    wheat = [row for row in run.read_estimates().to_pylist() if row["crop"] == "winter_wheat"]
    return [(shapes[row["plot_id"]], row) for row in wheat[:20]]


def asked(row):
    return {name: row[name] for name in ("plot_id", "crop", "harvest_year", "as_of")}


def test_a_plot_drawn_a_moment_ago_has_the_estimate_of_the_batch(demo, sources):
    statuses = set()
    for shape, row in batch(demo):
        assert estimate_drawn(shapely.to_wkb(shape), sources=sources, **asked(row)) == [row]
        statuses.add(row["status"])
    assert statuses == {"estimated", "abstained"}


def test_a_plot_that_the_cube_does_not_show_has_none(demo, sources):
    _, row = batch(demo)[0]
    far = shapely.to_wkb(shapely.box(10.0, 50.0, 10.001, 50.001))
    assert estimate_drawn(far, sources=sources, **asked(row)) is None


def test_the_estimator_answers_from_a_process_of_its_own_and_survives_its_death(demo, sources):
    shape, row = batch(demo)[0]
    estimator = CubeEstimator(sources)

    async def answer():
        return await estimator(shape, **asked(row))

    async def until_there_is_one():
        """The first plots may come before the process has imported what it needs: no answer in time is none."""
        for _ in range(30):
            found = await answer()
            if found is not None:
                return found
        return None

    try:
        assert asyncio.run(until_there_is_one()).to_pylist() == [row]
        for process in estimator._pool._processes.values():
            os.kill(process.pid, signal.SIGKILL)
        assert asyncio.run(answer()) is None
        assert asyncio.run(until_there_is_one()).to_pylist() == [row]
    finally:
        estimator.close()


def test_of_more_plots_than_may_wait_those_beyond_are_left_to_a_flow_at_once(demo, sources):
    shape, row = batch(demo)[0]
    estimator = CubeEstimator(sources)

    async def answers():
        while await estimator(shape, **asked(row)) is None:  # until the process is ready
            pass
        return await asyncio.gather(*(estimator(shape, **asked(row)) for _ in range(ASKED_MAX + 3)))

    try:
        found = asyncio.run(answers())
    finally:
        estimator.close()
    assert [one is None for one in found[ASKED_MAX:]] == [True] * 3
    assert found[0].to_pylist() == [row]


def test_the_demo_is_answered_by_the_release_in_force_for_its_crop(demo):
    rows = RunFolder(demo / "build" / "demo" / "run").read_estimates().to_pylist()
    answered = [row for row in rows if row["status"] == "estimated"]
    assert len(answered) > 100
    expected = {release_in_force(models_path(), row["crop"], as_of=row["as_of"]) for row in answered}
    assert {row["release"] for row in answered} == expected
