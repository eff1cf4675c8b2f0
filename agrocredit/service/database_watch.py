"""Notices within a second that the database has fallen silent, so that nobody waits for it, and when it is back.

A database that is down refuses at once. One that is paused, or behind a cut wire, just does not answer: its own
time-outs do not run, and every thread that asks it is gone until the wire says so. So a thread asks it for nothing,
again and again. Where neither that nor anybody's work has come back for a while, connections in use are broken, which
frees their threads, and whoever waits or comes is told. The first quick answer ends it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from sqlalchemy import text

from agrocredit.store.sql.failures import StorageUnavailableError

if TYPE_CHECKING:
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.database import Database

_PAUSE_SECONDS = 0.2
_LOOK_SECONDS = 0.05
_LOOKS_MAX = 14
"""So many looks without a sign of life are silence. Looks are counted, not time: a machine that stood still for a
second has looked once."""


async def watch_database(platform: Platform) -> None:
    """Refuse work while the database is silent; runs until it is cancelled."""
    while True:
        back = Event()
        Thread(target=_ask, args=(platform.database, back), daemon=True).start()  # must not hold up the end
        if await _answers(back, platform):
            platform.workers.welcome()
        await asyncio.sleep(_PAUSE_SECONDS)


async def _answers(back: Event, platform: Platform) -> bool:
    """Wait for an answer and say whether it came in time."""
    workers, looks, ended, in_time = platform.workers, 0, platform.workers.ended, True
    while not back.is_set():
        await asyncio.sleep(_LOOK_SECONDS)
        looks = looks + 1 if workers.ended == ended else 0
        ended = workers.ended
        if in_time and looks >= _LOOKS_MAX and not back.is_set():
            in_time = False
            workers.refuse(StorageUnavailableError)
            platform.database.hang_up()
    return in_time


def _ask(database: Database, back: Event) -> None:
    """Come back with whatever: a refusal is an answer too, and each request hears its own."""
    try:
        with suppress(Exception), database.oversee(read_only=True) as connection:
            connection.execute(text("SELECT 1"))
    finally:
        back.set()
