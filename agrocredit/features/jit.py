"""How this room compiles its loops.

They run without Python's lock, and without fastmath: the compiler may neither fuse nor reorder operations, so a series
has the same bytes whatever stands beside it in the batch, and on every machine that follows IEEE 754.

Machine code is kept on disk for loops that Python calls (`entry`), each with one signature: numba's index of kept code
can mix up two signatures that two processes write at once. What such a loop calls (`inner`) stands in the same file,
because a change in another file would leave the kept code as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def inner(loop: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return the loop compiled for use by other compiled loops of its file."""
    return cast("Callable[Arguments, Result]", numba.njit(nogil=True, error_model="numpy")(loop))


def entry(loop: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return the loop compiled for calls from Python, its machine code kept where some folder can be written."""
    try:
        compiled = numba.njit(nogil=True, error_model="numpy", cache=True)(loop)
    except RuntimeError:  # no folder to write to: the same code, compiled in every process
        compiled = numba.njit(nogil=True, error_model="numpy")(loop)
    return cast("Callable[Arguments, Result]", compiled)
