"""The installed command as a process: made ready by commands, asked to stop in the middle of requests."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app

AGROCREDIT = Path(sys.executable).with_name("agrocredit")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Process:
    """A server on a database of its own."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AGROCREDIT_")}
        self.environment |= {"AGROCREDIT_DATABASE": f"sqlite:///{folder}/books.db"}
        self.log = (folder / "log").open("wb")
        command = [AGROCREDIT, "serve", "--port", str(self.port), "--snapshots", str(folder)]
        self.process = subprocess.Popen(command, env=self.environment, cwd=folder, stderr=self.log)

    def command(self, *arguments):
        """Run a command in this process: starting one costs seconds of imports."""
        return CliRunner().invoke(app, list(arguments), env={**self.environment})

    def wait(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError((self.folder / "log").read_text())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Process(tmp_path_factory.mktemp("server"))
    made.wait()
    yield made
    made.process.kill()
    made.process.wait()
    made.log.close()


def test_keys_and_tenants_are_made_by_command_and_work_at_once(server):
    assert server.command("tenants", "add", "green-bank", "--time-zone", "Africa/Nairobi").exit_code == 0
    assert server.command("tenants", "add", "../bank").exit_code == 2
    assert server.command("tenants", "add", "green-bank").exit_code != 0
    assert server.command("tenants", "add", "other", "--time-zone", "Mars/Base").exit_code == 2
    added = server.command("keys", "add", "--tenant", "green-bank", "--role", "lender")
    key = added.stdout.strip()
    assert key.startswith("agc_")
    assert key not in added.stderr
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{server.url}/v1/loans/none", headers=headers).json()["code"] == "not_found"
    listed = server.command("keys", "list", "--tenant", "green-bank", "--json").stdout
    assert key not in listed
    (key_id,) = json.loads(listed)["keys"]
    assert server.command("keys", "revoke", key_id, "--tenant", "green-bank").exit_code == 0
    time.sleep(0.6)
    assert httpx.get(f"{server.url}/v1/loans/none", headers=headers).json()["code"] == "token_invalid"
    assert server.command("keys", "add", "--tenant", "nobody", "--role", "lender").exit_code != 0


def received(connection):
    """Return the first bytes of an answer, nothing where the server hung up."""
    try:
        return connection.recv(65_536)
    except ConnectionError:
        return b""


def test_requests_of_many_lines_and_odd_forms_do_not_bring_it_down(server):
    for data in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"TRACE /v1/plots HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/plots HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"\0\1\2\3\r\n\r\n",
        b"GET /v1/plots/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            with suppress(OSError):  # it may hang up before all of it is sent
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            answer = received(connection)
        assert b" 5" not in answer[:13], (data[:60], answer[:200])
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_asked_to_stop_it_turns_unready_finishes_and_ends_within_ten_seconds(server):
    answers, unready = [], threading.Event()

    def ask():
        with httpx.Client() as client:
            while True:
                try:
                    answer = client.get(f"{server.url}/readyz")
                except httpx.TransportError:
                    return
                answers.append(answer.status_code)
                if answer.status_code == 503:
                    assert answer.json()["code"] == "shutting_down"
                    unready.set()

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    begun_s = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=10) == 0
    assert time.monotonic() - begun_s < 10
    asking.join()
    assert unready.is_set()
    assert set(answers) == {200, 503}
