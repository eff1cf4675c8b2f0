"""What a look-up costs the server: CPU a request against a bare ASGI callable over the same file, in the same run.

``python -m benchmarks.lookup`` starts three servers, each in a process of its own, asks each in turn over kept-alive
connections, and reads the CPU time of the server's process: a bare callable that reads the mapped snapshot and nothing
else, the service, and the service's answer from the database each time. Then a batch of 1,000 against as many pydantic
models. The client's CPU does not count; the ratio does.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

FARMERS = 100_000
REQUESTS = 4_000
ROUNDS = 3
CONNECTIONS = 4
_HERTZ = os.sysconf("SC_CLK_TCK")
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


def cpu_seconds(pid: int | None) -> float:
    """Return user and system time of a process and what it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


async def ask(port: int, requests: int, path: Callable[[int], str], headers: str) -> None:
    """Send requests over one kept-alive connection, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for at in range(requests):
        line = f"GET {path(at)} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"
        writer.write(line.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


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


def measure(folder: Path, key: str, kinds: Sequence[str] = ("bare", "service", "database")) -> dict[str, list[float]]:
    """Return CPU microseconds a request by server, one figure a round, the servers taken in turn."""
    ports = {kind: free_port() for kind in kinds}
    start = multiprocessing.get_context("spawn").Process
    servers = {kind: start(target=serve, args=(kind, folder, port), daemon=True) for kind, port in ports.items()}
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for server in servers.values():
        server.start()
    try:
        for port in ports.values():
            wait_for(port)
        for turn in range(ROUNDS + 1):
            for kind, server in servers.items():
                before = cpu_seconds(server.pid)
                asyncio.run(_round(ports[kind], key))
                spent = cpu_seconds(server.pid) - before
                if turn:  # the first round warms up
                    found[kind].append(spent / REQUESTS * 1e6)
    finally:
        for server in servers.values():
            server.terminate()
            server.join()
    return found


async def _round(port: int, key: str) -> None:
    headers = f"Authorization: Bearer {key}\r\n"
    each = REQUESTS // CONNECTIONS
    await asyncio.gather(
        *(
            ask(port, each, lambda at, part=part: f"/v1/farmers/F{(part * each + at) % FARMERS:07}/limit", headers)
            for part in range(CONNECTIONS)
        )
    )


def wait_for(port: int, seconds: float = 60.0) -> None:
    """Wait until something listens."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(port)


def batch(folder: Path) -> dict[str, float]:
    """Return CPU milliseconds of 1,000 look-ups: columns of the snapshot, and a list of pydantic models."""
    import orjson
    from pydantic import TypeAdapter

    from agrocredit.service.limits import PublishedLimit
    from agrocredit.store.limit_snapshot import open_snapshot

    snapshot = open_snapshot(folder / "bank.limits")
    ids = [f"F{at * 97 % FARMERS:07}" for at in range(1_000)]
    models = TypeAdapter(list[PublishedLimit])

    def columns() -> bytes:
        return orjson.dumps({"farmer_id": ids, **snapshot.columns(ids)})

    def listed() -> bytes:
        return models.dump_json([PublishedLimit(**orjson.loads(snapshot.answer(one))) for one in ids])

    return {name: _cpu_ms(work) for name, work in {"columns": columns, "pydantic": listed}.items()}


def _cpu_ms(work: Callable[[], bytes], times: int = 20) -> float:
    work()
    spent = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(times):
            work()
        spent.append((time.process_time() - begun) / times * 1e3)
    return statistics.median(spent)


def compare_lookup(url: str | None = None) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = set_up(folder, url or f"sqlite:///{folder / 'agrocredit.db'}")
        found = measure(folder, key)
        base = statistics.median(found["bare"])
        print(f"look-up, server CPU a request, {REQUESTS} requests x {ROUNDS} rounds, median (range)")
        for kind, spent in found.items():
            middle = statistics.median(spent)
            print(f"  {kind:<10}{middle:8.0f} us ({min(spent):.0f}-{max(spent):.0f})  {middle / base:5.2f} x bare")
        spent = batch(folder)
        print(f"batch of 1,000: columns {spent['columns']:.2f} ms, pydantic list {spent['pydantic']:.2f} ms,", end=" ")
        print(f"{spent['pydantic'] / spent['columns']:.1f} x")


if __name__ == "__main__":
    compare_lookup(*sys.argv[1:])
