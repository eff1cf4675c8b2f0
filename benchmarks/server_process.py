"""A server in a process of its own: a port for it, when it listens, and what it has cost so far."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

_HERTZ = os.sysconf("SC_CLK_TCK")
_KB_MB = 1024


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


def children(pid: int | None) -> list[int]:
    """Return the processes that a process has started and not waited for."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
