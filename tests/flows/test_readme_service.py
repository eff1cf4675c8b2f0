"""The README's lending lines work as they are written: the demo, the server, and curl."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.demo import run_demo

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
def said(tmp_path_factory):
    """What the lines print, one JSON answer a line, and what the server says."""
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    folder = tmp_path_factory.mktemp("readme-service")
    run_demo(folder / "build" / "demo")
    # As written, but for the port, which may be taken here; monitor mode gives job numbers, as a terminal does.
    script = "set -m\n" + readme_lines().replace("8000", str(free_port()))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AGROCREDIT_")}
    done = subprocess.run(
        ["bash", "-eu", "-c", script + "\nwait || true"],
        cwd=folder,
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
