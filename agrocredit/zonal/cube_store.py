"""Bytes of a cube from a folder or an object store, with every failure named: nothing absent is ever read as empty."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from obstore.store import ObjectStore

REQUESTS_AT_ONCE = 16
"""Files of one plot that are asked for side by side; a plot touches two, or eight at a corner."""


def store_of(source: Path | ObjectStore) -> ObjectStore:
    """Return the store to read a cube from.

    Parameters
    ----------
    source : Path or obstore store
        The cube's folder, or a store whose prefix is the cube.

    Raises
    ------
    InputUnusableError
        ``file_missing`` if there is no such folder.
    """
    if not isinstance(source, Path):
        return source
    if not source.is_dir():
        raise InputUnusableError("file_missing", f"cube: no folder {source}")
    return LocalStore(source)


def read_whole(store: ObjectStore, key: str) -> bytes:
    """Return one object; ``cube_invalid`` where it cannot be read."""
    try:
        return bytes(obstore.get(store, key).bytes())
    except (BaseError, OSError) as error:
        raise _unreadable(key, error) from error


def read_ranges(store: ObjectStore, wanted: Mapping[str, Sequence[tuple[int, int]]]) -> dict[str, list[bytes]]:
    """Return pieces of several objects, asked for side by side: one round trip however many there are.

    Parameters
    ----------
    store : obstore store
    wanted : mapping of str to sequence of (offset, size)
        Bytes of each object.

    Raises
    ------
    InputUnusableError
        ``cube_invalid`` where an object is absent or shorter.
    """

    def read(key: str) -> list[bytes]:
        starts, lengths = zip(*wanted[key], strict=True)
        try:
            return [bytes(piece) for piece in obstore.get_ranges(store, key, starts=starts, lengths=lengths)]
        except (BaseError, OSError) as error:
            raise _unreadable(key, error) from error

    with ThreadPoolExecutor(min(REQUESTS_AT_ONCE, max(len(wanted), 1))) as pool:
        return dict(zip(wanted, pool.map(read, wanted), strict=True))


def _unreadable(key: str, error: Exception) -> InputUnusableError:
    first = str(error).partition("\n")[0][:200]
    return InputUnusableError("cube_invalid", f"cube: {key} cannot be read ({first})")
