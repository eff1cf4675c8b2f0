"""Who passes the gate: keys, tokens, how often they may come, and what is remembered of them."""

import asyncio
import threading
import time

import pytest

from agrocredit.service.api_keys import new_key
from agrocredit.service.farmer_tokens import issue
from agrocredit.service.route_table import Role

from .gate_server import SECRETS, Server, problem


@pytest.fixture
def server():
    return Server()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic dXNlcjpw", "Bearer " + "a" * 5_000])
def test_without_a_credential_nothing_opens(server, header):
    headers = [] if header is None else [("Authorization", header)]
    assert problem(server.call("GET", "/v1/farmers/F1/limit", headers=headers)) == (401, "token_invalid")


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


def test_of_many_requests_at_once_with_one_key_the_first_asks_the_database(server):
    key = server.store.add(Role.LENDER)

    async def go():
        return await asyncio.gather(*(server.send("GET", "/v1/farmers/F1/limit", key=key) for _ in range(20)))

    assert {answer.status_code for answer in asyncio.run(go())} == {200}
    assert server.store.asked == 1


def test_a_caller_is_found_while_others_wait_for_a_thread(server):
    key, release = server.store.add(Role.LENDER), threading.Event()

    async def go():
        waiting = [asyncio.create_task(server.workers.run(release.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(10):
                return await server.send("GET", "/v1/farmers/F1/limit", key=key)
        finally:
            release.set()
            await asyncio.gather(*waiting)

    assert asyncio.run(go()).status_code == 200


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
