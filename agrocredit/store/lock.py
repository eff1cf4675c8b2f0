"""One run an output at a time, by a lock that the operating system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RunInProgressError
from agrocredit.store.atomic import output_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def hold(output: Path) -> Iterator[None]:
    """Hold an output for the length of the block; a second holder is turned away at once.

    The lock is ``flock`` on a hidden sibling ``.NAME.lock``: killed runs leave an unlocked file behind, which the next
    run takes over, so there is no stale lock to remove by hand. It guards one machine's file system.

    Parameters
    ----------
    output : Path
        The file or folder that the run is going to write; its parent folder is made as needed.

    Raises
    ------
    RunInProgressError
        ``run_in_progress`` (exit 3) naming the output, if another run holds it.
    InputUnusableError
        ``output_unwritable`` with the cause.
    """
    path = output.with_name(f".{output.name}.lock")
    with output_errors(output):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(path, output=output)
    try:
        yield
    finally:
        # Removed while still locked: whoever opened the old file meanwhile sees that its name is gone and tries again.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(path: Path, *, output: Path) -> int:
    """Return an open descriptor of the lock file that bears the name *and* is locked by us."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise RunInProgressError(
                f"another run is writing {output}; wait for it or choose another output"
            ) from error
        except BaseException:
            os.close(descriptor)
            raise
        if _bears_name(descriptor, path):
            return descriptor
        os.close(descriptor)


def _bears_name(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
