"""The gate alone, before an app that says what reached it."""

import asyncio
import io
import json
import time

import httpx
import pytest

from agrocredit.service.access_log import AccessLog
from agrocredit.service.api_keys import key_hash, new_key
from agrocredit.service.caller import Caller
from agrocredit.service.callers import Callers
from agrocredit.service.exchange import exchange_of
from agrocredit.service.farmer_tokens import issue
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

    def call(self, method, path, *, key=None, headers=(), **rest):
        async def go():
            transport = httpx.ASGITransport(self.gate, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                sent = httpx.Headers(list(headers))
                if key:
                    sent["Authorization"] = f"Bearer {key}"
                return await client.request(method, path, headers=sent, **rest)

        return asyncio.run(go())

    def log(self):
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]


@pytest.fixture
def server():
    return Server()


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert {"type", "title", "detail"} <= body.keys()
    return answer.status_code, body["code"]


def test_a_key_opens_a_route_of_its_role(server):
    answer = server.call("GET", "/v1/farmers/F1/limit", key=server.store.add(Role.LENDER))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic dXNlcjpw", "Bearer " + "a" * 5_000])
def test_without_a_credential_nothing_opens(server, header):
    headers = [] if header is None else [("Authorization", header)]
    assert problem(server.call("GET", "/v1/farmers/F1/limit", headers=headers)) == (401, "token_invalid")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", (404, "not_found")),
        ("GET", "/docs", (404, "not_found")),
        ("GET", "/v1/plots/", (404, "not_found")),
        ("GET", "/v1/plots//POST", (404, "not_found")),
        ("GET", "/v2/plots/1", (404, "not_found")),
        ("GET", "/v1/plots", (405, "method_not_allowed")),
        ("TRACE", "/v1/plots", (405, "method_not_allowed")),
        ("DELETE", "/v1/plots/1", (405, "method_not_allowed")),
        ("GET", "/v1/plots/%00", (422, "text_invalid")),
        ("GET", "/v1/plots/a%E2%80%AEb", (422, "text_invalid")),
    ],
)
def test_what_is_not_declared_is_not_there(server, method, path, expected):
    assert problem(server.call(method, path)) == expected


def test_an_override_header_changes_no_method(server):
    key = server.store.add(Role.LENDER)
    answer = server.call("GET", "/v1/plots", key=key, headers=[("X-HTTP-Method-Override", "POST")])
    assert problem(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


ROLE_ROUTES = [(role, route) for role in Role for route in ROUTES if not route.public]


def credential(server, role):
    if role is not Role.FARMER:
        return server.store.add(role)
    return issue(tenant_id="bank", farmer_id="F1", seconds=60, now_s=time.time(), signing_key=SECRETS.signing_key)[0]


@pytest.mark.parametrize(("role", "route"), ROLE_ROUTES, ids=lambda part: getattr(part, "path", part))
def test_each_role_passes_exactly_where_the_table_says(server, role, route):
    path = route.path.replace("{", "").replace("}", "")
    headers = [("Idempotency-Key", "k")] if route.idempotent else []
    body = {"json": {}} if route.body_bytes_max else {}
    answer = server.call(route.method, path, key=credential(server, role), headers=headers, **body)
    if role in route.roles:
        assert answer.status_code == 200
    else:
        assert problem(answer) == (403, "scope_missing")


def test_a_tenant_header_decides_nothing(server):
    key = server.store.add(Role.LENDER)
    for name in ("X-Tenant", "X-Tenant-Id", "Fineract-Platform-TenantId"):
        assert server.call("GET", "/v1/farmers/F1/limit", key=key, headers=[(name, "bank")]).status_code == 200
        answer = server.call("GET", "/v1/farmers/F1/limit", key=key, headers=[(name, "other")])
        assert problem(answer) == (403, "tenant_mismatch")


def test_a_revoked_key_is_refused_within_a_second(server):
    key = server.store.add(Role.LENDER)
    assert server.call("GET", "/v1/farmers/F1/limit", key=key).status_code == 200
    server.store.keys.clear()
    server.clock_s += 0.51
    assert problem(server.call("GET", "/v1/farmers/F1/limit", key=key)) == (401, "token_invalid")


def test_a_revoked_token_is_refused_within_a_second(server):
    text, token = issue(
        tenant_id="bank", farmer_id="F1", seconds=60, now_s=time.time(), signing_key=SECRETS.signing_key
    )
    assert server.call("GET", "/v1/farmers/F1/limit", key=text).status_code == 200
    server.store.revoked_tokens.add(token.token_id)
    server.clock_s += 0.51
    assert problem(server.call("GET", "/v1/farmers/F1/limit", key=text)) == (401, "token_invalid")


def test_the_database_is_not_asked_for_the_same_key_each_time(server):
    key = server.store.add(Role.LENDER)
    for _ in range(5):
        server.call("GET", "/v1/farmers/F1/limit", key=key)
    assert server.store.asked == 1


def test_too_many_requests_are_told_when_to_come_again():
    server = Server(key_burst=3)
    key = server.store.add(Role.LENDER)
    answers = [server.call("GET", "/v1/farmers/F1/limit", key=key) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert problem(answers[-1]) == (429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_guessing_keys_is_stopped_for_the_guesser():
    server = Server(guesses=3)
    codes = [problem(server.call("GET", "/v1/farmers/F1/limit", key=new_key()))[1] for _ in range(5)]
    assert codes == ["token_invalid"] * 3 + ["rate_limited"] * 2


@pytest.mark.parametrize(
    "query", ["sort=1;DROP TABLE plots", "tenant_id=other", "language=en&language=zh", "language=%ff", "a=" * 9]
)
def test_parameters_that_are_not_declared_are_refused(server, query):
    key = server.store.add(Role.LENDER)
    answer = server.call("GET", f"/v1/decisions/D1/explanation?{query}", key=key)
    assert problem(answer) == (422, "parameter_invalid")


def test_a_declared_parameter_passes(server):
    key = server.store.add(Role.LENDER)
    assert server.call("GET", "/v1/decisions/D1/explanation?language=zh", key=key).status_code == 200


def post(server, data, *, path="/v1/limits/lookup", headers=(("Content-Type", "application/json"),)):
    return server.call("POST", path, key=server.store.add(Role.LENDER), content=data, headers=headers)


def test_a_body_arrives_parsed(server):
    assert post(server, b'{"a": [1, 2.5]}').json()["value"] == {"a": [1, 2.5]}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": NaN}', (400, "json_invalid")),
        (b'{"a": 1, "a": 2}', (400, "json_invalid")),
        (rb'{"a": "\ud800"}', (422, "text_invalid")),
        (b"", (400, "json_invalid")),
        (b" " * (256 * 1_024 + 1), (413, "body_too_large")),
    ],
)
def test_a_body_is_strict_json_within_its_cap(server, data, expected):
    assert problem(post(server, data)) == expected


def test_a_body_without_a_length_is_cut_at_its_cap(server):
    async def parts():
        for _ in range(10_000):
            yield b" " * 1_024

    assert problem(post(server, parts())) == (413, "body_too_large")


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("Content-Type", "text/plain"),),
        (("Content-Type", "application/json"), ("Content-Encoding", "gzip")),
    ],
)
def test_another_media_type_is_refused(server, headers):
    assert problem(post(server, b"{}", headers=headers)) == (415, "media_type_unsupported")


def test_two_of_a_header_that_decides_are_refused(server):
    headers = [("Content-Type", "application/json"), ("Content-Type", "application/json")]
    assert problem(post(server, b"{}", headers=headers)) == (400, "request_invalid")


def test_a_route_without_a_body_takes_none(server):
    key = server.store.add(Role.LENDER)
    assert problem(server.call("GET", "/v1/farmers/F1/limit", key=key, content=b"x")) == (413, "body_too_large")


def test_a_body_that_trickles_is_given_up():
    server = Server(settings=Settings(body_seconds_max=1))

    async def trickle():
        while True:
            yield b" "
            await asyncio.sleep(0.2)

    assert problem(post(server, trickle())) == (408, "request_timeout")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, (400, "idempotency_key_required")),
        (b"", (422, "idempotency_key_invalid")),
        (b"a b", (422, "idempotency_key_invalid")),
        (b"a\x07", (422, "idempotency_key_invalid")),
        ("ü".encode(), (422, "idempotency_key_invalid")),
        (b"x" * 256, (422, "idempotency_key_invalid")),
    ],
)
def test_money_needs_a_key_that_can_be_read(server, key, expected):
    headers = [(b"Content-Type", b"application/json")] + ([] if key is None else [(b"Idempotency-Key", key)])
    assert problem(post(server, b"{}", path="/v1/loans/L1/draws", headers=headers)) == expected


def test_the_longest_key_is_taken(server):
    headers = [("Content-Type", "application/json"), ("Idempotency-Key", "x" * 255)]
    assert post(server, b"{}", path="/v1/loans/L1/draws", headers=headers).json()["key"] == "x" * 255


def test_a_failure_inside_says_nothing_and_is_found_in_the_log():
    async def broken(_scope, _receive, _send):
        raise RuntimeError("password of F0001")

    server = Server(app=broken)
    answer = server.call("GET", "/v1/farmers/F1/limit", key=server.store.add(Role.LENDER))
    assert problem(answer) == (500, "internal_error")
    failed = [line for line in server.log() if line["event"] == "failed"]
    assert failed[0]["trace_id"] == answer.headers["x-trace-id"]
    assert failed[0]["error"] == "RuntimeError"
    assert b"F0001" not in server.lines.getvalue() + answer.content


def test_an_answer_that_takes_too_long_is_given_up():
    async def slow(_scope, _receive, _send):
        await asyncio.sleep(30)

    server = Server(app=slow, settings=Settings(request_seconds_max=1))
    answer = server.call("GET", "/v1/farmers/F1/limit", key=server.store.add(Role.LENDER))
    assert problem(answer) == (503, "timeout")


def test_log_and_metrics_know_routes_and_no_farmer():
    server = Server()
    key = server.store.add(Role.LENDER)
    server.call("GET", "/v1/farmers/SECRET-FARMER/limit", key=key)
    server.call("GET", "/v1/decisions/SECRET-FARMER/explanation?language=SECRET-FARMER", key=key)
    server.call("GET", "/SECRET-FARMER")
    everything = server.lines.getvalue() + server.metrics.text()
    assert b"SECRET-FARMER" not in everything
    assert key.encode() not in everything
    assert b'route="/v1/farmers/{farmer_id}/limit",status="200"} 1.0' in everything
    lines = [line for line in server.log() if line["event"] == "answered"]
    assert [line["route"] for line in lines] == [
        "/v1/farmers/{farmer_id}/limit",
        "/v1/decisions/{decision_id}/explanation",
        None,
    ]


def test_more_work_than_threads_and_queue_is_refused_at_once():
    async def go():
        workers = Workers(threads=1, waiting_max=1)
        begun = [asyncio.create_task(workers.run(lambda: time.sleep(0.2))) for _ in range(3)]
        return await asyncio.gather(*begun, return_exceptions=True)

    outcomes = asyncio.run(go())
    assert [getattr(outcome, "code", None) for outcome in outcomes].count("overloaded") == 1
