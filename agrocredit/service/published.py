"""The published limits of every lender: opened when first asked for, and anew when a new one has taken its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agrocredit.domain.errors import AgrocreditError
from agrocredit.service.problems import Problem
from agrocredit.store.limit_snapshot import open_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agrocredit.store.limit_snapshot import LimitSnapshot

LOOK_AGAIN_SECONDS = 1.0
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def snapshot_path(folder: Path, tenant_id: str) -> Path:
    """Return where a lender's snapshot lies.

    Raises
    ------
    ValueError
        For an id that could name another file: ids are checked when a lender is added.
    """
    if not _FILE_NAME.fullmatch(tenant_id):
        msg = f"tenant id {tenant_id!r} is no file name"
        raise ValueError(msg)
    return folder / f"{tenant_id}.limits"


class PublishedLimits:
    """Snapshots by lender.

    Parameters
    ----------
    folder : Path
        Where `publish` puts them.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float]) -> None:
        self._folder, self._clock = folder, clock
        self._open: dict[str, tuple[LimitSnapshot | None, tuple[int, int] | None, float]] = {}

    def of(self, tenant_id: str) -> LimitSnapshot | None:
        """Return a lender's snapshot, at most a second old; None where nothing is published.

        Raises
        ------
        Problem
            ``snapshot_unavailable`` for a file that cannot be read.
        """
        known = self._open.get(tenant_id)
        now_s = self._clock()
        if known is not None and now_s - known[2] < LOOK_AGAIN_SECONDS:
            return known[0]
        path = snapshot_path(self._folder, tenant_id)
        try:
            found = path.stat()
        except FileNotFoundError:
            snapshot, version = None, None
        else:
            version = (found.st_ino, found.st_mtime_ns)
            snapshot = known[0] if known is not None and known[1] == version else _opened(path)
        self._open[tenant_id] = (snapshot, version, now_s)
        return snapshot


def _opened(path: Path) -> LimitSnapshot:
    try:
        return open_snapshot(path)
    except (AgrocreditError, OSError):
        raise Problem("snapshot_unavailable", "the published limits cannot be read") from None
