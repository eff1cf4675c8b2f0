"""The gate alone, before an app that says what reached it."""

import asyncio
import io
import json
import time

import httpx

from agrocredit.service.access_log import AccessLog
from agrocredit.service.api_keys import key_hash, new_key
from agrocredit.service.caller import Caller
from agrocredit.service.callers import Callers
from agrocredit.service.exchange import exchange_of
from agrocredit.service.gate import Gate
from agrocredit.service.metrics import Metrics
from agrocredit.service.rate_limits import RateLimit
from agrocredit.service.route_index import RouteIndex
from agrocredit.service.route_table import ROUTES, Role
from agrocredit.service.secrets_file import Secrets
from agrocredit.service.settings import Settings
from agrocredit.service.workers import Workers
from agrocredit.store.personal import KeyRing

SECRETS = Secrets(pepper=b"p" * 32, signing_key=b"s" * 32, head_seed=b"h" * 32, data_keys=KeyRing({"test": b"d" * 32}))


class Credentials:
    """A store of credentials in memory."""

    def __init__(self):
        self.keys = {}
        self.revoked_tokens = set()
        self.asked = 0

    def add(self, role, *, tenant="bank"):
        key = new_key()
        self.keys[key_hash(key, pepper=SECRETS.pepper)] = Caller(
            tenant_id=tenant, role=role, subject=f"{tenant}-{role}"
        )
        return key

    def caller_of_key(self, hashed):
        self.asked += 1
        return self.keys.get(hashed)

    def token_in_force(self, token):
        return token.token_id not in self.revoked_tokens


class Server:
    """A gate with everything behind it, and a client in front."""

    def __init__(self, *, app=None, settings=None, key_burst=1_000, guesses=1_000):
        self.store, self.metrics, self.lines = Credentials(), Metrics(), io.BytesIO()
        self.settings = settings or Settings()
        self.clock_s = time.monotonic()
        self.workers = Workers(threads=2, waiting_max=10)
        callers = Callers(
            self.store,
            secrets=SECRETS,
            workers=self.workers,
            guesses=RateLimit(per_s=0.001, burst=guesses, clock=lambda: self.clock_s),
            clock=lambda: self.clock_s,
            now_s=time.time,
        )
        self.gate = Gate(
            app or self._echo,
            routes=RouteIndex(ROUTES),
            callers=callers,
            key_rate=RateLimit(per_s=0.001, burst=key_burst, clock=lambda: self.clock_s),
            tenant_rate=RateLimit(per_s=0.001, burst=1_000, clock=lambda: self.clock_s),
            metrics=self.metrics,
            log=AccessLog(self.lines),
            settings=self.settings,
            clock=time.perf_counter,
        )

    async def _echo(self, scope, _receive, send):
        exchange = exchange_of(scope)
        body = json.dumps({"value": exchange.value, "key": exchange.idempotency_key}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    def call(self, method, path, **rest):
        return asyncio.run(self.send(method, path, **rest))

    async def send(self, method, path, *, key=None, headers=(), **rest):
        transport = httpx.ASGITransport(self.gate, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            sent = httpx.Headers(list(headers))
            if key:
                sent["Authorization"] = f"Bearer {key}"
            return await client.request(method, path, headers=sent, **rest)

    def log(self):
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert {"type", "title", "detail"} <= body.keys()
    return answer.status_code, body["code"]


def post(server, data, *, path="/v1/limits/lookup", headers=(("Content-Type", "application/json"),)):
    return server.call("POST", path, key=server.store.add(Role.LENDER), content=data, headers=headers)
