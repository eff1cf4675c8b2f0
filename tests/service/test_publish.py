"""A run into the service: what was decided in the batch is what the service says, and what it would decide itself."""

import json
from datetime import date

import geopandas as gpd
import pyarrow as pa
import pytest
from shapely.geometry import shape

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.domain.tables import DECISIONS, ESTIMATES, HOLDINGS, observations
from agrocredit.store.observations import write_observations
from agrocredit.store.plot_drawn import drawn_plot
from agrocredit.store.sql.tables import decisions
from agrocredit.store.tables import write_parquet
from pipelines.assess import AssessRequest, assess
from pipelines.publish import PublishRequest, publish
from pipelines.run_folder import RunFolder

from .conftest import BUSINESS_ON, NOW, QUANTILES_T_HA, problem, square

FARMERS = 12


@pytest.fixture
def run(tmp_path):
    """A run of a dozen farmers with two plots each, one in three with a document, decided by the batch."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    plots, estimates, holdings = [], [], []
    names = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
    for at in range(2 * FARMERS):
        plot = drawn_plot(shape(square(115.0 + at * 0.002, 35.0)), plot_id=f"P{at:02}")
        farmer_id = f"F{at // 2:02}"
        plots.append(
            {
                "id": plot.id,
                "geometry": plot.geometry,
                "farmer_id": farmer_id,
                "region": "plain",
                "crop": "winter_wheat",
            }
        )
        estimates.append(
            {
                **dict(zip(names, (q * (0.6 + at / 40) for q in QUANTILES_T_HA), strict=True)),
                "plot_id": plot.id,
                "crop": "winter_wheat",
                "season": "2024",
                "harvest_year": 2024,
                "as_of": BUSINESS_ON,
                "status": "estimated",
                "reason": None,
                "clear_observations": 9,
                "release": "test",
                "evidence_sha256": f"{at:064x}",
            }
        )
        documented = plot.area_m2 * 0.9 if at % 3 == 0 else None
        holdings.append(
            {
                "farmer_id": farmer_id,
                "plot_id": plot.id,
                "tenure_share": 0.5 + at % 2 / 2,
                "grade": "A",
                "documented_area_m2": documented,
            }
        )
    gpd.GeoDataFrame(plots, crs="EPSG:4326").to_parquet(folder.plots)
    write_parquet(pa.Table.from_pylist(estimates, schema=ESTIMATES), folder.estimates)
    held = tmp_path / "holdings.parquet"
    write_parquet(pa.Table.from_pylist(holdings, schema=HOLDINGS), held)
    looks = observations(["ndvi"])
    seen = {
        "plot_id": "P00",
        "scene_id": "S",
        "acquired_at": NOW,
        "valid_fraction": 1.0,
        "pixel_count": 70.0,
        "ndvi": None,
    }
    write_observations([pa.Table.from_pylist([seen], schema=looks)], folder.observations, manifest={})
    request = AssessRequest(
        estimates=folder.estimates,
        plots=folder.plots,
        policy="smallholder-grain-cn",
        as_of=BUSINESS_ON,
        out=folder.decisions,
        holdings=held,
    )
    assess(request)
    return folder, held


def published(service, run, **changes):
    folder, held = run
    settings = {"tenant_id": "bank", "snapshots": service.settings.snapshots, "holdings": held, **changes}
    request = PublishRequest(run=folder.path, **settings)
    summary = publish(request, database=service.database, now=service.platform.now())
    service.clock_s += 2.0
    return summary


def test_every_decision_of_the_batch_is_looked_up_and_read_with_its_plots(service, run):
    published(service, run)
    for row in run[0].read_decisions().to_pylist():
        found = service.get(f"/v1/farmers/{row['farmer_id']}/limit").json()
        decision = service.get(f"/v1/decisions/{found['decision_id']}").json()
        for name in ("outcome", "limit_minor", "binding_cap", "reasons"):
            assert found[name] == decision[name] == row[name]
        assert decision["caps"] == json.loads(row["caps"])
        assert decision["decision_sha256"] == row["decision_sha256"]
    assert service.get("/v1/plots/P00/observations").json()["observations"][0]["indices"] == {"ndvi": None}
    assert service.get("/v1/plots/P00/estimate").json()["estimates"][0]["evidence_sha256"] == "0" * 64


def test_the_service_decides_as_the_batch_did_to_the_byte(service, run):
    published(service, run)
    for row in run[0].read_decisions().to_pylist():
        answer = service.post("/v1/applications", {"farmer_id": row["farmer_id"], "season": "2024"})
        assert answer.json()["decision"]["decision_sha256"] == row["decision_sha256"]
    with service.database.read("bank") as session:
        assert len(session.rows(session.select(decisions))) == FARMERS
    summary = service.get("/v1/regions/plain/summary?season=2024", role="analyst").json()
    assert sum(cell["farmers"] for cell in summary["cells"]) == FARMERS


def test_a_published_decision_comes_out_the_same_again(service, run):
    published(service, run)
    decision_id = service.get("/v1/farmers/F03/limit").json()["decision_id"]
    assert service.get(f"/v1/decisions/{decision_id}/replay").json()["same_bytes"] is True


def test_publishing_twice_changes_nothing(service, run):
    first = published(service, run)
    before = service.get("/v1/farmers/F05/limit").json()
    again = published(service, run)
    assert (first.counts["decisions_new"], again.counts["decisions_new"]) == (FARMERS, 0)
    assert service.get("/v1/farmers/F05/limit").json() == before


def test_another_lender_sees_nothing_of_it(service, run):
    published(service, run)
    problem(service.get("/v1/farmers/F05/limit", tenant="rival"), 404, "not_found")


def test_a_run_that_was_decided_otherwise_is_refused_whole(service, run):
    with pytest.raises(InputUnusableError, match="decision_differs"):
        published(service, run, holdings=None)
    problem(service.get("/v1/plots/P00"), 404, "not_found")


def test_a_limit_raised_by_hand_in_a_run_is_refused(service, run):
    rows = run[0].read_decisions().to_pylist()
    rows[0]["decision_sha256"] = "f" * 64
    write_parquet(pa.Table.from_pylist(rows, schema=DECISIONS), run[0].decisions)
    with pytest.raises(InputUnusableError, match="decision_differs"):
        published(service, run)


def test_a_plot_whose_shape_changed_under_its_id_is_refused(service, run):
    published(service, run)
    with service.database.write("bank") as session:
        from agrocredit.store.sql.tables import plots

        session.changed(session.update(plots).where(plots.c.id == "P01").values(geometry_sha256="0"))
    with pytest.raises(InputUnusableError, match="plot_changed"):
        published(service, run)


def test_an_unknown_lender_is_refused(service, run):
    with pytest.raises(RefusedError, match="not_found"):
        published(service, run, tenant_id="nobody")


def test_the_day_of_the_decisions_is_told(service, run):
    assert date.fromisoformat(published(service, run).facts["as_of"]) == BUSINESS_ON
