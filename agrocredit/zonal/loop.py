"""Loops over arrays: written in Python, run as machine code, made for the types they are called with.

A loop takes arrays and numbers, changes arrays and returns nothing. Its file is handed on as text, and the compiler is
loaded only by a process that has to compile. Beside NumPy a loop may use what stands in its own text and the constants
of `agrocredit.zonal.layout`, nothing else: kept code would not notice that it changed.
"""

from __future__ import annotations

import threading
from ctypes import addressof, c_void_p
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agrocredit.zonal.machine_code import Kind

_compiling = threading.Lock()


class Loop:
    """One function of a text; threads may call it at the same time, and hold no lock while it runs."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._native: dict[tuple[Kind, ...], Callable[..., int]] = {}

    @classmethod
    def of_file(cls, file: str, name: str) -> Self:
        """Return a function of a file in this folder."""
        return cls(Path(__file__).with_name(file).read_text(encoding="utf-8"), name)

    def __call__(self, *arguments: Any) -> None:  # noqa: ANN401 - arrays and numbers of any type
        """Run the loop.

        Parameters
        ----------
        *arguments : ndarray, int or float
            Arrays in C order and aligned; which of them change, the loop says.
        """
        kinds = tuple(map(_kind, arguments))
        native = self._native.get(kinds) or self._compiled(kinds)
        scratch = (c_void_p * 2)()
        words = [word for argument in arguments for word in _words(argument)]
        status = native(addressof(scratch), addressof(scratch) + 8, *words)
        if status:
            raise RuntimeError(f"loop {self._name} ended with status {status}, expected 0")

    def _compiled(self, kinds: tuple[Kind, ...]) -> Callable[..., int]:
        from agrocredit.zonal.machine_code import native_function

        with _compiling:
            if kinds not in self._native:
                self._native[kinds] = native_function(self._text, self._name, kinds)
            return self._native[kinds]


def _kind(argument: Any) -> Kind:  # noqa: ANN401
    if isinstance(argument, np.ndarray):
        return argument.dtype, argument.ndim
    return float if isinstance(argument, float) else int


def _words(argument: Any) -> Iterator[int | float]:  # noqa: ANN401
    """Yield an argument as compiled code takes it."""
    if not isinstance(argument, np.ndarray):
        yield argument
        return
    if not (argument.flags.c_contiguous and argument.flags.aligned):
        raise ValueError(f"array of shape {argument.shape} and strides {argument.strides}, expected aligned C order")
    yield from (0, 0, argument.size, argument.itemsize, argument.ctypes.data)
    yield from argument.shape
    yield from argument.strides
