"""Folders that are published whole: written under a hidden name, made durable, then renamed into place.

A published folder carries a hidden file that lists what we put there. Only such a folder is ever replaced, and only
while it holds nothing else, so that an output path given by mistake costs nobody their files. Readers of Parquet
datasets skip hidden files.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.atomic import fsync_path, output_errors, temporary_sibling, write_text
from agrocredit.store.canonical_json import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER = ".agrocredit-output"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def atomic_folder(path: Path, *, kind: str) -> Iterator[Path]:
    """Give a temporary folder to fill; publish it under its final name when the block ends well.

    Parameters
    ----------
    path : Path
        Final name. An earlier output of the same kind is replaced in one step; anything else is refused.
    kind : str
        What the folder is: ``observations``.

    Yields
    ------
    Path
        Empty folder beside `path`; removed with its content if the block raises.

    Raises
    ------
    InputUnusableError
        ``output_not_ours`` if `path` holds something that we did not put there; ``output_unwritable`` with the cause.
    """
    temporary = temporary_sibling(path)
    try:
        with output_errors(path):
            _refuse_foreign(path, kind=kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
            yield temporary
            _seal(temporary, kind=kind)
            _refuse_foreign(path, kind=kind)
            _put_in_place(temporary, path)
            fsync_path(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def claim_folder(path: Path, *, kind: str) -> None:
    """Make a folder that is filled step by step, or accept the one an earlier run of the same kind made.

    Parameters
    ----------
    path : Path
        The folder; what it holds is left alone, each file in it is written with `atomic_file`.
    kind : str
        What the folder is: ``run``.

    Raises
    ------
    InputUnusableError
        ``output_not_ours`` if `path` is a file, or a folder with content that was not claimed as this kind;
        ``output_unwritable`` with the cause.
    """
    with output_errors(path):
        if path.exists() and not _is_empty_folder(path):
            _read_marker(path, kind=kind)
            return
        path.mkdir(parents=True, exist_ok=True)
    write_text(json_text({"files": None, "kind": kind}), path / MARKER)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _refuse_foreign(path: Path, *, kind: str) -> None:
    """Raise unless `path` is absent, an empty folder, or exactly an earlier output of this kind."""
    absent = not path.exists() and not path.is_symlink()
    if absent or _is_empty_folder(path):
        return
    ours = {*_read_marker(path, kind=kind), MARKER}
    foreign = [name for name in _files_below(path) if name not in ours]
    if foreign:
        raise InputUnusableError("output_not_ours", f"{path} also holds {foreign[0]}, which is not part of the output")


def _read_marker(path: Path, *, kind: str) -> list[str]:
    """Return the files that the marker lists, or raise ``output_not_ours``."""
    try:
        marker = json.loads((path / MARKER).read_bytes())
        found, files = marker["kind"], marker["files"] or []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputUnusableError(
            "output_not_ours", f"{path} exists and is not an output of this program; expected a new name"
        ) from error
    if found != kind:
        raise InputUnusableError("output_not_ours", f"{path} holds {found!r}, expected {kind!r} or a new name")
    return [str(name) for name in files]


def _seal(folder: Path, *, kind: str) -> None:
    """Write the marker and make every file and folder durable, deepest first."""
    write_text(json_text({"files": _files_below(folder), "kind": kind}), folder / MARKER)
    for directory, _, names in os.walk(folder, topdown=False):
        for name in names:
            fsync_path(Path(directory) / name)
        fsync_path(Path(directory))


def _files_below(folder: Path) -> list[str]:
    return sorted(found.relative_to(folder).as_posix() for found in folder.rglob("*") if not found.is_dir())


def _put_in_place(temporary: Path, path: Path) -> None:
    """Rename over nothing or an empty folder, or swap with the earlier output, which then bears the temporary name."""
    if not path.exists() or _is_empty_folder(path):
        temporary.replace(path)
    elif not _exchange(temporary, path):
        # No swap on this system: for a moment there is no output; readers see nothing, never half. After a
        # kill right then `clean_temporaries` puts the old one back.
        aside = temporary_sibling(path, suffix=".old")
        path.replace(aside)
        temporary.replace(path)
        shutil.rmtree(aside)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step (Linux renameat2); return False where kernel or file system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}:
        return False
    raise OSError(code, os.strerror(code), str(second))
