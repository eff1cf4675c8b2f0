"""Labels that no satellite looked at are all abstained on, with the reason; nothing crashes and nothing is guessed."""

import pytest

from pipelines.adapt import adapt
from pipelines.evaluate import evaluate

WHEAT = "county_fips,state_name,county_name,county_lat,county_lon,year,yield_bu_acre\n"
COUNTY = "20075,KANSAS,HAMILTON,38.0,-101.8,2001,30\n20077,KANSAS,HARPER,37.2,-98.1,2001,40\n"
DAILY = "county_fips,date,t2m_c,tmax_c,tmin_c,prec_mm\n20075,2001-05-01,19,24,14,2\n"
NATIONAL = "Entity,Code,Year,Wheat (tonnes per hectare)\nKenya,KEN,2001,2.1\nAfrica,,2001,1.9\n"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("us_winter_wheat", (WHEAT + COUNTY, DAILY)),
        ("us_winter_wheat", (WHEAT + COUNTY,)),
        ("national_fao", (NATIONAL,)),
    ],
    ids=["weather alone", "no series", "no place"],
)
def test_labels_without_looks_are_abstained_on_as_not_observed(name, files, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for number, text in enumerate(files):
        (source / f"{number}.csv").write_text(text)
    adapt(name, [source], out=tmp_path / "out")
    facts = evaluate("winter-wheat-simulated-1", data=tmp_path / "out").facts
    assert facts["n"] == 0
    assert facts["abstained"] == 2
    assert facts["abstained_because"] == {"not_observed": 2}
    assert {line["n"] for line in facts["baselines"].values()} == {0}
