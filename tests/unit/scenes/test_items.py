from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.hrefs import Access
from agrocredit.scenes.items import scene_of

ACCESS = Access(root="/nowhere")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    *[(name,) for name in ("type", "id", "bbox", "geometry", "properties", "assets")],
    *[
        ("properties", name)
        for name in ("datetime", "platform", "proj:epsg", "proj:shape", "proj:transform", "created")
    ],
    *[("properties", name) for name in ("s2:processing_baseline", "s2:datatake_id", "grid:code", "mgrs:utm_zone")],
    *[("assets", "B04", name) for name in ("href", "type", "roles", "bands", "eo:bands", "raster:bands", "gsd")],
    *[("assets", "B04", name) for name in ("file:checksum", "file:size", "raster:offset", "classification:classes")],
]


def scene(item):
    return scene_of(item, base="/nowhere/items.json", access=ACCESS)


def test_nir_is_b08_and_without_it_b8a(bare_item):
    both = scene(bare_item(assets={"B08": {"href": "a.tif"}, "B8A": {"href": "b.tif"}}))
    one = scene(bare_item(assets={"B8A": {"href": "b.tif"}}))
    assert (both.nir_asset, both.bands["nir"].key, both.bands["nir08"].key) == ("B08", "B08", "B8A")
    assert (one.nir_asset, one.bands["nir"].key) == ("B8A", "B8A")
    assert scene(bare_item()).nir_asset is None


def test_an_item_without_an_instant_lies_in_the_middle_of_its_range(bare_item):
    item = bare_item(datetime=None, start_datetime="2021-02-01T00:00:00Z", end_datetime="2021-02-03T00:00:00+00:00")
    found = scene(item)
    assert found.acquired_at == datetime(2021, 2, 2, tzinfo=UTC)
    assert found.start_at == datetime(2021, 2, 1, tzinfo=UTC)
    assert found.end_at == datetime(2021, 2, 3, tzinfo=UTC)
    assert found.acquisition == "unknown_20210201T000000_20210203T000000"


def test_times_become_utc(bare_item):
    assert scene(bare_item(datetime="2022-05-11T12:26:01+02:00")).acquired_at == datetime(
        2022, 5, 11, 10, 26, 1, tzinfo=UTC
    )
    assert scene(bare_item(datetime="2022-05-11T10:26:01")).acquired_at.tzinfo is UTC


@pytest.mark.parametrize("at", ["2031-05-11T10:26:01Z", "2021-05-11T10:26:01Z", "2022-05-13T10:26:01Z"])
def test_an_item_of_another_day_than_its_product_is_refused(bare_item, at):
    name = "S2A_MSIL2A_20220511T102601_N0400_R108_T32TMT_20220511T163359"
    assert scene(bare_item(name)).acquired_at.year == 2022
    assert scene(bare_item(name, datetime="2022-05-11T00:00:00Z")).acquired_at.hour == 0
    for item in (bare_item(name, datetime=at), bare_item("x", datetime=at, **{"s2:product_uri": f"{name}.SAFE"})):
        with pytest.raises(RefusedError, match="date_out_of_range"):
            scene(item)


def test_a_product_named_after_no_day_is_refused(bare_item):
    with pytest.raises(RefusedError, match="date_out_of_range"):
        scene(bare_item("S2A_MSIL2A_20221341T102601_N0400_R108_T32TMT_20220511T163359"))


def test_the_box_comes_from_the_geometry_where_there_is_none(bare_item):
    item = bare_item()
    del item["bbox"]
    item["geometry"] = {"type": "Polygon", "coordinates": [[[8, 47], [9, 47], [9, 48], [8, 47]]]}
    assert scene(item).bbox_deg == (8, 47, 9, 48)


def test_projection_of_the_asset_beats_that_of_the_item(bare_item):
    item = bare_item(
        assets={"B04": {"href": "a", "proj:shape": [5, 6]}, "B03": {"href": "b"}},
        **{"proj:epsg": 32632, "proj:shape": [7, 8], "proj:transform": [10, 0, 1, 0, -10, 2]},
    )
    bands = scene(item).bands
    assert (bands["red"].projection.shape, bands["red"].projection.transform) == ((5, 6), None)
    assert (bands["green"].projection.shape, bands["green"].projection.transform) == ((7, 8), (10, 0, 1, 0, -10, 2))
    assert bands["red"].projection.crs == "EPSG:32632"


def test_a_named_class_map_serves_as_mask(bare_item):
    classes = [{"value": 1, "name": "clear"}, {"value": 2, "name": "cloud"}]
    found = scene(bare_item(assets={"B04": {"href": "a"}, "qa": {"href": "q", "classification:classes": classes}}))
    assert (found.mask_kind, found.mask_classes) == ("classes", {1: "clear", 2: "cloud"})
    assert found.mask is not None
    assert found.mask.key == "qa"
    assert scene(bare_item()).mask_kind == "none"


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item.update(type="FeatureX"),
        lambda item: item.update(id=None),
        lambda item: item.update(id=""),
        lambda item: item.update(assets=[]),
        lambda item: item.update(assets={"B04": "x.tif"}),
        lambda item: item.update(assets={"B04": {"href": 3}}),
        lambda item: item.update(properties=None),
        lambda item: item.update(bbox=None, geometry=None),
        lambda item: item.update(bbox=[8, 47, float("nan"), 48]),
        lambda item: item.update(bbox=[492760, 5257860, 493540, 5258660]),
        lambda item: item["properties"].update(datetime="yesterday"),
        lambda item: item["properties"].update(datetime=None),
        lambda item: item["properties"].update(
            datetime=None, start_datetime="2022-02-01T00:00:00Z", end_datetime="2022-01-01T00:00:00Z"
        ),
    ],
)
def test_an_item_without_what_we_need_is_refused(bare_item, change):
    item = bare_item()
    change(item)
    with pytest.raises(RefusedError) as raised:
        scene(item)
    assert raised.value.code == "item_invalid"


@pytest.mark.parametrize("item", [None, [], "Feature", 3, {}])
def test_what_is_no_object_is_refused(item):
    with pytest.raises(RefusedError, match="item_invalid"):
        scene(item)


def test_hostile_nesting_of_coordinates_does_not_end_the_run(bare_item):
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    item = bare_item()
    item.update(bbox=None, geometry={"type": "Polygon", "coordinates": nested})
    with pytest.raises(RefusedError, match="neither bbox nor geometry"):
        scene(item)
    while nested:  # taken apart by hand: freeing it at once would recurse
        nested = nested[0]


@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_gives_a_scene_or_a_refusal(place, value):
    item = {
        "type": "Feature",
        "id": "one",
        "bbox": [8, 47, 9, 48],
        "properties": {"datetime": "2022-05-11T10:26:01Z"},
        "assets": {"B04": {"href": "a.tif"}, "SCL": {"href": "b.tif"}},
    }
    holder = item
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = value
    with contextlib.suppress(RefusedError):
        assert scene(item).bbox_deg[1] <= scene(item).bbox_deg[3]
