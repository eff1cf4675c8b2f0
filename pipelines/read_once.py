"""Tables that many estimates share: a process that answers for one plot at a time need not read them each time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Table = TypeVar("_Table")
_FILES = 4


def read_once(read: Callable[[Path], _Table], path: Path) -> _Table:
    """Return what `read` makes of a file, which is read again only where it is another than last time.

    Parameters
    ----------
    read : callable
        A function of a module, so that it is the same one each time. What it returns is shared: nobody may change it.
    path : Path
    """
    try:
        found = path.stat()
    except OSError:
        return read(path)  # it has the words for what is wrong
    table: _Table = _read(read, path, found.st_ino, found.st_mtime_ns, found.st_size)
    return table


@lru_cache(maxsize=_FILES)
def _read(read: Callable[[Path], Any], path: Path, *_version: int) -> Any:  # noqa: ANN401 - what `read` returns
    return read(path)
