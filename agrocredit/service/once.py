"""One effect a key over HTTP: the answer's bytes are kept with the movement and given again to whoever asks again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fastapi import Response

from agrocredit.service.lending import Stamp
from agrocredit.store.sql.attempts import write_with_retries
from agrocredit.store.sql.idempotency import Answer, RequestKey, once

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from agrocredit.service.exchange import Exchange
    from agrocredit.service.platform import Platform
    from agrocredit.store.sql.session import Session

_CREATED = 201


async def answer_once(
    work: Callable[[Session, Stamp], BaseModel], *, exchange: Exchange, path: tuple[str, ...], platform: Platform
) -> Response:
    """Return the answer of `work`, or the one that its key already has.

    Parameters
    ----------
    work : callable
        Moves money in the given transaction and returns what to answer.
    exchange : Exchange
        The request; its key and body name it.
    path : tuple of str
        Path parameters: the same key on another loan is another request.
    platform : Platform

    Raises
    ------
    RefusedError
        What `work` raises, ``idempotency_key_reused``, ``idempotency_in_progress``.
    """
    key, caller = _key(exchange, path), exchange.caller
    assert caller is not None  # noqa: S101 - the gate lets nobody to a route with money who is nobody

    def write() -> Answer:
        at = platform.now()
        stamp = Stamp(actor=caller.subject, on=platform.business_on(caller.tenant_id), at=at)

        def answer(session: Session) -> Answer:
            return once(session, key, at=at, work=lambda: _created(work(session, stamp)))

        return write_with_retries(platform.database, caller.tenant_id, answer)

    found = await platform.workers.run(write)
    return Response(bytes(found.body), status_code=found.status, media_type="application/json")


def _created(answer: BaseModel) -> Answer:
    return Answer(status=_CREATED, body=answer.model_dump_json().encode())


def _key(exchange: Exchange, path: tuple[str, ...]) -> RequestKey:
    assert exchange.caller is not None  # noqa: S101 - see above
    assert exchange.route is not None  # noqa: S101
    assert exchange.idempotency_key is not None  # noqa: S101 - declared idempotent, checked by the gate
    hashed = hashlib.sha256("\n".join(path).encode() + b"\0" + exchange.body).hexdigest()
    return RequestKey(
        subject=exchange.caller.subject,
        route=f"{exchange.route.method} {exchange.route.path}",
        key=exchange.idempotency_key,
        body_sha256=hashed,
    )
