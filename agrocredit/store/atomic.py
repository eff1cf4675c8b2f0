"""Files that are either whole or absent: temporary name, fsync, rename, fsync of the folder.

A rename alone survives a killed process but not a lost power supply; the two fsyncs make it survive that as well.
Temporaries are hidden siblings ``.NAME.RANDOM.part``: on the same file system, and no reader takes them for data.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OUTPUT_ERRNOS = frozenset(
    {
        None,  # raised by a library that lost the number on its way
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
    }
)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; publish it under its final name when the block ends well.

    Parameters
    ----------
    path : Path
        Final name; its folders are made as needed. An existing file is replaced, a folder never.

    Yields
    ------
    Path
        Temporary path in the same folder; removed again if the block raises.

    Raises
    ------
    InputUnusableError
        ``output_unwritable`` with the cause: disk full, read-only, no permission, a folder of that name.
    """
    temporary = temporary_sibling(path)
    try:
        with output_errors(path):
            _make_parent(path)
            yield temporary
            fsync_path(temporary)
            temporary.replace(path)
            fsync_path(path.parent)
    finally:
        with suppress(OSError):  # the cause is already on its way
            temporary.unlink()


def write_bytes(data: bytes, path: Path) -> None:
    """Write a whole file atomically; errors as in `atomic_file`."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(text: str, path: Path) -> None:
    """Write a whole UTF-8 file atomically, line ends as given; errors as in `atomic_file`."""
    write_bytes(text.encode(), path)


def clean_temporaries(path: Path) -> None:
    """Remove what killed runs left beside an output, and put back an output that was being replaced.

    Call it only while holding the output's lock: the temporaries of a living run look the same.

    Parameters
    ----------
    path : Path
        Final name of the output, a file or a folder.
    """
    pattern = f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}"
    with output_errors(path):
        for old in sorted(path.parent.glob(f"{pattern}.old")):
            if path.exists():
                shutil.rmtree(old)
            else:
                old.replace(path)
        for left in sorted(path.parent.glob(f"{pattern}.part")):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()


def temporary_sibling(path: Path, *, suffix: str = ".part") -> Path:
    """Return a hidden, unused name beside `path`; nothing is made."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{suffix}")


def fsync_path(path: Path) -> None:
    """Make a file's bytes, or a folder's names, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write into ``output_unwritable`` about `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OUTPUT_ERRNOS and not isinstance(error, (IsADirectoryError, FileExistsError)):
            raise
        raise InputUnusableError("output_unwritable", f"{path}: {error.strerror or error}") from error


def _make_parent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder, expected a file name")
