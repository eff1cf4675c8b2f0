from __future__ import annotations

from agrocredit.report import provenance as module
from agrocredit.report.joined import join_run
from agrocredit.report.provenance import provenance


def test_scenes_are_listed_by_time_with_their_reading_and_hashes(run_of_sixty):
    found = provenance(run_of_sixty, join_run(run_of_sixty))
    assert found.scenes_total == len(found.scenes) == 36
    first = found.scenes[0]
    assert (first.scene_id, first.acquired) == ("S2B_T49SFV_20251003", "2025-10-03 03:15")
    assert (first.offset, first.mask, first.nir_asset) == ("-0.1", "scl", "nir")
    assert dict(first.files)["red"] == run_of_sixty.manifest["scenes"][0]["assets"]["red"]["sha256"]
    assert [row.acquired for row in found.scenes] == sorted(row.acquired for row in found.scenes)


def test_refusals_of_run_and_manifest_stand_once_each_with_what_they_name(whole_run):
    twice = [
        {
            "scene_id": "S2A_T49SFV_20260114",
            "asset": "rededge1",
            "code": "asset_unreadable",
            "detail": "file ends after 211,968 of 480,112 bytes",
        }
    ]
    inputs = whole_run(4, refused=[*twice, {"row": 0, "code": "id_missing", "detail": "no id"}])
    found = provenance(inputs, join_run(inputs))
    assert [(row.code, row.named) for row in found.refusals] == [
        ("asset_unreadable", "scene S2A_T49SFV_20260114, asset rededge1"),
        ("id_missing", "row 0"),
    ]
    assert {bar.code: bar.count for bar in found.refusals_by_code} == {"asset_unreadable": 1, "id_missing": 1}


def test_facts_name_release_policy_recipe_and_moisture(run_of_sixty):
    facts = dict(provenance(run_of_sixty, join_run(run_of_sixty)).facts)
    assert facts["release of the yield model"] == ("henan-2026.1",)
    assert facts["policy"] == ("sample_region, version 2026-01-01",)
    assert facts["recipe of the observations"] == (run_of_sixty.manifest["recipe"],)
    assert facts["yields are stated"] == ("winter wheat at 13 % moisture",)


def test_assets_may_be_a_mapping_of_hashes_or_a_list_of_records(whole_run):
    scenes = [
        {"scene_id": "a", "acquired_at": "2026-01-01", "assets": {"red": "abc"}},
        {"scene_id": "b", "acquired_at": "2026-01-02", "assets": [{"asset": "red", "sha256": "def"}]},
        {"scene_id": "c", "acquired_at": "2026-01-03"},
    ]
    inputs = whole_run(2, manifest={"scenes": scenes})
    found = provenance(inputs, join_run(inputs))
    assert [row.files for row in found.scenes] == [(("red", "abc"),), (("red", "def"),), ()]


def test_long_lists_are_cut_and_counted_whole(run_of_sixty, monkeypatch):
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    found = provenance(run_of_sixty, join_run(run_of_sixty))
    assert (len(found.scenes), found.scenes_total) == (2, 36)
    assert (len(found.refusals), found.refusals_total) == (2, 3)


def test_an_empty_manifest_is_no_error(whole_run):
    inputs = whole_run(2, manifest={}, refused=[], estimates=None, decisions=None)
    found = provenance(inputs, join_run(inputs))
    assert (found.scenes, found.refusals) == ((), ())
