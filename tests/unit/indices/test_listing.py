from __future__ import annotations

from pathlib import Path

from agrocredit.indices import built_in_indices, formula_table, read_indices

PAGE = Path(__file__).parents[3] / "docs" / "method" / "indices.md"


def test_the_page_on_indices_holds_the_table_of_the_catalogue():
    assert formula_table(built_in_indices()) in PAGE.read_text()


def test_the_example_on_the_page_can_be_read(tmp_path):
    example = PAGE.read_text().split("```toml\n")[1].split("```")[0]
    path = tmp_path / "own.toml"
    path.write_text(example)
    assert [definition.short_name for definition in read_indices(path)] == ["NSDSI1"]


def test_a_row_shows_constants_and_range():
    table = formula_table(built_in_indices()[1:2])
    assert "| EVI | Enhanced Vegetation Index |" in table
    assert "| g = 2.5, C1 = 6, C2 = 7.5, L = 1 | -1 to 1 |" in table
