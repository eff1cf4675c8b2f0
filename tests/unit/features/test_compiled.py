from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agrocredit import features

FILES = sorted(Path(features.__file__).parent.glob("*.py"))


def imported_names(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("agrocredit")
        for alias in node.names
    }


def compiled_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(decorator, ast.Name) and decorator.id == "compiled" for decorator in node.decorator_list)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_compiled_loops_use_nothing_of_other_files(path: Path) -> None:
    # The disk cache of compiled code watches a loop's own file only: what it uses of another would go stale unseen.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    foreign = imported_names(tree)
    for function in compiled_functions(tree):
        used = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
        assert not used & foreign, function.name


def test_the_loops_are_found() -> None:
    counts = [len(compiled_functions(ast.parse(path.read_text(encoding="utf-8")))) for path in FILES]
    assert sum(counts) > 10
