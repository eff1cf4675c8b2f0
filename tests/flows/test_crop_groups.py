"""Plots are estimated together by crop and season, and only for a year that can be meant."""

import geopandas as gpd
import pytest
import shapely

from agrocredit.domain.errors import WrongUsageError
from pipelines.crop_groups import crop_groups
from pipelines.known_crops import known_crops

PLOTS = gpd.GeoDataFrame(
    {"id": ["a", "b", "c"], "crop": [None, "garlic", "Winter wheat"]},
    geometry=[shapely.box(114.5, 34.5, 114.501, 34.501)] * 3,
    crs="EPSG:4326",
)


def groups(*, crop="winter_wheat", year=2024):
    return crop_groups(PLOTS, crops=known_crops(), default=crop, harvest_year=year)


def test_a_plot_that_states_no_crop_joins_those_of_the_crop_asked_for():
    assert {group.crop: (group.plots["id"].tolist(), group.season is None) for group in groups()} == {
        "garlic": (["b"], True),
        "winter_wheat": (["a", "c"], False),
    }


@pytest.mark.parametrize(("asked", "code"), [({"crop": "moss"}, "crop_unknown"), ({"year": 99_999}, "year_invalid")])
def test_a_crop_or_year_that_cannot_be_meant_is_wrong_usage(asked, code):
    with pytest.raises(WrongUsageError, match=code):
        groups(**asked)
