"""No acknowledged entry is lost and none doubled, however often the writer or the database is killed.

`AGROCREDIT_KILL_CYCLES` sets how often the writer is killed on each database (10,000 for a release), and
`AGROCREDIT_SERVER_KILLS` how often PostgreSQL itself is.
"""

import importlib.util
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import count
from pathlib import Path

from agrocredit.service.lending.verify import verify
from agrocredit.store.sql import open_database, tables
from agrocredit.store.sql.loans import read_loan

CYCLES = int(os.environ.get("AGROCREDIT_KILL_CYCLES", "60"))
SERVER_KILLS = int(os.environ.get("AGROCREDIT_SERVER_KILLS", "3"))
LOG = logging.getLogger(__name__)
SCRIPT = Path(__file__).with_name("kill_cycles.py")
REFUSED = {"limit_exceeded", "overpayment"}


def script():
    spec = importlib.util.spec_from_file_location("kill_cycles", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_books(lender, done, loans):
    """Every acknowledged movement stands once, no other does, and the balances are their sum."""
    moved = {int(number): outcome for number, outcome in done.items() if outcome not in REFUSED}
    with lender.read() as session:
        movements = [row["id"] for row in session.rows(session.select(tables.movements))]
        keys = [row["key"] for row in session.rows(session.select(tables.idempotency))]
        owed = {loan_id: read_loan(session, loan_id)[0].principal_minor for loan_id in loans}
    assert Counter(movements) == Counter(moved.values())
    assert sorted(keys) == sorted(f"k{number}" for number in moved)
    expected = Counter(dict.fromkeys(loans, 0))
    plan = script().plan
    for number in moved:
        step, loan_id, amount_minor = plan(number, loans)
        expected[loan_id] += amount_minor if step.__name__ == "draw_on_loan" else -amount_minor
    assert owed == dict(expected)
    assert verify(lender.database, at=lender.stamp().at).failed_checks == ()


def test_a_writer_killed_again_and_again_loses_and_doubles_nothing(lender, database_url):
    loans = [lender.loan(f"f{number}", limit_minor=500).id for number in range(3)]
    lender.database.close()
    given = json.dumps({"url": database_url, "loans": loans, "cycles": CYCLES, "seed": 1})
    ran = subprocess.run([sys.executable, SCRIPT, given], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    LOG.info("%d kills, %d operations, %d open when killed", CYCLES, report["begun"], report["killed_open"])
    assert report["killed_open"] >= CYCLES / 4  # the kills do strike in the middle of work
    assert len(report["done"]) == report["begun"]
    check_books(lender, report["done"], loans)


def test_a_postgresql_killed_under_load_loses_and_doubles_nothing(start_cluster, make_lender):
    cluster = start_cluster(settings=())  # with fsync, as in production
    cluster.execute("CREATE DATABASE books")
    database = open_database(cluster.url("books"))
    lender = make_lender(database)
    loans = [lender.loan(f"f{number}", limit_minor=500).id for number in range(3)]
    attempt, numbers, done, stop = script().attempt, count(), {}, threading.Event()

    def client():
        while not stop.is_set():
            number = next(numbers)
            done[number] = attempt(database, number, loans)

    clients = [threading.Thread(target=client) for _ in range(4)]
    for thread in clients:
        thread.start()
    try:
        for _ in range(SERVER_KILLS):
            before = len(done)
            while len(done) < before + 20:
                time.sleep(0.01)
            cluster.kill()
            cluster.start()
    finally:
        stop.set()
        for thread in clients:
            thread.join()
    LOG.info("%d kills of PostgreSQL, %d operations", SERVER_KILLS, len(done))
    check_books(lender, done, loans)
    database.close()
