"""The house keeps its floors, and the words of a place that is not ours stay out."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python_files():
    return sorted(
        path
        for folder in ("agrocredit", "pipelines")
        for path in (ROOT / folder).rglob("*.py")
        if "_bundled" not in path.parts
    )


def test_rooms_do_not_import_each_other():
    subprocess.run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, check=True)


def test_no_file_is_a_drawer_for_everything():
    names = {path.stem for path in python_files()}
    assert names.isdisjoint({"utils", "util", "helpers", "helper", "common", "misc", "core"})


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 300


def body_lines(function):
    """Lines of a function without its docstring."""
    first = function.body[0]
    docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if docstring else 0)


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_stay_short(path):
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in functions if body_lines(node) > 70] == []


def _is_mathematical(value):
    """Halves, wholes and tolerances are arithmetic; 90 degrees is a pole."""
    return value in {0.0, 0.5, 1.0, 90.0} or value <= 1e-6


def float_literals(path):
    """Numbers with a fraction that stand in code: a policy number in disguise."""
    tree = ast.parse(path.read_text())
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and not _is_mathematical(node.value)
    ]


def test_the_money_side_holds_no_number_a_credit_officer_would_argue_about():
    found = [line for path in sorted((ROOT / "agrocredit/credit").rglob("*.py")) for line in float_literals(path)]
    assert not found


@pytest.mark.parametrize("command", [["--help"], ["observe", "--help"], ["estimate", "--help"], ["assess", "--help"]])
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom agrocredit.cli import main\n"
        f"sys.argv = ['agrocredit', *{command!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'dask', 'rasterio', 'numba', 'pandas', 'pyarrow', 'geopandas', 'xarray', 'scipy', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
