"""What the gate takes as a body and as an idempotency key."""

import asyncio

import pytest

from agrocredit.service.route_table import Role
from agrocredit.service.settings import Settings

from .gate_server import Server, post, problem


@pytest.fixture
def server():
    return Server()


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
