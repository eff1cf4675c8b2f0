"""The server itself, on a socket: what stands between strangers and the gate, and how it stops."""

import json
import signal
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from agrocredit.service.connections import HEAD_BYTES_MAX, Owing
from agrocredit.service.server import make_server

CONNECTIONS_MAX = 8
HEAD_SECONDS = 0.5
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
LOOK_UP = b"POST /v1/limits/lookup HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"


class Running:
    """A server in a thread, and raw connections to it."""

    def __init__(self, service):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.server = make_server(
            service.app,
            platform=service.platform,
            host="127.0.0.1",
            port=0,
            owing=Owing(seconds_max=HEAD_SECONDS),
            connections_max=CONNECTIONS_MAX,
        )
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})

    def connect(self):
        return socket.create_connection(self.address, timeout=20)

    def exchange(self, sent):
        """Return the answer, or nothing where the server closed without one."""
        with self.connect() as connection:
            connection.sendall(sent)
            return received(connection)

    def stop(self):
        self.server.handle_exit(signal.SIGTERM, None)


def received(connection):
    """Return what comes back until a JSON object ends, or the server closes."""
    found = b""
    while not found.endswith(b'"}'):
        part = connection.recv(65_536)
        if not part:
            break
        found += part
    return found


def answered(found):
    """Return status and code of the one problem in an answer."""
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head, found
    return int(head.split()[1]), json.loads(body)["code"]


@contextmanager
def running(service):
    server = Running(service)
    server.thread.start()
    try:
        until = time.monotonic() + 20
        while not server.server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        yield server
    finally:
        server.server.should_exit = True
        server.thread.join(20)
        server.socket.close()


@pytest.fixture
def sqlite_service(sqlite_url, tmp_path):
    from agrocredit.store.sql import open_database

    from .conftest import Service

    made = Service(open_database(sqlite_url), tmp_path)
    made.add_tenant("bank")
    return made


@pytest.fixture
def server(sqlite_service):
    with running(sqlite_service) as found:
        yield found


@pytest.mark.parametrize(
    "head",
    [
        b"GARBAGE\r\n\r\n",
        LOOK_UP + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        LOOK_UP + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        LOOK_UP + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        LOOK_UP + b"Content-Length : 2\r\n\r\n{}",
        LOOK_UP + b"Content-Length: +2\r\n\r\n{}",
        b"GET /healthz HTTP/1.1\r\nHost: here\r\nA: b\r\n c: d\r\n\r\n",
        b"GET /healthz HTTP/1.1\nHost: here\n\n",
        b"GET /v1/\xff HTTP/1.1\r\nHost: here\r\n\r\n",
        b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: here\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_two_readers_could_take_differently_is_refused(server, head):
    assert answered(server.exchange(head + ALIVE)) == (400, "request_invalid")


def test_a_request_hidden_in_a_refused_body_is_not_answered(server):
    hidden = LOOK_UP + b"Content-Length: %d\r\n\r\n" % len(ALIVE) + ALIVE
    assert answered(server.exchange(hidden)) == (401, "token_invalid")


def test_a_protocol_to_change_to_is_not_offered(server):
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
    assert server.exchange(ALIVE[:-2] + upgrade).startswith(b"HTTP/1.1 200")


def test_a_head_without_end_is_refused_before_it_fills_the_memory(server):
    with server.connect() as connection:
        connection.sendall(ALIVE[:-2])
        for _ in range(8):
            connection.sendall(b"X-Much: " + b"a" * (HEAD_BYTES_MAX // 8) + b"\r\n")
            time.sleep(0.02)
        assert answered(received(connection)) == (400, "request_invalid")


@pytest.mark.parametrize("spoken", [b"", b"GET /hea", b"\r\n\r\n", ALIVE + b"GET", ALIVE + b"\r\n"])
def test_who_says_nothing_whole_is_dropped(server, spoken):
    with server.connect() as connection:
        connection.sendall(spoken)
        found = b"".join(iter(lambda: dropped(connection), b""))
    assert found == b"" or found.startswith(b"HTTP/1.1 200")


def dropped(connection):
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b""


def test_a_byte_now_and_then_keeps_no_connection_open(server):
    with server.connect() as connection, pytest.raises(ConnectionError):
        trickle(connection, ALIVE * 100)


def trickle(connection, sent):
    for byte in sent:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def test_silent_connections_make_room_for_who_speaks(server):
    silent = [server.connect() for _ in range(3 * CONNECTIONS_MAX)]
    try:
        for _ in range(5):
            assert server.exchange(ALIVE).startswith(b"HTTP/1.1 200")
    finally:
        for connection in silent:
            connection.close()


def test_asked_to_stop_it_turns_unready_finishes_what_it_has_begun_and_ends(sqlite_service):
    sqlite_service.farmer_token("F1")
    body = b'{"farmer_id": "F1"}'
    asked = (
        f"POST /v1/farmer-tokens HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {sqlite_service.credential('lender')}"
    )
    asked += f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with running(sqlite_service) as server, server.connect() as busy:
        with sqlite_service.database.write("bank"):  # whoever else writes waits
            busy.sendall(asked.encode() + body)
            time.sleep(0.3)
            server.stop()
            assert answered(server.exchange(ALIVE.replace(b"healthz", b"readyz"))) == (503, "shutting_down")
            time.sleep(sqlite_service.settings.drain_seconds + 0.3)
            with pytest.raises(OSError):  # noqa: PT011  # refused or reset
                server.exchange(ALIVE)
        assert b"HTTP/1.1 201" in received(busy)
        server.thread.join(10)
        assert not server.thread.is_alive()
