"""National series become labels: long, without zeros, whatever the files are called."""

import pyarrow.parquet as pq
import pytest

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from pipelines.adapt import LABEL_COLUMNS, adapt

HEADER = "Entity,Code,Year,Wheat (tonnes per hectare),Maize (tonnes per hectare)\n"


def folder(path, **files):
    path.mkdir()
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text)
    return path


def test_two_folders_join_and_rows_that_stand_twice_count_once(tmp_path):
    old = folder(tmp_path / "old", series=HEADER + "Kenya,KEN,2001,2.1,1.5\nAfrica,,2001,1.9,0\n")
    new = folder(tmp_path / "new", another_name=HEADER + "Kenya,KEN,2001,2.1,1.5\nKenya,KEN,2002,2.2,\n")
    summary = adapt("national_fao", [old, new], out=tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "labels.parquet").to_pylist()
    found = [(row["region"], row["crop"], row["harvest_year"], row["yield_t_ha"]) for row in rows]
    assert found == [
        ("Africa", "wheat", 2001, 1.9),
        ("KEN", "maize", 2001, 1.5),
        ("KEN", "wheat", 2001, 2.1),
        ("KEN", "wheat", 2002, 2.2),
    ]
    assert tuple(rows[0]) == LABEL_COLUMNS
    assert summary.counts == {"labels": 4, "regions": 2, "crops": 2}


def test_the_same_input_gives_the_same_bytes(tmp_path):
    source = folder(tmp_path / "in", a=HEADER + "Kenya,KEN,2001,2.1,1.5\n")
    for name in ("one", "two"):
        adapt("national_fao", [source], out=tmp_path / name)
    assert (tmp_path / "one/labels.parquet").read_bytes() == (tmp_path / "two/labels.parquet").read_bytes()


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(WrongUsageError, match="adapter_unknown: 'moon', expected one of national_fao"):
        adapt("moon", [tmp_path], out=tmp_path / "out")


def test_a_folder_without_such_a_file_and_a_file_without_its_keys_are_refused(tmp_path):
    with pytest.raises(InputUnusableError, match="labels_missing"):
        adapt("national_fao", [folder(tmp_path / "empty")], out=tmp_path / "out")
    with pytest.raises(InputUnusableError, match=r"column_missing: x\.csv: no column Code, Year"):
        adapt("national_fao", [folder(tmp_path / "wrong", x="Entity,b\n1,2\n")], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
