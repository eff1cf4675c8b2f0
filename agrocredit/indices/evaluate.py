"""The plain NumPy answer of an index: the reference that the compiled kernel must agree with."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.indices.formula import can_fail, children

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from agrocredit.indices.definition import IndexDefinition

_FUNCTIONS: dict[str, Callable[..., NDArray[np.float64]]] = {
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
    "sqrt": np.sqrt,
}
_OPERATORS: dict[type[ast.operator], Callable[..., NDArray[np.float64]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}


def evaluate(definition: IndexDefinition, bands: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """Return the index of every pixel, NaN where it has no value.

    A pixel has no value where a denominator is zero or where any division, power or root inside the formula, or its
    result, is not finite. So ``1 / (1 / nir)`` at ``nir = 0`` is NaN and not 0.

    Parameters
    ----------
    definition : IndexDefinition
    bands : mapping of str to array_like
        Reflectance (0 to 1, unclipped) by common name; shapes must broadcast. Others are ignored.

    Returns
    -------
    ndarray of float64
        The broadcast shape of the bands.

    Raises
    ------
    InputUnusableError
        ``band_missing`` if a band of the formula is not given.
    """
    missing = [band for band in definition.bands if band not in bands]
    if missing:
        raise InputUnusableError(
            "band_missing", f"{definition.short_name} needs {', '.join(missing)}; given: {', '.join(bands) or 'none'}"
        )
    values = {name: np.asarray(bands[name], np.float64) for name in definition.bands}
    must_be_finite = list(values.values())
    values |= {name: np.asarray(value, np.float64) for name, value in definition.constants}
    with np.errstate(all="ignore"):
        result = _value(definition.tree, values, must_be_finite)
    for part in must_be_finite:
        result = np.where(np.isfinite(part), result, np.nan)
    return np.where(np.isfinite(result), result, np.nan)


def _value(
    node: ast.expr, values: Mapping[str, NDArray[np.float64]], must_be_finite: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return a node's value and note the steps that could hide a zero denominator from the result."""
    operands = [_value(child, values, must_be_finite) for child in children(node)]
    match node:
        case ast.Constant(value=number):
            return np.asarray(number, np.float64)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=op):
            return -operands[0] if isinstance(op, ast.USub) else operands[0]
        case ast.BinOp(op=op):
            value = _OPERATORS[type(op)](*operands)
        case ast.Call(func=ast.Name(id=name)):
            value = _FUNCTIONS[name](*operands)
        case _:
            raise AssertionError(f"{type(node).__name__} passed the check of formulas")
    if can_fail(node):
        must_be_finite.append(value)
    return value
