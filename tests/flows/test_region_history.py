"""A history in another unit would move limits a thousandfold: what no field has ever brought is refused."""

import pytest

from agrocredit.domain.errors import InputUnusableError
from pipelines.region_history import read_region_history


def history(tmp_path, *rows):
    path = tmp_path / "history.csv"
    path.write_text("crop,harvest_year,yield_t_ha\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_a_yield_above_any_record_of_its_crop_is_refused_with_its_row(tmp_path):
    rows = ("wheat,2001,5.1", "wheat,2002,-1", "wheat,2003,5100", "Maize,2003,38", "wheat,2004,38", "garlic,2004,60")
    found = read_region_history(history(tmp_path, *rows))
    assert found.table["yield_t_ha"].to_pylist() == [5.1, 38.0, 60.0]
    assert [(refusal.code, refusal.row) for refusal in found.refused] == [
        ("yield_invalid", 2),
        ("yield_implausible", 3),
        ("yield_implausible", 5),
    ]


def test_a_whole_table_in_kilograms_cannot_be_used(tmp_path):
    with pytest.raises(InputUnusableError, match=r"no_usable_rows: .* are these kg/ha\?"):
        read_region_history(history(tmp_path, "wheat,2001,5100", "wheat,2002,4800"))
