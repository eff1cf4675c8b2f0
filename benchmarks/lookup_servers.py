"""What `benchmarks.lookup` compares: a bare ASGI callable, the service, and the database asked each time."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

FARMERS = 100_000
POLICY = "smallholder-grain-cn"


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Return made-up published limits."""
    for at in range(count):
        shown = {
            "farmer_id": f"F{at:07}",
            "season": "2024",
            "as_of": "2024-06-05",
            "outcome": "approved",
            "limit_minor": 100_000 + at,
            "currency": "CNY",
            "binding_cap": "repayment_capacity",
            "reasons": ["limited_by_repayment_capacity"],
            "due_on": "2024-08-23",
            "policy": POLICY,
            "policy_version": "2024.1",
            "decision_id": f"decision_{at:032x}",
        }
        yield {**shown, "answer": json.dumps(shown, separators=(",", ":")).encode()}


def set_up(folder: Path, url: str) -> str:
    """Write a snapshot, a database with a key, and a decision to look up."""
    from datetime import UTC, date, datetime

    from agrocredit.service.api_keys import key_hash, new_key
    from agrocredit.service.secrets_file import secrets_of
    from agrocredit.store.limit_snapshot import write_snapshot
    from agrocredit.store.sql import open_database, upgrade
    from agrocredit.store.sql.credentials import add_key, add_tenant
    from agrocredit.store.sql.tables import decisions, farmers

    made = list(rows(FARMERS))
    write_snapshot(made, folder / "bank.limits")
    (folder / "url").write_text(url)
    now, key = datetime.now(tz=UTC), new_key()
    for each in dict.fromkeys((url, f"sqlite:///{folder / 'agrocredit.db'}")):
        database = open_database(each)
        upgrade(database)
        with database.oversee() as connection:
            add_tenant(connection, "bank", name="bank", time_zone="UTC", now=now)
            hashed = key_hash(key, pepper=secrets_of({}, file=folder / "secrets").pepper)
            add_key(connection, "bank", role="lender", label="", secret_hash=hashed, now=now)
        with database.write("bank") as session:
            session.add(farmers, id="F0000001", created_at=now)
            session.add(
                decisions,
                id="d",
                farmer_id="F0000001",
                season="2024",
                as_of=date(2024, 6, 5),
                outcome="approved",
                limit_minor=1,
                currency="CNY",
                policy=POLICY,
                policy_version="1",
                answer="{}",
                record=made[1]["answer"],
                decision_sha256="0",
                decided_at=now,
            )
        database.close()
    return key


def bare(folder: Path) -> ASGIApp:
    """Return the least that can answer: a path cut up, a mapped file, two messages."""
    from agrocredit.store.limit_snapshot import open_snapshot

    snapshot = open_snapshot(folder / "bank.limits")

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = snapshot.answer(scope["path"].split("/")[3]) or b""
        length = str(len(body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def service(folder: Path) -> ASGIApp:
    """Return the service as it is served, its log going to a file."""
    from datetime import UTC, date, datetime

    from agrocredit.credit import load_policy
    from agrocredit.service.access_log import AccessLog
    from agrocredit.service.app import create_app
    from agrocredit.service.platform import Platform
    from agrocredit.service.published import PublishedLimits
    from agrocredit.service.secrets_file import secrets_of
    from agrocredit.service.settings import Settings
    from agrocredit.service.workers import Workers
    from agrocredit.store.sql import open_database
    from pipelines.known_crops import known_crops

    pack = load_policy(POLICY)
    platform = Platform(
        database=open_database((folder / "url").read_text()),
        settings=Settings(key_requests_per_s=10**6, key_requests_burst=10**9, tenant_requests_burst=10**9),
        secrets=secrets_of({}, file=folder / "secrets"),
        workers=Workers(threads=8, waiting_max=256),
        published=PublishedLimits(folder, clock=time.monotonic),
        policies={pack.name: pack},
        crops=known_crops(),
        now=lambda: datetime.now(tz=UTC),
        business_date=date(2024, 6, 5),
    )
    return create_app(platform, log=AccessLog((folder / "log").open("ab")))


def from_database(folder: Path) -> ASGIApp:
    """Return a callable that asks the database each time, as a look-up without a snapshot would."""
    from agrocredit.service.workers import Workers
    from agrocredit.store.sql import open_database
    from agrocredit.store.sql.tables import decisions

    database = open_database((folder / "url").read_text())
    workers = Workers(threads=4, waiting_max=100)

    def look_up(farmer_id: str) -> bytes:
        with database.read("bank") as session:
            row = session.row(session.select(decisions).where(decisions.c.farmer_id == farmer_id))
            assert row is not None
            return bytes(row["record"])

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await workers.run(lambda: look_up("F0000001"))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def serve(kind: str, folder: Path, port: int) -> None:
    """Run one of the servers; the same uvicorn for all."""
    import uvicorn

    app = {"bare": bare, "service": service, "database": from_database}[kind](folder)
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off")
