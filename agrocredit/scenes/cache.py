"""Local copies of remote assets: fetched once, complete or absent, keyed by the hash of their href."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agrocredit.scenes.fetch import Fetcher
    from agrocredit.scenes.hrefs import Location


def cached_path(location: Location, folder: Path) -> Path:
    """Return where the copy of a remote location lies or will lie."""
    return folder / hashlib.sha256(location.href.encode()).hexdigest()


def bring(location: Location, *, folder: Path, fetcher: Fetcher) -> Path:
    """Return a complete local copy, fetching it where there is none.

    Parameters
    ----------
    location : Location
        Remote and checked.
    folder : Path
        Cache folder, made where absent.
    fetcher : Fetcher
        Brings the bytes.

    Raises
    ------
    RefusedError
        What the fetcher raises; the cache then holds nothing new.
    """
    path = cached_path(location, folder)
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=folder)
    try:
        with os.fdopen(handle, "w+b") as file:
            fetcher.fetch(location, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    return path


def forget(location: Location, *, folder: Path) -> None:
    """Drop a copy that turned out to be bad, so that it is fetched again."""
    cached_path(location, folder).unlink(missing_ok=True)
