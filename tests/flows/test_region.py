"""A whole region: plots in, limits out, the same folder whether it was disturbed or not."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agrocredit.domain.errors import InputUnusableError, RunInProgressError
from agrocredit.domain.tables import DECISIONS, ESTIMATES
from agrocredit.store.bundled import data_path
from agrocredit.store.lock import hold
from pipelines import region as region_flow
from pipelines.demo import REGION
from pipelines.region import run_region
from pipelines.sample import build_sample, load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a small sample region and its configuration."""
    folder = tmp_path_factory.mktemp("region")
    settings = load_settings(data_path("sample", "region.toml"))
    plots = replace(
        settings.plots, count=60, not_fields=3, other_crop=2, overlapping=4, crossing=2, area_overstated=4, smallest=4
    )
    small = replace(
        settings,
        place=replace(settings.place, pixels=128),
        season=replace(settings.season, pictures=24, overcast=2, history_years=8, history_plots=20),
        plots=plots,
    )
    build_sample(folder / "sample", settings=small)
    shutil.copyfile(REGION, folder / "region.toml")
    return folder


@pytest.fixture(scope="module")
def run(place):
    """An undisturbed run."""
    return run_region(place / "region.toml", out=place / "undisturbed"), place / "undisturbed"


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_plot_has_an_estimate_or_a_reason_and_every_farmer_an_answer(run):
    summary, folder = run
    estimates = pq.read_table(folder / "estimates.parquet")
    decisions = pq.read_table(folder / "decisions.parquet")
    assert estimates.schema.names == ESTIMATES.names
    assert decisions.schema.names == DECISIONS.names
    counts = summary.counts
    assert counts["plots"] + counts["plots_refused"] == 60
    assert counts["plots_estimated"] + counts["plots_abstained"] == counts["plots"]
    assert counts["approved"] + counts["referred"] + counts["declined"] == counts["farmers"]
    assert counts["approved"] > 0


def test_land_that_is_no_field_and_crops_nobody_knows_get_no_number(run, place):
    _, folder = run
    truth = {row["plot_id"]: row for row in pq.read_table(place / "sample/truth.parquet").to_pylist()}
    rows = pq.read_table(folder / "estimates.parquet").to_pylist()
    for row in rows:
        kind = truth[row["plot_id"]]
        if row["crop"] == "garlic":
            assert row["reason"] == "crop_unknown"
        elif not kind["is_field"]:
            assert row["status"] == "abstained", kind


def test_the_record_of_the_run_names_no_place_and_no_time(run):
    _, folder = run
    record = json.loads((folder / "run.json").read_text())
    assert set(record["steps"]) == {"plots", "observe", "estimate", "assess", "notices", "tranches"}
    assert record["simulated"] is True
    assert str(folder.parent) not in (folder / "run.json").read_text()


def test_the_page_says_that_the_region_is_simulated(run):
    _, folder = run
    assert "imulated" in (folder / "report.html").read_text()


@pytest.mark.parametrize("stopped_at", ["estimate", "assess"])
def test_a_stopped_run_resumes_into_the_same_folder(run, place, monkeypatch, stopped_at):
    _, undisturbed = run
    out = place / f"stopped-{stopped_at}"
    real = getattr(region_flow, stopped_at)

    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(region_flow, stopped_at, stop)
    with pytest.raises(KeyboardInterrupt):
        run_region(place / "region.toml", out=out)
    assert not (out / "report.html").exists()
    monkeypatch.setattr(region_flow, stopped_at, real)
    monkeypatch.setattr(region_flow, "observe", stop)  # must not be done again
    run_region(place / "region.toml", out=out, resume=True)
    assert everything(out) == everything(undisturbed)


def test_resume_does_again_what_rests_on_changed_input(run, place, tmp_path):
    _, undisturbed = run
    out = tmp_path / "copy"
    shutil.copytree(undisturbed, out)
    changed = tmp_path / "region.toml"
    text = (place / "region.toml").read_text().replace('"sample/', f'"{place}/sample/')
    changed.write_text(text.replace("as_of = 2024-06-05\nweather", "as_of = 2024-04-20\nweather"))
    before = json.loads((out / "run.json").read_text())["steps"]
    run_region(changed, out=out, resume=True)
    after = json.loads((out / "run.json").read_text())["steps"]
    assert before["observe"]["key"] == after["observe"]["key"]
    assert before["estimate"]["key"] != after["estimate"]["key"]
    assert before["assess"]["key"] != after["assess"]["key"]


def test_resume_notices_pixels_that_changed_under_an_item_that_did_not(run, place, tmp_path, monkeypatch):
    _, undisturbed = run
    moved = tmp_path / "place"
    shutil.copytree(place, moved, ignore=shutil.ignore_patterns(undisturbed.name))
    out = tmp_path / "copy"
    shutil.copytree(undisturbed, out)
    path = min((moved / "sample").rglob("*.tif"))
    path.write_bytes(path.read_bytes() + b"\0")  # no pixel differs, but every byte counts
    observed = []
    real = region_flow.observe
    monkeypatch.setattr(region_flow, "observe", lambda *args, **kwargs: observed.append(1) or real(*args, **kwargs))
    run_region(moved / "region.toml", out=out, resume=True)
    assert observed
    found, before = (json.loads((one / "observations" / "manifest.json").read_text()) for one in (out, undisturbed))
    assert found["scenes"] != before["scenes"]


def test_resume_looks_again_at_a_scene_that_was_refused_and_leaves_what_rests_on_equal_tables(
    run, place, tmp_path, monkeypatch
):
    _, undisturbed = run
    moved = tmp_path / "place"
    shutil.copytree(place, moved, ignore=shutil.ignore_patterns("undisturbed", "stopped-*"))
    path = min((moved / "sample").rglob("SCL.tif"))
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    out = moved / "out"
    broken = run_region(moved / "region.toml", out=out)
    assert "asset_unreadable" in {refusal.code for refusal in broken.refused}
    with monkeypatch.context() as patched:
        patched.setattr(region_flow, "estimate", None)  # must not be done again
        assert run_region(moved / "region.toml", out=out, resume=True).refused == broken.refused
    path.write_bytes(whole)
    run_region(moved / "region.toml", out=out, resume=True)
    assert everything(out) == everything(undisturbed)


def larger_limits_of_april(decisions):
    """The same farmers a while ago: twice the limit, and a first clear look has asked for less."""
    rows = decisions.to_pylist()
    for row in rows:
        caps = {name: 2 * amount for name, amount in json.loads(row["caps"]).items()}
        row |= {
            "as_of": date(2024, 4, 1),
            "limit_minor": 2 * row["limit_minor"],
            "caps": json.dumps(caps),
            "limit_since": row["limit_minor"] and date(2024, 4, 1),
            "limit_change": "cut_pending" if row["limit_minor"] else None,
            "cut_pending_looks": 1 if row["limit_minor"] else None,
        }
    return pa.Table.from_pylist(
        [{**row, "limit_since": row["limit_since"] or None} for row in rows], schema=decisions.schema
    )


def test_limits_in_force_debts_and_what_was_seen_enter_a_region_and_its_page(run, place, tmp_path):
    _, undisturbed = run
    out = tmp_path / "copy"
    shutil.copytree(undisturbed, out)
    first = pq.read_table(out / "decisions.parquet")
    approved = [row for row in first.to_pylist() if row["outcome"] == "approved"]
    pq.write_table(larger_limits_of_april(first), tmp_path / "april.parquet")
    owing, emerged = approved[0]["farmer_id"], approved[1]["farmer_id"]
    nothing = "\n".join(f"{row['farmer_id']},CNY,0,0,0" for row in first.to_pylist() if row["farmer_id"] != owing)
    (tmp_path / "finances.csv").write_text(
        "farmer_id,currency,off_farm_income_minor,existing_debt_service_minor,outstanding_minor\n"
        f"{owing},CNY,0,0,2000000000\n{nothing}\n"
    )
    (tmp_path / "seen.csv").write_text(f"farmer_id,season,event,seen_on\n{emerged},2024,emerged,2024-04-20\n")
    known = 'finances = "finances.csv"\nprevious = "april.parquet"\nseen = "seen.csv"\n'
    text = (place / "region.toml").read_text().replace('"sample/', f'"{place}/sample/') + known
    (tmp_path / "region.toml").write_text(text)
    summary = run_region(tmp_path / "region.toml", out=out, resume=True)

    after = {row["farmer_id"]: row for row in pq.read_table(out / "decisions.parquet").to_pylist()}
    assert after[owing]["outcome"] == "referred"  # other loans leave no room
    cut = {farmer for farmer, row in after.items() if row["limit_change"] == "cut"}
    assert len(cut) > len(approved) / 2
    notices = json.loads((out / "notices.json").read_text())
    assert [notice["farmer_id"] for notice in notices] == sorted(cut)
    assert all("CNY" in notice["sentences"][0] for notice in notices)
    parts = pq.read_table(out / "tranches.parquet").to_pylist()
    assert {part["because"] for part in parts if part["farmer_id"] == emerged} == {"at_once", "seen"}
    assert sum(part["amount_minor"] for part in parts) == sum(row["limit_minor"] for row in after.values())
    page = (out / "report.html").read_text()
    assert notices[0]["sentences"][0] in page
    assert "released at once" in page
    assert "limits cut" in page
    assert summary.counts["approved"] == sum(row["outcome"] == "approved" for row in after.values())


def test_two_runs_on_one_output_exclude_each_other(place):
    with hold(place / "held"), pytest.raises(RunInProgressError):
        run_region(place / "region.toml", out=place / "held")


def test_a_region_without_its_plots_is_refused_before_anything_is_written(place, tmp_path):
    text = (place / "region.toml").read_text().replace("sample/plots.geojson", "nothing.geojson")
    (tmp_path / "region.toml").write_text(text)
    with pytest.raises(InputUnusableError):
        run_region(tmp_path / "region.toml", out=tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()


def test_the_notebook_runs_from_top_to_bottom(run, place, tmp_path, monkeypatch, capsys):
    _, undisturbed = run
    (tmp_path / "sample").symlink_to(place / "sample")
    (tmp_path / "run").symlink_to(undisturbed)
    monkeypatch.setenv("AGROCREDIT_DEMO", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    notebook = json.loads((ROOT / "notebooks" / "a-season.ipynb").read_text())
    words = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec("".join(cell["source"]), words)  # noqa: S102 - our own cells
    assert words["found"].counts["gained"] == 0 < words["found"].counts["lost"]
    assert "90 % interval: holds" in capsys.readouterr().out
