"""Loops in LLVM's own language, for what Python cannot say: vectors whose lanes change places."""

from __future__ import annotations

from ctypes import CFUNCTYPE, c_size_t
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def assembled(text: str, *, arguments: int) -> Callable[..., None]:
    """Return the function ``@loop`` of a module as machine code; it holds no lock while it runs.

    Parameters
    ----------
    text : str
        LLVM assembly (https://llvm.org/docs/LangRef.html) for any processor; ``@loop`` returns nothing.
    arguments : int
        How many it takes: addresses and sizes, of 64 bits each.
    """
    from llvmlite.binding import parse_assembly

    from agrocredit.loops.machine_code import kept_code, load_code
    from agrocredit.loops.object_code import SYMBOL, object_code

    code = kept_code(["assembly", text], lambda: object_code(parse_assembly(text)))
    return CFUNCTYPE(None, *[c_size_t] * arguments)(load_code(code, SYMBOL))
