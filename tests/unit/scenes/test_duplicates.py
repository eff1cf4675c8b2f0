from __future__ import annotations

import random

import pytest

from agrocredit.scenes.duplicates import newest_only
from agrocredit.scenes.hrefs import Access
from agrocredit.scenes.items import scene_of

IDS = [
    "S2A_MSIL2A_20220623T101601_N0400_R065_T32TMT_20220623T160000",
    "S2A_MSIL2A_20220623T101601_N9999_R065_T32TMT_20230101T000000",
    "S2A_MSIL2A_20220623T101601_N0510_R065_T32TMT_20240101T000000",
    "S2A_MSIL2A_20220623T101601_N0400_R065_T32TNT_20220623T160000",
    "S2B_MSIL2A_20220625T101601_N0400_R108_T32TMT_20220625T110000",
    "S2B_MSIL2A_20220625T101601_N0400_R108_T32TMT_20220625T150000",
]
KEPT = [IDS[1], IDS[3], IDS[5]]


@pytest.fixture
def scenes(bare_item):
    def when(item_id):
        return f"2022-06-{item_id[17:19]}T10:16:01Z"

    return [
        scene_of(bare_item(item_id, datetime=when(item_id)), base="/x/items.json", access=Access(root="/x"))
        for item_id in IDS
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_newest_processing_stays_in_any_input_order(scenes, seed):
    random.Random(seed).shuffle(scenes)  # noqa: S311 - an order, not a secret
    kept, superseded = newest_only(scenes)
    assert sorted(scene.scene_id for scene in kept) == sorted(KEPT)
    assert superseded == sorted(set(IDS) - set(KEPT))


def test_two_tiles_of_one_datatake_share_their_acquisition(scenes):
    kept, _ = newest_only(scenes)
    assert {scene.tile for scene in kept[:2]} == {"32TMT", "32TNT"}
    assert kept[0].acquisition == kept[1].acquisition == "sentinel-2a_20220623T101601"


def test_nothing_in_gives_nothing_out():
    assert newest_only([]) == ([], [])
