"""Machine code of loops, kept on disk by content: the next process neither compiles nor loads the compiler.

A file is named after a hash of all that decides what the code is: the text, the types of its arguments, the versions of
compiler and Python, the processor. It holds the SHA-256 of an object file, then the object file, which LLVM alone
loads: loading numba for it would take far longer (``docs/decisions/0024-machine-code-without-its-compiler.md``).
Whoever writes a file writes it whole, so processes that start together cannot disturb each other. Whatever goes wrong
with the cache - no home, no space, a torn file - the loop is compiled without it.

Code is run from the cache folder, so that folder is made for its owner alone.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm

from agrocredit.loops.object_code import target_machine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DIGEST_BYTES = 32
_engines: list[Any] = []
"""Owners of loaded code, which is never let go: functions may be called until the process ends."""


def cache_folder() -> Path:
    """Return where compiled loops are kept: ``AGROCREDIT_CACHE``, else the platform's folder for caches."""
    own = os.environ.get("AGROCREDIT_CACHE")
    if own:
        return Path(own)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "agrocredit"


def kept_code(about: Sequence[object], make: Callable[[], bytes]) -> bytes:
    """Return an object file from the cache; made and kept there if it has none that is whole.

    Parameters
    ----------
    about : sequence
        All that decides what the code is, but for versions and processor; ``repr`` tells one from another.
    make : callable
        Returns the object file.
    """
    path = cache_folder() / "kernels" / f"{_key(about)}.code"
    code = _kept(path)
    if code is None:
        code = make()
        with suppress(OSError):  # slower to start, otherwise the same
            _keep(code, path)
    return code


def load_code(code: bytes, symbol: str) -> int:
    """Return the address of a function of an object file, which stays loaded until the process ends."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return int(engine.get_function_address(symbol))


def _key(about: Sequence[object]) -> str:
    processor = [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    return hashlib.sha256(repr([*about, _versions(), processor]).encode()).hexdigest()[:32]


@cache
def _versions() -> list[str]:
    return [sys.version, sys.platform, *(version(package) for package in ("numba", "llvmlite", "numpy"))]


def _kept(path: Path) -> bytes | None:
    """Return the object file that a file holds, or None where there is none or it is not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    code = content[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == content[:_DIGEST_BYTES] else None


def _keep(code: bytes, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
