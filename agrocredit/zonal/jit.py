"""How this room compiles functions with numba.

No lock is held, division by zero is as in NumPy, and no fast-math option is set anywhere: arithmetic is as IEEE 754
says, so that the same inputs give the same bytes on every machine.

Only functions called from Python (`entry`) keep their machine code on disk, each for a single signature: numba's index
of kept code can mix up two signatures that two processes write at the same moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_T = TypeVar("_T")


def inner(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a compiled function for use by other compiled functions of the same file."""
    return cast("Callable[_P, _T]", njit(nogil=True, error_model="numpy")(function))


def entry(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a compiled function to call from Python; its machine code is kept where a folder can be written."""
    try:
        compiled = njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # numba finds no folder to write to: slower to start, otherwise the same
        compiled = njit(nogil=True, error_model="numpy")(function)
    return cast("Callable[_P, _T]", compiled)
