"""Kills a writer with SIGKILL, again and again, and reports what it had acknowledged: a script for `test_kills`.

Every cycle forks a writer whose threads draw and repay under keys, retry what the last writer left open, and say on a
pipe what they begin and what is answered. It is killed at some moment after its first answer.
"""

import json
import os
import random
import select
import signal
import sys
import threading
from datetime import UTC, date, datetime
from functools import partial

from agrocredit.domain.errors import AgrocreditError
from agrocredit.service.lending import Stamp, draw_on_loan, repay_loan
from agrocredit.store.sql import open_database
from agrocredit.store.sql.attempts import write_with_retries
from agrocredit.store.sql.failures import StorageError
from agrocredit.store.sql.idempotency import Answer, RequestKey, once

STAMP = Stamp(actor="writer", on=date(2026, 5, 1), at=datetime(2026, 5, 1, tzinfo=UTC))
THREADS = 4
LIVES_S = 0.08
FIRST_ANSWER_S = 30


def plan(number, loans):
    """Operation `number`: the same on every attempt."""
    chance = random.Random(number)  # noqa: S311
    return chance.choice((draw_on_loan, repay_loan)), loans[number % len(loans)], chance.randint(1, 200)


def request_key(number):
    return RequestKey(subject="writer", route="money", key=f"k{number}", body_sha256=f"{number:064d}")


def attempt(database, number, loans):
    """Do an operation once under its key; return the movement's id, or the code of its refusal."""
    step, loan_id, amount_minor = plan(number, loans)

    def work(session):
        move = partial(step, session, loan_id, amount_minor=amount_minor, currency="CNY", stamp=STAMP)
        return once(
            session,
            request_key(number),
            at=STAMP.at,
            work=lambda: Answer(status=201, body=move().movement_id.encode()),
        )

    while True:
        try:
            return write_with_retries(database, "lender", work).body.decode()
        except StorageError:
            continue  # outcome unknown: the key finds out
        except AgrocreditError as error:
            return error.code


def write(url, loans, operations, pipe):
    """Work through operations until killed, or until they are done."""
    database = open_database(url)
    lock = threading.Lock()

    def run():
        while True:
            with lock:
                number = next(operations, None)
            if number is None:
                return
            os.write(pipe, f"begin {number}\n".encode())
            os.write(pipe, f"done {number} {attempt(database, number, loans)}\n".encode())

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cycle(url, loans, operations, *, lives_s):
    """Fork a writer, kill it after `lives_s` (None: let it end), and return the lines it got out."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        write(url, loans, iter(operations), theirs)
        os._exit(0)
    os.close(theirs)
    said = b""
    if lives_s is not None:
        while b"done" not in said and select.select([ours], [], [], FIRST_ANSWER_S)[0]:
            said += os.read(ours, 65_536)
        select.select([], [], [], lives_s)
        os.kill(child, signal.SIGKILL)
    while part := os.read(ours, 65_536):
        said += part
    os.close(ours)
    os.waitpid(child, 0)
    return [line.split() for line in said.decode().splitlines() if line]


def main(url, loans, cycles, seed):
    """Return what was acknowledged, by operation, after so many kills and one writer that ended by itself."""
    chance = random.Random(seed)  # noqa: S311
    fresh, begun, pending, done, killed_open = 0, set(), [], {}, 0
    for number in range(cycles + 1):
        last = number == cycles
        operations = list(pending) if last else [*pending, *range(fresh, fresh + 10_000)]
        for word, which, *outcome in cycle(
            url, loans, operations, lives_s=None if last else chance.uniform(0, LIVES_S)
        ):
            fresh = max(fresh, int(which) + 1)  # a number taken and never begun is passed over
            begun.add(int(which))
            if word == "begin" and int(which) not in pending:
                pending.append(int(which))
            elif word == "done" and outcome:
                pending.remove(int(which))
                done[int(which)] = outcome[0]
        killed_open += len(pending)
    return {"done": done, "begun": len(begun), "killed_open": killed_open}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    sys.stdout.write(json.dumps(main(**given)))
