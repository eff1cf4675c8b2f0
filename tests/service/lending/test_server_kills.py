"""No acknowledged draw or repayment is lost and none doubled, however often the API or its database is killed.

`AGROCREDIT_HTTP_KILL_CYCLES` sets how often, on each database.
"""

import base64
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path

import httpx
import pytest

from agrocredit.service.api_keys import key_hash, new_key
from agrocredit.store.sql import open_database
from agrocredit.store.sql.credentials import add_key

from .conftest import AT, ON
from .kill_cycles import plan
from .test_kills import REFUSED, check_books

CYCLES = int(os.environ.get("AGROCREDIT_HTTP_KILL_CYCLES", "60"))
CLIENTS = 4
ANSWERS_A_LIFE = 6
LIVES_S = 0.3
ANSWER_S = 60
COME_AGAIN = {"storage_unavailable", "idempotency_in_progress", "overloaded", "rate_limited"}
PATHS = {"draw_on_loan": "draws", "repay_loan": "repayments"}
PEPPER = b"p" * 32
SECRETS = {
    "AGROCREDIT_KEY_PEPPER": PEPPER.hex(),
    "AGROCREDIT_TOKEN_KEY": "73" * 32,
    "AGROCREDIT_HEAD_KEY": "68" * 32,
    "AGROCREDIT_DATA_KEYS": f"test:{base64.b64encode(b'd' * 32).decode()}",
}
LOG = logging.getLogger(__name__)
SCRIPT = Path(__file__).with_name("serve_again.py")


class Server:
    """`agrocredit serve`, started again on the same port after each kill."""

    def __init__(self, database_url, folder):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        arguments = ["--port", str(port), "--snapshots", str(folder), "--business-date", ON.isoformat()]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AGROCREDIT_")}
        self.log = (folder / "log").open("wb")
        self.starter = subprocess.Popen(
            [sys.executable, SCRIPT, *arguments],
            env=kept | SECRETS | {"AGROCREDIT_DATABASE": database_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        self.start()

    def start(self):
        self.starter.stdin.write(b"\n")
        self.starter.stdin.flush()
        self.pid = int(self.starter.stdout.readline())

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def close(self):
        self.kill()
        self.starter.stdin.close()
        self.starter.wait()
        self.starter.stdout.close()
        self.log.close()


class Clients:
    """Threads that draw and repay, each under a key of its own that they send until an answer comes."""

    def __init__(self, url, secret, loans):
        self.url, self.headers, self.loans = url, {"Authorization": f"Bearer {secret}"}, loans
        self.numbers, self.done, self.open, self.wrong = count(), {}, set(), []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(CLIENTS)]

    def send(self, client, number):
        step, loan_id, amount_minor = plan(number, self.loans)
        return client.post(
            f"{self.url}/v1/loans/{loan_id}/{PATHS[step.__name__]}",
            json={"amount_minor": amount_minor, "currency": "CNY"},
            headers={**self.headers, "Idempotency-Key": f"k{number}"},
        )

    def attempt(self, client, number):
        """Return the answer to an operation, sent until it has one."""
        until = time.monotonic() + ANSWER_S
        while time.monotonic() < until:
            try:
                answer = self.send(client, number)
            except httpx.TransportError:
                time.sleep(0.02)
                continue  # outcome unknown: the key finds out
            if answer.status_code < 400 or answer.json()["code"] not in COME_AGAIN:
                return answer
            time.sleep(0.02)
        raise TimeoutError(f"operation {number} was not answered within {ANSWER_S} s")

    def work(self):
        with httpx.Client(timeout=ANSWER_S) as client:
            while not self.stop.is_set():
                number = next(self.numbers)
                self.open.add(number)
                answer = self.attempt(client, number)
                self.open.discard(number)
                if answer.status_code != 201 and answer.json()["code"] not in REFUSED:
                    self.wrong.append((number, answer.status_code, answer.text))
                self.done[number] = answer

    def wait(self, answers):
        """Wait until so many more have been answered."""
        until, enough = time.monotonic() + ANSWER_S, len(self.done) + answers
        while len(self.done) < enough:
            assert time.monotonic() < until, f"{enough} answers did not come within {ANSWER_S} s"
            time.sleep(0.002)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, make_lender):
    """A lender, its database's URL and, where that is a server of ours (with fsync, as in production), the server."""
    if request.param == "sqlite":
        cluster, url = None, request.getfixturevalue("sqlite_url")
    else:
        cluster = request.getfixturevalue("start_cluster")(settings=())
        cluster.execute("CREATE DATABASE books")
        url = cluster.url("books")
    lender = make_lender(open_database(url))
    yield lender, url, cluster
    lender.database.close()


def key_of(lender):
    secret = new_key()
    hashed = key_hash(secret, pepper=PEPPER)
    with lender.database.oversee() as connection:
        add_key(connection, lender.tenant_id, role="lender", label="", secret_hash=hashed, now=AT)
    return secret


def kill(victim, server, cluster):
    """Kill the database, the API, or both in the same instant, and start what was killed."""
    if victim != "api":
        cluster.kill()
    if victim != "database":
        server.kill()
    if victim != "api":
        cluster.start()
    if victim != "database":
        server.start()


def outcome(answer):
    return answer.json()["movement_id"] if answer.status_code == 201 else answer.json()["code"]


def kill_under_load(clients, server, cluster):
    """Let the clients work while what they depend on is killed; return how many requests that cut off."""
    victims = ("api",) if cluster is None else ("api", "database", "both")
    chance, cut = random.Random(1), 0  # noqa: S311
    for thread in clients.threads:
        thread.start()
    try:
        for number in range(CYCLES):
            clients.wait(ANSWERS_A_LIFE)
            time.sleep(chance.uniform(0, LIVES_S))
            cut += len(clients.open)
            kill(victims[number % len(victims)], server, cluster)
        clients.wait(ANSWERS_A_LIFE)
    finally:
        clients.stop.set()
        for thread in clients.threads:
            thread.join()
    return cut


def test_an_api_and_a_database_killed_under_load_lose_and_double_nothing(place, tmp_path):
    lender, url, cluster = place
    loans = [lender.loan(f"f{number}", limit_minor=500).id for number in range(3)]
    secret = key_of(lender)
    lender.database.close()
    server = Server(url, tmp_path)
    try:
        clients = Clients(server.url, secret, loans)
        cut = kill_under_load(clients, server, cluster)
        moved = {number: answer for number, answer in clients.done.items() if answer.status_code == 201}
        with httpx.Client(timeout=ANSWER_S) as client:
            again = {number: clients.attempt(client, number) for number in moved}
    finally:
        server.close()
    LOG.info("%d kills, %d requests answered, %d moved money, %d cut", CYCLES, len(clients.done), len(moved), cut)
    assert clients.wrong == []
    assert cut >= CYCLES  # the kills do strike in the middle of requests
    told = {number: (answer.status_code, answer.content) for number, answer in again.items()}
    assert told == {number: (answer.status_code, answer.content) for number, answer in moved.items()}
    check_books(lender, {number: outcome(answer) for number, answer in clients.done.items()}, loans)
