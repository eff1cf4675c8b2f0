"""Winter wheat in Switzerland, spring 2022: a field drawn on the season cube has the rows that the batch has."""

from datetime import date

import geopandas as gpd
import pandas as pd
import pytest

from pipelines.fresh import fresh
from pipelines.observe import ObserveRequest, observe

FARM = "ch_swissfuturefarm_2022"


@pytest.fixture(scope="module")
def run(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp(FARM)
    source = shared / "imagery" / FARM
    plots = source / "parcels" / "parcels_2022.geojson"
    request = ObserveRequest(
        scenes=str(source / "stac" / "items.json"),
        plots=plots,
        id_field="parcel",
        start=date(2022, 3, 1),
        end=date(2022, 8, 1),
        out=folder / "observations",
        cube=folder / "cube",
    )
    observe(request)
    rows = pd.concat([pd.read_parquet(part) for part in sorted(request.out.glob("*.parquet"))], ignore_index=True)
    return gpd.read_file(plots).to_crs("EPSG:4326"), rows, folder / "cube"


def test_every_parcel_has_the_rows_of_the_batch(run):
    plots, rows, cube = run
    assert rows["ndvi"].notna().sum() > 10
    for parcel, polygon in zip(plots["parcel"], plots.geometry, strict=True):
        found = fresh(polygon, cube=cube, plot_id=parcel).to_pandas()
        expected = rows[rows["plot_id"] == parcel].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-6)


def test_half_a_parcel_drawn_now_shows_the_same_season(run):
    plots, rows, cube = run
    parcel = plots.loc[plots.to_crs("EPSG:32632").area.idxmax()]
    half = parcel.geometry.intersection(parcel.geometry.buffer(-0.0002).envelope)
    found = fresh(half, cube=cube).to_pandas().set_index("acquired_at")
    whole = rows[rows["plot_id"] == parcel["parcel"]].set_index("acquired_at")
    clear = (whole["valid_fraction"] > 0.9) & (found["valid_fraction"] > 0.9)
    assert clear.sum() >= 5
    assert (found["ndvi"] - whole["ndvi"])[clear].abs().median() < 0.05
