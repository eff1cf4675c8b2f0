from __future__ import annotations

import json

from agrocredit.store.plot_files import check_plots
from agrocredit.store.plot_report import report_plots


def test_the_report_counts_and_names_every_refusal(write_geojson, make_feature, make_square):
    tie = make_square(31)
    tie[1], tie[2] = tie[2], tie[1]
    plotset = check_plots(write_geojson(make_feature(id="a"), make_feature(tie, id="b"), make_feature(make_square(32))))
    report = report_plots(plotset)
    assert report["counts"] == {"read": 3, "usable": 1, "refused": 2}
    assert report["refused_by_code"] == {"geometry_invalid": 1, "id_missing": 1}
    assert report["area_m2"] == plotset.plots["area_m2"][0]
    first, second = report["refused"]
    assert (first["code"], first["plot_id"], first["row"]) == ("geometry_invalid", "b", 2)
    assert (second["code"], second["row"]) == ("id_missing", 3)
    assert "plot_id" not in second
    json.dumps(report, allow_nan=False)


def test_the_report_of_an_empty_file_is_all_zero(write_geojson):
    assert report_plots(check_plots(write_geojson())) == {
        "counts": {"read": 0, "usable": 0, "refused": 0},
        "refused_by_code": {},
        "area_m2": 0.0,
        "refused": [],
    }
