"""A labelled folder that is none is refused alike, whoever reads it."""

import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError
from pipelines.adapters.adapted import LABEL_COLUMNS
from pipelines.area_data import read_area_data
from pipelines.backtest_history import read_harvests
from pipelines.known_crops import known_crops
from pipelines.labelled_data import read_labelled

READERS = {
    "evaluate plots": lambda folder: read_labelled(folder, crop="winter_wheat", years=None),
    "evaluate areas": lambda folder: read_area_data(folder, crop="winter_wheat"),
    "backtest": lambda folder: read_harvests(folder, lent_on={"winter_wheat"}, crops=known_crops()),
}


def broken(folder, fault):
    if fault == "no file":
        return "file_missing"
    if fault == "no table":
        (folder / "labels.parquet").write_bytes(b"PAR1 and no more")
        return "labels_unreadable"
    pd.DataFrame({name: [1] for name in LABEL_COLUMNS if name != "harvest_year"}).to_parquet(folder / "labels.parquet")
    return "column_missing"


@pytest.mark.parametrize("fault", ["no file", "no table", "no year"])
@pytest.mark.parametrize("reader", READERS)
def test_a_folder_that_holds_no_labels_is_refused_alike_and_named(tmp_path, reader, fault):
    code = broken(tmp_path, fault)
    with pytest.raises(InputUnusableError, match=f"{tmp_path.name}/labels.parquet") as refused:
        READERS[reader](tmp_path)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("harvest_year", "last"),
        ("harvest_year", 2020.5),
        ("harvest_year", None),
        ("unit", None),
        ("crop", None),
        ("yield_t_ha", "much"),
        ("longitude", "east"),
    ],
)
@pytest.mark.parametrize("reader", ["evaluate plots", "evaluate areas"])
def test_a_label_without_a_name_a_whole_year_or_numbers_is_named_by_its_row(tmp_path, reader, column, value):
    rows = [dict(zip(LABEL_COLUMNS, (f"u{i}", "r", "winter_wheat", 2020, 5.0, 8.0, 47.0), strict=True)) for i in (1, 2)]
    labels = pd.DataFrame(rows).astype({column: object})
    labels.loc[1, column] = value
    if column not in {"unit", "crop"} and isinstance(value, str):
        labels[column] = labels[column].astype(str)
    labels.to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(InputUnusableError, match=f"row 2 has .*{column}") as refused:
        READERS[reader](tmp_path)
    assert refused.value.code == "labels_unreadable"


def test_an_area_needs_a_region(tmp_path):
    row = dict(zip(LABEL_COLUMNS, ("u1", None, "winter_wheat", 2020, 5.0, 8.0, 47.0), strict=True))
    pd.DataFrame([row]).to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(InputUnusableError, match=r"row 1 has .*region (None|nan)"):
        read_area_data(tmp_path, crop="winter_wheat")


def test_years_written_as_text_are_years(tmp_path):
    row = dict(zip(LABEL_COLUMNS, ("u1", "r", "winter_wheat", "2020", 5.0, 8.0, 47.0), strict=True))
    pd.DataFrame([row]).to_parquet(tmp_path / "labels.parquet")
    pd.DataFrame({"unit": ["u1"]}).to_parquet(tmp_path / "static.parquet")
    assert read_area_data(tmp_path, crop="winter_wheat").labels["harvest_year"].tolist() == [2020]
