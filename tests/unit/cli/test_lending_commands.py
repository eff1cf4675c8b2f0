"""What lending needs beside a decision, from the command line: limits in force, prices, portfolios, payments."""

import json
import math
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.domain.tables import ESTIMATES

FIELDS = {"north": 0.0007, "south": 0.0006, "hidden": 0.0006}
GOOD = (4.6, 4.9, 5.4, 6.0, 6.6, 7.1, 7.4)


def square(x, side):
    return [[[x, 35.0], [x + side, 35.0], [x + side, 35.0 + side], [x, 35.0 + side], [x, 35.0]]]


def estimates(yields, looks=9):
    rows = [
        {
            "plot_id": name,
            "crop": "winter_wheat",
            "season": "2024",
            "harvest_year": 2024,
            "as_of": date(2024, 4, 15),
            "status": "estimated" if name in yields else "abstained",
            "reason": None if name in yields else "not_observed",
            **dict(zip(QUANTILE_COLUMNS, yields.get(name, [None] * 7), strict=True)),
            "clear_observations": looks,
            "release": "test",
            "evidence_sha256": "0" * 64,
        }
        for name in FIELDS
    ]
    return pa.Table.from_pylist(rows, schema=ESTIMATES)


@pytest.fixture
def files(tmp_path):
    features = [
        {
            "type": "Feature",
            "properties": {"id": name, "farmer_id": f"f-{name}", "region": f"r-{name}"},
            "geometry": {"type": "Polygon", "coordinates": square(115.0 + i / 100, side)},
        }
        for i, (name, side) in enumerate(FIELDS.items())
    ]
    (tmp_path / "plots.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    pq.write_table(estimates({"north": GOOD, "south": GOOD}), tmp_path / "estimates.parquet")
    (tmp_path / "holdings.csv").write_text("farmer_id,plot_id,grade\nf-north,north,A\nf-south,south,A\n")
    return tmp_path


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def tables(files, *, estimates="estimates.parquet", policy="smallholder-grain-cn", as_of="2024-04-15"):
    return (
        *("--estimates", files / estimates, "--plots", files / "plots.geojson", "--policy", policy, "--as-of", as_of),
        *("--holdings", files / "holdings.csv"),
    )


def test_a_cut_takes_two_looks_and_its_notice_says_why_in_four_languages(files):
    poor = (1.9, 2.0, 2.2, 2.5, 2.8, 3.0, 3.1)
    previous = ()
    for day, (yields, looks) in enumerate((((GOOD), 9), (poor, 10), (poor, 11))):
        pq.write_table(estimates({"north": yields, "south": GOOD}, looks), files / "e.parquet")
        out = files / f"decisions{day}.parquet"
        run("assess", *tables(files, estimates="e.parquet"), *previous, "--out", out)
        before, previous = previous, ("--previous", out)
    rows = {row["farmer_id"]: row for row in pq.read_table(out).to_pylist()}
    assert rows["f-north"]["limit_change"] == "cut"
    assert rows["f-south"]["limit_change"] == "kept"
    record = files / "record.json"
    run(
        *("decision", "record", "f-north", "--season", "2024", "--out", record),
        *tables(files, estimates="e.parquet"),
        *before,
    )
    told = run("decision", "explain", record)
    assert told["decision_sha256"] == rows["f-north"]["decision_sha256"]
    assert (told["adverse"], told["limit_change"]) == (True, "cut")
    assert "was lowered from CNY" in told["sentences"][0]
    assert [reason["code"] for reason in told["reasons"]] == rows["f-north"]["reasons"]
    spoken = {language: run("decision", "explain", record, "--language", language) for language in ("zh", "hi", "sw")}
    assert all(len(other["sentences"]) == len(told["sentences"]) for other in spoken.values())
    assert len({other["sentences"][0] for other in (told, *spoken.values())}) == 4
    plain = CliRunner().invoke(app, ["decision", "explain", str(record)])
    assert plain.stdout.splitlines() == told["sentences"]
    assert run("decision", "explain", record, "--language", "xx", code=2)["error"]["code"] == "language_unknown"


def test_a_decline_says_what_alone_would_have_brought_an_approval(files):
    finances = files / "finances.csv"
    finances.write_text(
        "farmer_id,currency,off_farm_income_minor,existing_debt_service_minor,outstanding_minor\n"
        "f-north,CNY,0,600000,600000\n"
    )
    record = files / "record.json"
    run(
        *("decision", "record", "f-north", "--season", "2024", "--out", record),
        *tables(files),
        *("--finances", finances),
    )
    told = run("decision", "explain", record)
    assert (told["outcome"], told["adverse"]) == ("declined", True)
    assert {change["lever"] for change in told["would_change"]} >= {"existing_debt_service", "area"}
    assert any("due on other loans" in sentence for sentence in told["sentences"])


def test_loans_are_priced_and_a_history_of_late_ones_costs(files):
    plain = run("price", *tables(files), "--out", files / "prices.parquet")
    assert plain["counts"]["loans"] == 2
    run("assess", *tables(files), "--out", files / "decisions.parquet")
    decided = pq.read_table(files / "decisions.parquet").to_pylist()
    priced = pq.read_table(files / "prices.parquet").to_pylist()
    approved = [(row["farmer_id"], row["limit_minor"]) for row in decided if row["outcome"] == "approved"]
    assert [(row["farmer_id"], row["limit_minor"]) for row in priced] == approved
    (files / "history.csv").write_text("farmer_id,loans_repaid,loans_late\nf-north,0,4\n")
    late = run("price", *tables(files), "--loan-history", files / "history.csv", "--out", files / "late.parquet")
    assert late["rate_max"] > plain["rate_max"]
    assert late["risk_sha256"] == plain["risk_sha256"]


def test_prices_and_portfolios_name_the_rows_that_assess_refuses(files):
    with (files / "holdings.csv").open("a") as holdings:
        holdings.write("f-east,east,A\n")
    decided = run("assess", *tables(files), "--out", files / "decisions.parquet", code=1)["refused"]
    assert [(row["code"], row["plot_id"]) for row in decided] == [("plot_unknown", "east")]
    assert run("price", *tables(files), "--out", files / "prices.parquet", code=1)["refused"] == decided
    assert run("portfolio", *tables(files), code=1)["refused"] == decided


def test_a_portfolio_knows_its_regions_and_a_flood_its_plots(files):
    (files / "flood.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": square(114.99, 0.015)}))
    answer = run("portfolio", *tables(files), "--flood", files / "flood.geojson")
    assert answer["counts"] == {"loans": 2, "plots_flooded": 1}
    assert set(answer["stressed_loss_minor"]) == {"drought", "price_fall", "flood"}
    assert answer["stressed_loss_minor"]["flood"] > answer["expected_loss_minor"]
    assert answer["by_region"]["effective_count"] == pytest.approx(2, abs=0.1)
    assert answer["simulated"] is True


@pytest.mark.parametrize("text", ["", "{}", '{"type":"Point","coordinates":[1,2]}', "nonsense"])
def test_a_flood_that_is_no_polygon_is_refused(files, text):
    (files / "flood.geojson").write_text(text)
    answer = run("portfolio", *tables(files), "--flood", files / "flood.geojson", code=4)
    assert answer["error"]["code"] == "flood_unreadable"


def test_parts_of_limits_are_released_by_sight_or_time(files):
    decisions = files / "decisions.parquet"
    run("assess", *tables(files), "--out", decisions)
    (files / "seen.csv").write_text("farmer_id,season,event,seen_on\nf-north,2024,emerged,2024-04-20\n")
    options = ("tranches", decisions, "--policy", "smallholder-grain-cn", "--seen", files / "seen.csv")
    answer = run(*options, "--as-of", "2024-04-25", "--out", files / "t.parquet")
    assert answer["counts"] == {"tranches": 4, "at_once": 2, "seen": 1, "waiting": 1}
    late = run(*options, "--as-of", "2024-06-01", "--out", files / "t.parquet")
    assert late["counts"] == {"tranches": 4, "at_once": 2, "seen": 1, "time_out": 1}
    early = run(*options, "--as-of", "2024-04-19", "--out", files / "t.parquet", code=1)
    assert [refusal["code"] for refusal in early["refused"]] == ["date_out_of_range"]


def test_relief_is_proposed_for_a_loss_and_never_for_what_nobody_saw(files):
    (files / "years.csv").write_text(
        "crop,harvest_year,yield_t_ha\n" + "".join(f"winter_wheat,{year},12.0\n" for year in range(2018, 2025))
    )
    options = ("--estimates", files / "estimates.parquet", "--history", files / "years.csv", "--as-of", "2024-07-01")
    answer = run("relief", *options, "--out", files / "relief.parquet", code=1)
    assert answer["counts"] == {"plots": 2, "proposed": 2, "not_proposed": 0}
    assert [(refusal["code"], refusal["plot_id"]) for refusal in answer["refused"]] == [("not_observed", "hidden")]
    row = pq.read_table(files / "relief.parquet").to_pylist()[0]
    assert (row["loss_share"], row["reschedule_years_max"], row["needs_confirmation"]) == (0.5, 5, True)


def bad(files, **values):
    table = estimates({"north": GOOD, "south": GOOD, "hidden": GOOD}).to_pylist()
    rows = [{**row, **values} for row in table]
    pq.write_table(pa.Table.from_pylist(rows, schema=ESTIMATES), files / "bad.parquet")


@pytest.mark.parametrize("values", [{"q50": math.inf}, {"q50": -1.0}, {"q50": None}, {"q50": None, "reason": "cloud"}])
def test_relief_names_estimates_that_nobody_can_have_made(files, values):
    (files / "years.csv").write_text("crop,harvest_year,yield_t_ha\nwinter_wheat,2020,12.0\n")
    bad(files, **values)
    options = ("--estimates", files / "bad.parquet", "--history", files / "years.csv", "--as-of", "2024-07-01")
    answer = run("relief", *options, "--out", files / "relief.parquet", code=1)
    assert {refusal["code"] for refusal in answer["refused"]} == {"estimate_invalid"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"q25": 9.0}, "estimate_invalid"),
        ({"q05": -1.0}, "estimate_invalid"),
        ({"as_of": date(2024, 4, 16)}, "date_out_of_range"),
        ({"plot_id": "nowhere"}, "estimate_missing"),
    ],
)
def test_where_nothing_can_be_decided_on_nothing_is_written(files, values, code):
    bad(files, **values)
    out = files / "decisions.parquet"
    answer = run("assess", *tables(files, estimates="bad.parquet"), "--out", out, code=4)
    assert answer["error"]["code"] == "no_usable_rows"
    assert code in answer["error"]["detail"]
    assert not out.exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2021-01-01 = 2_260,", "2021-01-01 = -2_260,"),
        ("2021-01-01 = 0.075", "2021-01-01 = -0.075"),
        ("2021-01-01 = 0.075", "2024-06-01 = 0.075"),
        ('unit = "CNY/t"', 'unit = "INR/t"'),
    ],
    ids=["negative price", "negative rate", "hole in the dates", "mixed currencies"],
)
def test_a_policy_that_cannot_be_leaves_nothing_behind(files, old, new):
    from agrocredit.credit.policy import PACKS

    text = (PACKS / "smallholder-grain-cn.toml").read_text(encoding="utf-8")
    assert old in text
    policy, out = files / "mine.toml", files / "decisions.parquet"
    policy.write_text(text.replace(old, new, 1), encoding="utf-8")
    answer = run("assess", *tables(files, policy=policy), "--out", out, code=4)
    assert answer["error"]["code"] == "policy_invalid"
    assert not out.exists()


def test_finances_of_another_currency_leave_nothing_behind(files):
    finances, out = files / "finances.csv", files / "decisions.parquet"
    finances.write_text("farmer_id,currency\nf-north,INR\n")
    answer = run("assess", *tables(files), "--finances", finances, "--out", out, code=4)
    assert answer["error"]["code"] == "currency_mismatch"
    assert not out.exists()


@pytest.mark.parametrize(
    "content",
    [b"\xb5\xb6 not text" * 1_000, b"[" * 100_000, b"[]", b"{}", b'{"policy": {"name": 7}}', b'{"policy": NaN}'],
)
def test_what_is_no_record_is_refused_in_one_short_line(files, content):
    (files / "record.json").write_bytes(content)
    for command in ("replay", "explain"):
        error = run("decision", command, files / "record.json", code=4)["error"]
        assert error["code"] == "record_unreadable"
        assert "is not a decision record" in error["detail"]
        assert len(error["detail"]) < 300 + len(str(files))


def test_a_record_whose_policy_has_no_text_for_a_name_is_refused(files):
    path = files / "record.json"
    run("decision", "record", "f-north", "--season", "2024", *tables(files), "--out", path)
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "policy": {**record["policy"], "name": 7}}))
    assert run("decision", "replay", path, code=4)["error"]["code"] == "record_unreadable"
