"""Formulas as arithmetic text for the zonal kernel: one expression an index over the bands of all of them.

The text is written from the checked tree, never copied from what a user typed, so it can hold nothing but numbers,
``b0 b1 ...`` (the bands, in the order of `CompiledIndices.bands`), the operators and four functions.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import WrongUsageError
from agrocredit.indices.definition import BANDS
from agrocredit.indices.formula import can_fail, children

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agrocredit.indices.definition import IndexDefinition

_SYMBOLS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledIndices:
    """What the zonal kernel needs to know of some indices; equal ones give equal text, so compiled code is reused."""

    names: tuple[str, ...]
    """Columns of the indices, lower case, in the order asked for."""
    bands: tuple[str, ...]
    """Common names of all bands needed, by wavelength; band ``i`` is ``b{i}`` in the texts."""
    uses: tuple[tuple[int, ...], ...]
    """For each index the positions in `bands` that it needs."""
    values: tuple[str, ...]
    """For each index its value as text."""
    guards: tuple[tuple[str, ...], ...]
    """For each index the inner steps that must be finite too: a zero denominator must not hide in the value."""


def compile_indices(definitions: Sequence[IndexDefinition]) -> CompiledIndices:
    """Return the indices as text over their joint bands.

    Parameters
    ----------
    definitions : sequence of IndexDefinition
        At least one; the order is kept.

    Raises
    ------
    WrongUsageError
        ``index_unknown`` if there is no index at all, ``index_repeated`` if one is asked for twice.
    """
    columns = tuple(definition.column for definition in definitions)
    if not columns:
        raise WrongUsageError("index_unknown", "no index asked for, expected one or more")
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise WrongUsageError("index_repeated", f"asked for more than once: {', '.join(repeated)}")
    used = {band for definition in definitions for band in definition.bands}
    bands = tuple(band for band in BANDS if band in used)
    texts = [_texts(definition, bands) for definition in definitions]
    return CompiledIndices(
        names=columns,
        bands=bands,
        uses=tuple(tuple(map(bands.index, definition.bands)) for definition in definitions),
        values=tuple(value for value, _ in texts),
        guards=tuple(guards for _, guards in texts),
    )


def _texts(definition: IndexDefinition, bands: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    words = {band: f"b{position}" for position, band in enumerate(bands)}
    words |= {name: repr(float(value)) for name, value in definition.constants}
    inner = dict.fromkeys(_write(node, words) for node in _inner(definition.tree) if can_fail(node))
    return _write(definition.tree, words), tuple(inner)


def _inner(node: ast.expr) -> Iterator[ast.expr]:
    """Yield every node below this one."""
    for child in children(node):
        yield child
        yield from _inner(child)


def _write(node: ast.expr, words: Mapping[str, str]) -> str:
    operands = [_write(child, words) for child in children(node)]
    match node:
        case ast.Constant(value=int(number) | float(number)):
            text = repr(float(number))
        case ast.Name(id=name):
            text = words[name]
        case ast.UnaryOp(op=op):
            text = f"({'-' if isinstance(op, ast.USub) else '+'}{operands[0]})"
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2)):
            text = f"({operands[0]} * {operands[0]})"
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=0.5)):
            # A root instruction; the general power is a call that the compiler cannot put into a vector.
            text = f"sqrt({operands[0]})"
        case ast.BinOp(op=op):
            text = f"({operands[0]} {_SYMBOLS[type(op)]} {operands[1]})"
        case ast.Call(func=ast.Name(id=name)):
            text = f"{name}({', '.join(operands)})"
        case _:
            raise AssertionError(f"{type(node).__name__} passed the check of formulas")
    return text
