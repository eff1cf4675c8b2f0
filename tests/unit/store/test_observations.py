from __future__ import annotations

import json
from datetime import UTC, datetime

import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import observations
from agrocredit.store.observations import read_manifest, read_observations, write_observations

SCHEMA = observations(["NDVI", "EVI"])


def part(*plots, ndvi=0.5):
    count = len(plots)
    at = datetime(2022, 5, 1, 10, tzinfo=UTC)
    columns = [list(plots), ["s"] * count, [at] * count, [1.0] * count, [9.5] * count, [ndvi] * count, [None] * count]
    return pa.table(columns, schema=SCHEMA)


@pytest.fixture
def folder(tmp_path):
    write_observations(
        iter([part("a", "b"), part("c")]), tmp_path / "obs", manifest={"recipe": "r", "counts": {"n": 3}}
    )
    return tmp_path / "obs"


def test_rows_read_back_in_the_order_of_the_parts(folder):
    found = read_observations(folder)
    assert found.schema == SCHEMA
    assert found["plot_id"].to_pylist() == ["a", "b", "c"]


def test_the_manifest_keeps_the_record_and_lists_the_parts(folder):
    manifest = read_manifest(folder)
    assert (manifest["recipe"], manifest["counts"]) == ("r", {"n": 3})
    assert [(listed["file"], listed["rows"]) for listed in manifest["parts"]] == [
        ("part-00000.parquet", 2),
        ("part-00001.parquet", 1),
    ]


def test_other_tools_read_the_dataset(folder):
    assert pads.dataset(folder, format="parquet", exclude_invalid_files=True).count_rows() == 3
    assert len(dd.read_parquet(folder)) == 3
    assert len(pd.read_parquet(sorted(folder.glob("*.parquet")))) == 3
    assert len(pd.read_parquet(folder, ignore_prefixes=[".", "manifest"])) == 3


def test_equal_parts_give_equal_bytes(folder, tmp_path):
    write_observations([part("a", "b"), part("c")], tmp_path / "again", manifest={"counts": {"n": 3}, "recipe": "r"})
    for found in sorted(folder.iterdir()):
        assert (tmp_path / "again" / found.name).read_bytes() == found.read_bytes()


def test_a_new_run_replaces_the_old_one_whole(folder):
    write_observations([part("z")], folder, manifest={})
    assert read_observations(folder)["plot_id"].to_pylist() == ["z"]
    assert len(list(folder.glob("*.parquet"))) == 1


def test_no_rows_at_all_is_an_empty_table(tmp_path):
    write_observations([], tmp_path / "obs", manifest={})
    assert read_observations(tmp_path / "obs").num_rows == 0
    write_observations([SCHEMA.empty_table()], tmp_path / "obs", manifest={})
    assert read_observations(tmp_path / "obs").schema == SCHEMA


def test_a_part_with_a_missing_column_publishes_nothing(tmp_path):
    with pytest.raises(InputUnusableError, match="column_missing"):
        write_observations([part("a"), part("b").drop_columns("scene_id")], tmp_path / "obs", manifest={})
    assert list(tmp_path.iterdir()) == []


def test_a_changed_part_is_refused(folder):
    first, second = sorted(folder.glob("*.parquet"))
    second.write_bytes(first.read_bytes())
    with pytest.raises(InputUnusableError, match=r"part-00001\.parquet is not the file") as caught:
        read_observations(folder)
    assert caught.value.code == "observations_invalid"


def test_a_missing_part_is_refused(folder):
    (folder / "part-00001.parquet").unlink()
    with pytest.raises(InputUnusableError, match=r"part-00001\.parquet of the manifest is missing"):
        read_observations(folder)


def test_a_stray_part_is_not_read(folder):
    (folder / "part-00009.parquet").write_bytes((folder / "part-00000.parquet").read_bytes())
    assert read_observations(folder).num_rows == 3


def test_a_manifest_without_parts_means_all_files(folder):
    (folder / "manifest.json").write_text("{}")
    assert read_observations(folder).num_rows == 3


def test_no_folder_or_manifest_is_a_missing_file(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputUnusableError, match="file_missing"):
            read_observations(path)


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", '{"scenes": 1}', '{"refused": [1]}', '{"parts": 1}', '{"parts": [1]}', '{"parts": [{"file": "a"}]}']
    + [
        json.dumps({"parts": [{"file": name, "sha256": "x"}]})
        for name in ("../obs.parquet", "manifest.json", "no.parquet")
    ],
)
def test_a_broken_manifest_is_refused(folder, manifest):
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(InputUnusableError) as caught:
        read_observations(folder)
    assert caught.value.code == "observations_invalid"
