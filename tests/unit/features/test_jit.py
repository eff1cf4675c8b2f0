from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from agrocredit import features
from agrocredit.features import dips, gaps, lanes

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
        and any(
            isinstance(decorator, ast.Name) and decorator.id in {"entry", "inner"} for decorator in node.decorator_list
        )
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loops_kept_on_disk_meet_one_signature_whatever_the_caller_brings(dtype: type) -> None:
    values = np.random.default_rng(0).random((5, 12, 2)).astype(dtype)
    values.flags.writeable = False
    weights, days = np.ones((5, 12), dtype), np.arange(0, 120, 10).astype(dtype)
    smoothing = features.Smoothing(dip_window_days=20, evidence_days=10, penalty_day3=500, tension_day=1)
    features.assemble_arrays(
        values, weights, days, step_days=np.arange(36), length_days=120, until_day=100, smoothing=smoothing
    )
    features.whittaker_smooth(values[:, :, 0], weights[0], penalty=10)
    for loop in (lanes.smooth_rows, lanes.draw, dips._dip_depths, gaps._measure):
        assert len(loop.signatures) == 1, loop
