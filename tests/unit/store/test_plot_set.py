from __future__ import annotations

import hashlib

import pyarrow as pa

from agrocredit.store.plot_files import read_plots
from agrocredit.store.plot_set import PLOT_TABLE, PlotSet


def three(write_geojson, make_feature, make_square):
    features = [make_feature(make_square(30 + n), id=name, crop="maize") for n, name in enumerate("cab")]
    return read_plots(write_geojson(*features))


def test_the_table_and_the_frame_hold_the_same_plots(write_geojson, make_feature, make_square):
    found = three(write_geojson, make_feature, make_square)
    assert found.table.schema.equals(PLOT_TABLE)
    assert found.table["id"].to_pylist() == found.plots["id"].tolist() == ["a", "b", "c"]
    assert found.table["geometry"].to_pylist() == found.plots.geometry.to_wkb().tolist()
    assert found.table["crop"].to_pylist() == found.plots["crop"].tolist()
    assert found.bounds_deg == tuple(found.plots.total_bounds)
    assert len(found) == found.read_count == 3


def test_the_frame_is_made_once(write_geojson, make_feature, make_square):
    found = three(write_geojson, make_feature, make_square)
    assert found.plots is found.plots


def test_the_hash_is_of_the_shapes_however_the_table_is_cut(write_geojson, make_feature, make_square):
    found = three(write_geojson, make_feature, make_square)
    expected = hashlib.sha256(b"".join(found.table["geometry"].to_pylist())).hexdigest()
    assert found.shapes_sha256 == expected
    pieces = pa.concat_tables([found.table.slice(0, 1), found.table.slice(1)])
    assert PlotSet(table=pieces, bounds_deg=found.bounds_deg, refused=()).shapes_sha256 == expected
    fewer = PlotSet(table=found.table.slice(1), bounds_deg=found.bounds_deg, refused=())
    assert fewer.shapes_sha256 == hashlib.sha256(b"".join(found.table["geometry"].to_pylist()[1:])).hexdigest()


def test_the_hash_of_plots_changes_with_an_id_and_with_a_shape(write_geojson, make_feature, make_square):
    found = three(write_geojson, make_feature, make_square)
    hashes = {found.sha256}
    for name, column in (
        ("id", pa.array(["a", "b", "cc"])),
        ("geometry", found.table["geometry"].take(pa.array([1, 0, 2]))),
    ):
        at = found.table.column_names.index(name)
        other = found.table.set_column(at, name, column.cast(found.table.schema.field(name).type))
        hashes.add(PlotSet(table=other, bounds_deg=found.bounds_deg, refused=()).sha256)
    renamed = found.table.set_column(0, "id", pa.array(["ab", "c", ""]))
    hashes.add(PlotSet(table=renamed, bounds_deg=found.bounds_deg, refused=()).sha256)
    assert len(hashes) == 4
    pieces = pa.concat_tables([found.table.slice(0, 1), found.table.slice(1)])
    assert PlotSet(table=pieces, bounds_deg=found.bounds_deg, refused=()).sha256 == found.sha256
