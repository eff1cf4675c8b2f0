"""The catalogue as a table for people; the page on indices in the documentation holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agrocredit.indices.definition import IndexDefinition


def formula_table(definitions: Iterable[IndexDefinition]) -> str:
    """Return a Markdown table with one row an index: name, formula, constants, range, reference.

    Parameters
    ----------
    definitions : iterable of IndexDefinition
    """
    head = "| Name | Long name | Formula | Constants | Range | Reference |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join([head, *map(_row, definitions)]) + "\n"


def _row(definition: IndexDefinition) -> str:
    constants = ", ".join(f"{name} = {value:g}" for name, value in definition.constants)
    values = "" if definition.range is None else f"{definition.range[0]:g} to {definition.range[1]:g}"
    cells = (
        definition.short_name,
        definition.long_name,
        f"`{definition.formula}`",
        constants,
        values,
        f"<{definition.reference}>",
    )
    return f"| {' | '.join(cells)} |"
