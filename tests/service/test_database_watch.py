"""A database that does not answer at all: paused, as a machine that hangs or a wire that is cut."""

import asyncio
import os
import signal
import threading

import pytest
from sqlalchemy import text

from agrocredit.service.database_watch import watch_database
from agrocredit.service.workers import Workers
from agrocredit.store.sql import open_database, upgrade
from agrocredit.store.sql.failures import StorageUnavailableError


@pytest.fixture
def paused(start_cluster):
    """A database of its own and functions that pause all its processes and let them go on."""
    cluster = start_cluster()
    database = open_database(cluster.url("postgres"))
    upgrade(database)

    def tell(number):
        pid = cluster.process.pid
        children = f"/proc/{pid}/task/{pid}/children"
        with open(children, encoding="ascii") as listed:  # noqa: PTH123
            for each in (pid, *map(int, listed.read().split())):
                os.kill(each, number)

    yield database, lambda: tell(signal.SIGSTOP), lambda: tell(signal.SIGCONT)
    tell(signal.SIGCONT)
    database.close()


class _Platform:
    def __init__(self, database):
        self.database, self.workers = database, Workers(threads=2, waiting_max=10)


def ask(database, seconds=0):
    with database.read("bank") as session:
        return session.connection.execute(text("SELECT 7, pg_sleep(:s)"), {"s": seconds}).first()[0]


def test_a_paused_database_is_unavailable_and_found_again(paused):
    database, pause, go_on = paused
    platform = _Platform(database)

    async def outcome():
        try:
            return await platform.workers.run(lambda: ask(database))
        except StorageUnavailableError as error:
            return error.code

    async def live():
        watching = asyncio.create_task(watch_database(platform))
        found = [await outcome()]
        pause()
        found += await asyncio.gather(*(outcome() for _ in range(6)))
        found.append(await outcome())
        go_on()
        for _ in range(400):
            await asyncio.sleep(0.05)
            if await outcome() == 7:
                break
        found.append(await outcome())
        watching.cancel()
        return found

    found = asyncio.run(live())  # without the watch this would never end
    assert found == [7, *["storage_unavailable"] * 7, 7]
    platform.workers.close()  # would wait for ever for threads that wait for ever


def test_slow_work_is_not_silence(postgresql):
    platform = _Platform(postgresql)

    async def live():
        watching = asyncio.create_task(watch_database(platform))
        found = await platform.workers.run(lambda: ask(postgresql, seconds=1.5))
        watching.cancel()
        return found

    assert asyncio.run(live()) == 7


def test_who_waits_and_who_comes_is_told_and_later_welcome():
    workers, release = Workers(threads=1, waiting_max=5), threading.Event()

    async def live():
        waiting = [asyncio.create_task(workers.run(release.wait)) for _ in range(3)]
        await asyncio.sleep(0.05)
        workers.refuse(StorageUnavailableError)
        told = await asyncio.gather(*waiting, workers.run(release.wait), return_exceptions=True)
        workers.welcome()
        release.set()
        return told, await workers.run(lambda: 7)

    told, after = asyncio.run(live())
    assert [error.code for error in told] == ["storage_unavailable"] * 4
    assert len(set(map(id, told))) == 4  # an error that is raised again and again keeps every trace it had
    assert after == 7
