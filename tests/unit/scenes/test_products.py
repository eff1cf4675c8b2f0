from __future__ import annotations

import pytest

from agrocredit.scenes import products

ID = "S2A_MSIL2A_20220305T102921_N0400_R108_T32TMT_20220305T135811"


def test_the_long_name_tells_mission_start_tile_baseline_and_generation():
    texts = [ID]
    assert products.mission_of(texts, {}) == "sentinel-2a"
    assert products.sensing_start(texts) == "20220305T102921"
    assert products.tile_of(texts, {}) == "32TMT"
    assert products.baseline_of(texts, {}) == "04.00"
    assert products.generated_at(texts, {}) == "20220305135811"


@pytest.mark.parametrize(
    ("properties", "item_id"),
    [
        ({"s2:datatake_id": "GS2A_20220305T102921_034999_N04.00"}, "S2A_32TMT_20220305_0_L2A"),
        ({"eopf:datatake_id": "GS2A_20220305T102921_034999_N05.10"}, "x"),
        ({}, "S2A_MSIL2A_20220305T102921_R108_T32TNT_20221231T000000"),
    ],
)
def test_every_dialect_gives_the_same_sensing_start(properties, item_id):
    assert products.sensing_start(products.product_texts(item_id, properties)) == "20220305T102921"


def test_a_property_beats_the_name_and_a_software_version_is_no_baseline():
    assert products.baseline_of([ID], {"s2:processing_baseline": "05.09"}) == "05.09"
    assert products.baseline_of([ID], {"processing:version": "0.1.0"}) == "04.00"
    assert products.baseline_of(["plain"], {}) is None


def test_the_reprocessing_mark_sorts_as_newest():
    assert products.baseline_of([ID.replace("N0400", "N9999")], {}) == "99.99"


def test_tiles_of_one_digit_zones_get_two():
    assert products.tile_of([], {"grid:code": "MGRS-7HFE"}) == "07HFE"
    assert products.tile_of([], {"mgrs:utm_zone": 7, "mgrs:latitude_band": "H", "mgrs:grid_square": "FE"}) == "07HFE"
    assert products.tile_of(["nothing"], {}) is None


def test_platform_is_lower_case_in_one_spelling():
    assert products.mission_of([], {"platform": "Sentinel-2B"}) == "sentinel-2b"
    assert products.mission_of([], {"constellation": "Sentinel 2"}) == "sentinel-2"
    assert products.mission_of([], {}) == "unknown"
