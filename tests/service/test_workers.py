import asyncio
import threading
import time

from agrocredit.service.workers import Workers


def test_more_work_than_threads_and_queue_is_refused_at_once():
    async def go():
        workers = Workers(threads=1, waiting_max=1)
        begun = [asyncio.create_task(workers.run(lambda: time.sleep(0.2))) for _ in range(3)]
        return await asyncio.gather(*begun, return_exceptions=True)

    outcomes = asyncio.run(go())
    assert [getattr(outcome, "code", None) for outcome in outcomes].count("overloaded") == 1


def test_urgent_work_is_done_while_the_queue_is_full():
    async def go():
        workers, release = Workers(threads=1, waiting_max=1), threading.Event()
        begun = [asyncio.create_task(workers.run(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(10):
                return await workers.run(lambda: "who it is", urgent=True)
        finally:
            release.set()
            await asyncio.gather(*begun)

    assert asyncio.run(go()) == "who it is"
