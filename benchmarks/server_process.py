"""A server in a process of its own: a port for it, when it listens, and what it has cost so far."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

_HERTZ = os.sysconf("SC_CLK_TCK")
_KB_MB = 1024
_UNBOUND = {f"AGROCREDIT_{who}_REQUESTS_{what}": "1000000" for who in ("KEY", "TENANT") for what in ("PER_S", "BURST")}
"""One client stands for many lenders here."""


def start_service(folder: Path, url: str, port: int, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start `agrocredit serve` with the lender bank; return its process and a key.

    Parameters
    ----------
    folder : Path
        For its log and its published limits.
    url : str
        Of its database.
    port : int
    *options : str
        Further options of ``serve``.
    """
    names = ("AGROCREDIT_KEY_PEPPER", "AGROCREDIT_TOKEN_KEY", "AGROCREDIT_HEAD_KEY")
    made = {name: secrets.token_hex(32) for name in names}
    made["AGROCREDIT_DATA_KEYS"] = f"bench:{b64encode(secrets.token_bytes(32)).decode()}"
    environment = {**os.environ, **_UNBOUND, **made, "AGROCREDIT_DATABASE": url}
    command = str(Path(sys.executable).with_name("agrocredit"))

    def run(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - ours
            [command, *arguments], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    run("db", "upgrade")
    if "bank" not in run("tenants", "list"):
        run("tenants", "add", "bank", "--name", "Bank", "--time-zone", "Asia/Shanghai")
    key = run("keys", "add", "--tenant", "bank", "--role", "lender").split()[-1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - ours
            [command, "serve", "--port", str(port), "--snapshots", str(folder), *options], env=environment, stderr=log
        )
    wait_for(port)
    return server, key


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(port: int, seconds: float = 60.0) -> None:
    """Wait until something listens."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(port)


def cpu_seconds(pid: int | None) -> float:
    """Return user and system time of a process and what it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def memory_mb(pid: int | None) -> float:
    """Return the memory that a process holds, shared pages and all."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / _KB_MB


def open_files(pid: int | None) -> int:
    """Return how many files and connections a process holds open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def children(pid: int | None) -> list[int]:
    """Return the processes that a process has started and not waited for."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
