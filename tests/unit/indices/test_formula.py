from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.indices.formula import LENGTH_MAX, names_in, parse_formula


@pytest.mark.parametrize(
    "formula", ["(nir - red) / (nir + red)", "-nir ** 0.5", "max(sqrt(nir), abs(red)) * 1e-3", " nir "]
)
def test_arithmetic_is_read(formula):
    assert isinstance(parse_formula(formula, index="X"), ast.expr)


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "(lambda: nir)()",
        "[nir for nir in red]",
        "nir if red else blue",
        "nir and red",
        "nir < red",
        "nir[0]",
        "(nir := red)",
        "f'{nir}'",
        "'nir'",
        "True",
        "1j",
        "...",
        "nir @ red",
        "nir // red",
        "~nir",
        "not nir",
        "max(*nir)",
        "max(nir, red, blue)",
        "abs(x=nir)",
        "nir\nred",
        "",
        "9" * 400,
        "(" * 240 + "nir" + ")" * 240,
        "-" * 100 + "nir",
        "nir" + " " * LENGTH_MAX + "+ red",
        "nir\x00",
    ],
)
def test_anything_else_is_refused(formula):
    with pytest.raises(InputUnusableError) as caught:
        parse_formula(formula, index="X")
    assert caught.value.code == "index_invalid"
    assert "'X'" in caught.value.detail


@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text):
    try:
        tree = parse_formula(text, index="X")
    except InputUnusableError:
        return
    assert all(isinstance(node, ast.expr | ast.operator | ast.unaryop | ast.expr_context) for node in ast.walk(tree))


def test_names_stand_in_reading_order_without_functions():
    tree = parse_formula("sqrt(red) + max(k, blue) / red", index="X")
    assert [node.id for node in names_in(tree)] == ["red", "k", "blue", "red"]
