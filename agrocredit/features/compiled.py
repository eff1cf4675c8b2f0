"""How this room compiles its loops: once a machine, without the lock, and without licence to reorder arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

Loop = TypeVar("Loop", bound="Callable[..., Any]")


def compiled(loop: Loop) -> Loop:
    """Return the loop compiled on first call and kept on disk.

    No fastmath: the compiler may then neither fuse nor reorder operations, so a series has the same bytes whatever
    stands beside it in the batch, and on every machine that follows IEEE 754.
    """
    return cast("Loop", numba.njit(nogil=True, cache=True, error_model="numpy")(loop))
