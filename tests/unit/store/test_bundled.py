from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store import bundled
from agrocredit.store.bundled import data_path, models_path

ROOT = Path(__file__).resolve().parents[3]


def test_a_checkout_reads_its_own_folders():
    assert data_path() == ROOT / "data"
    assert data_path("facts") == ROOT / "data" / "facts"
    assert models_path() == ROOT / "models"


def test_an_installed_package_reads_its_bundled_copy(tmp_path):
    package = tmp_path / "site-packages" / "agrocredit"
    facts = package / "_bundled" / "data" / "facts"
    facts.mkdir(parents=True)
    assert bundled._find("data", ("facts",), package=package) == facts


def test_a_folder_called_data_beside_an_installed_package_is_not_ours(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(InputUnusableError, match="bundled_missing"):
        bundled._find("data", (), package=tmp_path / "agrocredit")


@pytest.mark.parametrize("parts", [("absent",), ("..", "pyproject.toml"), ("/",), ("facts", "..", "..")])
def test_what_is_not_there_or_leads_out_is_missing(parts):
    with pytest.raises(InputUnusableError) as caught:
        data_path(*parts)
    assert caught.value.code == "bundled_missing"


def test_the_wheel_holds_models_and_facts_and_needs_no_checkout(tmp_path):
    """Build in a copy, so that no build folder appears in the tree; the copy has a release of its own."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("agrocredit", "pipelines", "data", "models"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        (tree / name).write_bytes((ROOT / name).read_bytes() if (ROOT / name).is_file() else b"")
    (tree / "models" / "probe").mkdir()
    (tree / "models" / "probe" / "weights.safetensors").write_bytes(b"weights")
    (tree / "models" / ".hidden").write_bytes(b"")
    stale = tree / "build" / "lib" / "agrocredit" / "_bundled" / "gone.txt"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        ".",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(tmp_path),
    ]
    built = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("agrocredit-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    bundled_names = {name.removeprefix("agrocredit/_bundled/") for name in names if "/_bundled/" in name}
    facts = {found.relative_to(ROOT).as_posix() for found in (ROOT / "data" / "facts").glob("*.toml")}
    assert facts | {"models/probe/weights.safetensors"} <= bundled_names
    assert not {"gone.txt", "models/.hidden"} & bundled_names
    ask = "from agrocredit.store.bundled import models_path; print(models_path('probe', 'weights.safetensors'))"
    said = subprocess.run([sys.executable, "-c", ask], cwd=site, capture_output=True, text=True, check=True).stdout
    assert Path(said.strip()) == site / "agrocredit" / "_bundled" / "models" / "probe" / "weights.safetensors"
