"""Formula text to a checked syntax tree. User text is parsed and walked, never evaluated."""

from __future__ import annotations

import ast
import math
from functools import lru_cache
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTIONS: dict[str, tuple[int, int]] = {"abs": (1, 1), "max": (2, 2), "min": (2, 2), "sqrt": (1, 1)}
"""Functions a formula may call, with the least and the most arguments."""

LENGTH_MAX = 500
DEPTH_MAX = 60
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_SIGNS = (ast.UAdd, ast.USub)


def invalid(index: str, detail: str) -> InputUnusableError:
    """Return the error that says what is wrong with one index."""
    return InputUnusableError("index_invalid", f"index {index!r}: {detail}")


@lru_cache(maxsize=1024)
def parse_formula(formula: str, *, index: str) -> ast.expr:
    """Return the syntax tree of a formula that holds nothing but allowed arithmetic.

    Parameters
    ----------
    formula : str
        For example ``(nir - red) / (nir + red)``; at most `LENGTH_MAX` characters.
    index : str
        Name of the index, for the error.

    Raises
    ------
    InputUnusableError
        ``index_invalid`` with the column (from 1) of the first thing that is not allowed.
    """
    formula = formula.strip()
    if len(formula) > LENGTH_MAX:
        raise invalid(index, f"formula of {len(formula)} characters, expected {LENGTH_MAX} or fewer")
    try:
        tree = ast.parse(formula, mode="eval").body
    except SyntaxError as error:
        raise invalid(index, f"formula {formula!r} cannot be read at column {error.offset}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise invalid(index, f"formula {formula!r} cannot be read") from None
    _check(tree, formula=formula, index=index, depth=0)
    return tree


def names_in(tree: ast.expr) -> list[ast.Name]:
    """Return the band and constant names of a formula in reading order, functions left out."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    return sorted(names, key=lambda node: (node.lineno, node.col_offset))


def children(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the operands of an allowed node."""
    match node:
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Call(args=args):
            yield from args


def can_fail(node: ast.expr) -> bool:
    """Return whether finite operands may give a value that is not finite, and not by mere overflow."""
    match node:
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int(power))) if power > 0:
            return False
        case ast.BinOp(op=ast.Div() | ast.Pow()):
            return True
        case ast.Call(func=ast.Name(id="sqrt")):
            return True
    return False


def _check(node: ast.expr, *, formula: str, index: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise invalid(index, f"formula {formula!r} is nested deeper than {DEPTH_MAX}")
    fault = _fault(node)
    if fault:
        raise invalid(index, f"formula {formula!r}, column {node.col_offset + 1}: {fault}")
    for child in children(node):
        _check(child, formula=formula, index=index, depth=depth + 1)


def _fault(node: ast.expr) -> str | None:
    """Say why one node is not allowed, or None where it is."""
    match node:
        case ast.Constant(value=value):
            return None if _is_finite(value) else f"{value!r:.30} is not a finite number"
        case ast.Name():
            return None
        case ast.BinOp(op=op):
            return None if isinstance(op, _OPERATORS) else f"operator {type(op).__name__} is not one of + - * / **"
        case ast.UnaryOp(op=op):
            return None if isinstance(op, _SIGNS) else f"operator {type(op).__name__} is not one of + -"
        case ast.Call():
            return _call_fault(node)
    return f"{type(node).__name__} is not allowed, only names, numbers, + - * / ** and {', '.join(FUNCTIONS)}"


def _is_finite(value: object) -> bool:
    try:
        return type(value) in {int, float} and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer beyond the largest float
        return False


def _call_fault(node: ast.Call) -> str | None:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in FUNCTIONS:
        return f"function {name!r} is not one of {', '.join(FUNCTIONS)}"
    least, most = FUNCTIONS[name]
    plain = not node.keywords and not any(isinstance(argument, ast.Starred) for argument in node.args)
    if not plain or not least <= len(node.args) <= most:
        return f"{name} takes {most} argument{'s' * (most > 1)}"
    return None
