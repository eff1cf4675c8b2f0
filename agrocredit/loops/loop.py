"""Loops over arrays: written in Python, run as machine code, made for the types they are called with.

A loop takes arrays and numbers, changes arrays and returns nothing. Its file is handed on as text, and the compiler is
loaded only by a process that has to compile. Beside NumPy a loop may use what stands in its own text and the constants
that are named when it is made, nothing else: kept code would not notice that it changed.
"""

from __future__ import annotations

import threading
from ctypes import CFUNCTYPE, addressof, c_double, c_int32, c_ssize_t, c_void_p
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Kind: TypeAlias = tuple[np.dtype[Any], int] | type
"""Of an argument: an array's type and dimensions, or int or float."""

_compiling = threading.Lock()


class Loop:
    """One function of a text; threads may call it at the same time, and hold no lock while it runs.

    The text runs: only text of this program, or text generated from checked parts, may become a loop.
    """

    def __init__(self, text: str, name: str, constants: Mapping[str, Any] | None = None) -> None:
        self._text = text
        self._name = name
        self._constants = {key: value for key, value in (constants or {}).items() if key.isupper()}
        self._native: dict[tuple[Kind, ...], Callable[..., int]] = {}

    @classmethod
    def of_file(cls, file: Path, name: str, constants: Mapping[str, Any] | None = None) -> Self:
        """Return a function of a file.

        Parameters
        ----------
        file : Path
        name : str
        constants : mapping, optional
            What the text imports, or the variables of the module where it does: names in capitals count.
        """
        return cls(file.read_text(encoding="utf-8"), name, constants)

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
        words: list[int | float] = [addressof(scratch), addressof(scratch) + 8]
        for argument in arguments:
            words += _words(argument)
        status = native(*words)
        if status:
            raise RuntimeError(f"loop {self._name} ended with status {status}, expected 0")

    def _compiled(self, kinds: tuple[Kind, ...]) -> Callable[..., int]:
        with _compiling:
            if kinds not in self._native:
                self._native[kinds] = self._loaded(kinds)
            return self._native[kinds]

    def _loaded(self, kinds: tuple[Kind, ...]) -> Callable[..., int]:
        from agrocredit.loops.machine_code import kept_code, load_code
        from agrocredit.loops.object_code import SYMBOL

        def make() -> bytes:
            from agrocredit.loops.compile_loop import compile_loop

            return compile_loop(self._text, self._name, kinds)

        types = [kind.__name__ if isinstance(kind, type) else f"{kind[0].str}{kind[1]}" for kind in kinds]
        code = kept_code([self._text, self._name, types, sorted(self._constants.items())], make)
        return CFUNCTYPE(c_int32, *_word_types(kinds))(load_code(code, SYMBOL))


def _word_types(kinds: tuple[Kind, ...]) -> list[Any]:
    """Return what compiled code takes: places for a result and an error, then each argument as `_words` gives it."""
    words: list[Any] = [c_ssize_t, c_ssize_t]
    for kind in kinds:
        if isinstance(kind, type):
            words.append(c_double if kind is float else c_ssize_t)
        else:
            words += [c_ssize_t] * (5 + 2 * kind[1])
    return words


def _kind(argument: Any) -> Kind:  # noqa: ANN401
    if isinstance(argument, np.ndarray):
        return argument.dtype, argument.ndim
    return float if isinstance(argument, float) else int


def _words(argument: Any) -> tuple[int | float, ...]:  # noqa: ANN401
    """Return an argument as numba passes it: a number, or twice 0, items, bytes an item, address, shape, strides."""
    if not isinstance(argument, np.ndarray):
        return (argument,)
    flags = argument.flags
    if not (flags.c_contiguous and flags.aligned):
        raise ValueError(f"array of shape {argument.shape} and strides {argument.strides}, expected aligned C order")
    return (0, 0, argument.size, argument.itemsize, argument.ctypes.data, *argument.shape, *argument.strides)
