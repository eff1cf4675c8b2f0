"""Where cloud hides the season nobody invents a yield, and the farmer hears that more evidence is needed."""

from datetime import date

import geopandas as gpd
import pyarrow.parquet as pq
from shapely import box

from pipelines.assess import AssessRequest, assess
from pipelines.estimate import EstimateRequest, estimate
from pipelines.observe import ObserveRequest, observe


def test_a_clouded_autumn_ends_in_abstention_and_referral(shared, tmp_path):
    plots = tmp_path / "plots.geojson"
    fields = [box(587_920 + i * 100, 5_685_000, 588_000 + i * 100, 5_685_080) for i in range(3)]
    frame = gpd.GeoDataFrame({"id": ["a", "b", "c"]}, geometry=fields, crs="EPSG:32631")
    frame.to_crs("EPSG:4326").to_file(plots, driver="GeoJSON")
    observe(
        ObserveRequest(
            scenes=str(shared / "imagery" / "be_antwerp_2023" / "stac" / "items.json"),
            plots=plots,
            start=date(2023, 10, 1),
            end=date(2024, 1, 1),
            out=tmp_path / "obs",
        )
    )
    request = EstimateRequest(
        observations=tmp_path / "obs",
        plots=plots,
        crop="winter_wheat",
        harvest_year=2024,
        out=tmp_path / "estimates.parquet",
    )
    summary = estimate(request)
    assert (summary.counts["plots_estimated"], summary.counts["plots_abstained"]) == (0, 3)
    rows = pq.read_table(tmp_path / "estimates.parquet").to_pylist()
    assert {row["reason"] for row in rows} == {"too_few_clear_observations"}
    assert all(row["q50"] is None for row in rows)
    assess(
        AssessRequest(
            estimates=tmp_path / "estimates.parquet",
            plots=plots,
            policy="winter-wheat-ch",
            as_of=date(2024, 1, 1),
            out=tmp_path / "decisions.parquet",
        )
    )
    decisions = pq.read_table(tmp_path / "decisions.parquet").to_pylist()
    assert {(row["outcome"], row["limit_minor"]) for row in decisions} == {("referred", 0)}
