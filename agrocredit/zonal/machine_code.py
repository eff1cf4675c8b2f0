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
from ctypes import CFUNCTYPE, c_double, c_int32, c_ssize_t
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import llvmlite.binding as llvm
import numpy as np

from agrocredit.zonal import layout

if TYPE_CHECKING:
    from collections.abc import Callable

SYMBOL = "loop"
"""Name of the one function in an object file."""

Kind: TypeAlias = tuple[np.dtype[Any], int] | type
"""Of an argument: an array's type and dimensions, or int or float."""

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


def native_function(text: str, name: str, kinds: tuple[Kind, ...]) -> Callable[..., int]:
    """Return the function `name` of a text as machine code.

    Parameters
    ----------
    text : str
        Python that numba compiles without an object of Python in it. It runs: pass only text of this room, or text
        generated from checked parts.
    name : str
    kinds : tuple of Kind
        Of the arguments.

    Returns
    -------
    callable
        Takes two addresses of places it may write to, then for each argument a number, or the words of an array, as
        numba passes them: twice 0, items, bytes an item, address, shape, strides. Returns 0.
    """
    path = cache_folder() / "kernels" / f"{_key(text, name, kinds)}.code"
    code = _kept(path)
    if code is None:
        from agrocredit.zonal.compile_loop import compile_loop

        code = compile_loop(text, name, kinds)
        with suppress(OSError):  # slower to start, otherwise the same
            _keep(code, path)
    return _loaded(code, kinds)


def target_machine() -> Any:  # noqa: ANN401 - llvmlite is untyped
    """Return LLVM's generator of code for this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    reloc = "static" if target.name.startswith("x86") else "default"
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, reloc=reloc, jit=True)


def _key(text: str, name: str, kinds: tuple[Kind, ...]) -> str:
    types = [kind.__name__ if isinstance(kind, type) else f"{kind[0].str}{kind[1]}" for kind in kinds]
    processor = [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    constants = {constant: value for constant, value in vars(layout).items() if constant.isupper()}
    return hashlib.sha256(repr([text, name, types, _versions(), processor, constants]).encode()).hexdigest()[:32]


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


def _loaded(code: bytes, kinds: tuple[Kind, ...]) -> Callable[..., int]:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    words: list[Any] = [c_ssize_t, c_ssize_t]
    for kind in kinds:
        if isinstance(kind, type):
            words.append(c_double if kind is float else c_ssize_t)
        else:
            words += [c_ssize_t] * (5 + 2 * kind[1])
    return CFUNCTYPE(c_int32, *words)(engine.get_function_address(SYMBOL))
