"""A policy replayed over past seasons: honest counts, no look ahead, equal bytes, and no half answer."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.credit.policy import PACKS
from agrocredit.domain.errors import InputUnusableError
from pipelines.backtest import BacktestRequest, backtest

FIRST = 2005


def harvests(units=24, years=12, *, seed=4, crop="winter_wheat"):
    """Counties on both sides of a border: rich in the east, poor in the west, with good and bad years."""
    rng = np.random.default_rng(seed)
    unit, year = np.repeat(np.arange(units), years), np.tile(np.arange(years), units)
    level = np.where(unit % 2, 2.4, 5.0) + rng.normal(0, 0.4, units)[unit]
    weather = rng.choice([0.6, 0.95, 1.1], years)[year]
    return pd.DataFrame(
        {
            "unit": [f"{i:03d}" for i in unit],
            "region": np.where(unit % 2, "WEST", "EAST"),
            "crop": crop,
            "harvest_year": (FIRST + year).astype("int32"),
            "yield_t_ha": level * weather * rng.uniform(0.9, 1.1, len(unit)),
            "longitude": -95.0 - 5.0 * (unit % 2) + 0.3 * (unit // 2 % 4),
            "latitude": 38.0 + 0.3 * (unit // 8),
        }
    )


def folder(path, labels, *, static=None):
    path.mkdir(parents=True)
    labels.to_parquet(path / "labels.parquet")
    if static is not None:
        static.to_parquet(path / "static.parquet")
    return path


def answered(history, *, policy="winter-wheat-ch", **more):
    return backtest(BacktestRequest(policy=policy, history=history, areas_ha=(2.0, 5.0), **more))


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return folder(tmp_path_factory.mktemp("history") / "labelled", harvests())


@pytest.fixture(scope="module")
def summary(history):
    return answered(history)


def test_the_policy_and_both_flat_rules_are_answered_for(summary):
    facts = summary.facts
    flat, knowing = ["flat_scale_of_finance", "flat_limit"], ["scale_by_region", "share_of_expected_harvest"]
    assert list(facts["policies"]) == ["winter-wheat-ch", *flat, *knowing]
    for row in facts["policies"].values():
        assert row["farmers"] == summary.counts["farmers"]
        assert 0 < row["approved"] <= row["farmers"]
        assert row["credit_minor"] > 0
        assert 0.0 <= row["loss_rate"] <= row["realised_pd"] <= 1.0
        assert 0.0 <= row["predicted_pd"] <= 1.0
    rates = [row["loss_rate"] for row in facts["policies"].values()]
    assert max(rates) - min(rates) < 2e-6
    assert "Simulated" in facts["note"]


def test_knowing_rich_land_from_poor_lends_more_at_equal_loss(summary):
    gain = summary.facts["gain_at_equal_loss"]
    assert gain["credit_share"] > 0.05
    assert gain["low"] <= gain["credit_share"] <= gain["high"]
    assert gain["against"] in gain["by_rule"]
    shares = [gain["by_rule"][rule]["credit_share"] for rule in ("flat_scale_of_finance", "flat_limit")]
    assert gain["credit_share"] == min(shares)  # the toughest of the flat rules leads


def test_every_label_is_lent_on_or_counted(summary):
    counts = summary.counts
    left_out = ("crop_not_in_policy", "history_too_short", "calendar_missing", "price_missing")
    assert counts["labels"] == 24 * 12
    assert counts["farmers"] == 2 * (counts["labels"] - sum(counts[name] for name in left_out))
    assert counts["history_too_short"] >= 24 * 2
    assert sum(row["winter-wheat-ch"]["farmers"] for row in summary.facts["by_year"].values()) == counts["farmers"]


def test_a_later_harvest_changes_no_earlier_year(history, summary, tmp_path):
    labels = pd.read_parquet(history / "labels.parquet")
    last = labels["harvest_year"].max()
    labels.loc[labels["harvest_year"] == last, "yield_t_ha"] = 0.2
    changed = answered(folder(tmp_path / "changed", labels)).facts["by_year"]
    for year, rows in summary.facts["by_year"].items():
        lent = {key: rows["winter-wheat-ch"][key] for key in ("approved", "credit_minor", "predicted_pd")}
        assert {key: changed[year]["winter-wheat-ch"][key] for key in lent} == lent
        if year != str(last):
            assert changed[year]["winter-wheat-ch"] == rows["winter-wheat-ch"]
    assert changed[str(last)]["winter-wheat-ch"]["loss_rate"] > summary.facts["by_year"][str(last)]["winter-wheat-ch"][
        "loss_rate"
    ]  # fmt: skip


def test_the_order_of_rows_changes_no_byte(history, summary, tmp_path):
    shuffled = pd.read_parquet(history / "labels.parquet").sample(frac=1.0, random_state=3)
    other = answered(folder(tmp_path / "shuffled", shuffled))
    assert json.dumps(other.as_dict()) == json.dumps(summary.as_dict())


def test_fairness_stands_beside_the_figures(summary):
    fairness = summary.facts["fairness"]
    assert [row["group"] for row in fairness["by_plot_size"]] == ["2 to 5 ha", "5 to 10 ha"]
    assert {row["group"] for row in fairness["by_region"]} == {"EAST", "WEST"}
    assert fairness["by_tenure"] is None
    for row in (*fairness["by_plot_size"], *fairness["by_region"]):
        assert row["approved"] == round(row["approval_rate"] * row["farmers"])
        assert row["qualified"] <= row["farmers"]


def test_measured_fields_are_lent_on_at_their_own_size(history, tmp_path):
    labels = pd.read_parquet(history / "labels.parquet")
    static = pd.DataFrame({"unit": sorted(labels["unit"].unique()), "area_m2": 30_000.0})
    measured = answered(folder(tmp_path / "measured", labels, static=static))
    assert [row["group"] for row in measured.facts["fairness"]["by_plot_size"]] == ["2 to 5 ha"]
    assert measured.counts["farmers"] < 24 * 12


def test_one_year_is_abstained_on_and_nothing_is_written(tmp_path):
    one = folder(tmp_path / "one", harvests(years=1))
    summary = answered(one, plot=tmp_path / "plot.png")
    assert summary.exit_code == 1
    assert summary.counts["history_too_short"] == 24
    assert summary.counts["farmers"] == 0
    assert summary.facts["policies"]["winter-wheat-ch"]["loss_rate"] is None
    assert summary.facts["gain_at_equal_loss"] is None
    assert "history_too_short 24" in summary.failed_checks[0]
    assert not (tmp_path / "plot.png").exists()


def test_the_picture_has_equal_bytes_for_equal_inputs(history, tmp_path):
    for name in ("a.png", "b.png"):
        answered(history, plot=tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def prices(path, rows, *, currency="KES"):
    table = pd.DataFrame(rows, columns=["crop", "harvest_year", "price_per_t"])
    table.assign(currency=currency).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def maize(tmp_path_factory):
    labels = harvests(crop="maize").assign(longitude=35.0, latitude=lambda t: 0.5 + t["latitude"] / 100)
    return folder(tmp_path_factory.mktemp("maize") / "labelled", labels)


def test_a_season_whose_price_fell_loses_more(maize, tmp_path):
    steady = [("maize", year, 30_000.0) for year in range(1998, 2017)]
    fallen = [(crop, year, 15_000.0 if year == 2014 else price) for crop, year, price in steady]
    losses = [
        answered(maize, policy="maize-ke", prices=prices(tmp_path / f"{i}.csv", rows)).facts["by_year"]["2014"]
        for i, rows in enumerate((steady, fallen))
    ]
    before, after = (row["maize-ke"] for row in losses)
    assert before["credit_minor"] == after["credit_minor"]  # the fall was not known before
    assert after["loss_rate"] > before["loss_rate"]


def test_years_without_a_price_are_left_out_and_counted(maize, tmp_path):
    known = [("maize", year, 30_000.0) for year in (2010, 2011, 2012)]
    summary = answered(maize, policy="maize-ke", prices=prices(tmp_path / "p.csv", known))
    assert sorted(summary.facts["by_year"]) == ["2011", "2012"]  # 2010 has no earlier price
    assert summary.counts["price_missing"] == 24 * (12 - 2) - summary.counts["history_too_short"]


@pytest.mark.parametrize(
    ("rows", "currency", "code"),
    [
        ([("maize", 2010, 30_000.0)], "TZS", "currency_mismatch"),
        ([("maize", 2010, -1.0)], "KES", "price_invalid"),
        ([("maize", 2010, float("nan"))], "KES", "price_invalid"),
        ([("maize", 2010, 1.0), ("corn", 2010, 2.0)], "KES", "price_invalid"),
        ([("vanilla", 2010, 30_000.0)], "KES", "price_missing"),
    ],
)
def test_prices_that_say_nothing_end_it(maize, tmp_path, rows, currency, code):
    with pytest.raises(InputUnusableError) as caught:
        answered(maize, policy="maize-ke", prices=prices(tmp_path / "p.csv", rows, currency=currency))
    assert caught.value.code == code


def test_wrong_rows_are_refused_by_code_and_the_others_go_on(history, tmp_path):
    labels = pd.read_parquet(history / "labels.parquet")
    labels.loc[0, "yield_t_ha"] = -1.0
    labels.loc[1, "yield_t_ha"] = np.nan
    labels.loc[2, "yield_t_ha"] = 900.0
    twice = labels.iloc[[30]].assign(yield_t_ha=1.23)
    summary = answered(folder(tmp_path / "wrong", pd.concat([labels, twice], ignore_index=True)))
    codes = [refusal.code for refusal in summary.refused]
    assert sorted(codes) == ["label_contradiction"] * 2 + ["yield_implausible"] + ["yield_invalid"] * 2
    assert summary.exit_code == 1
    assert summary.counts["farmers"] > 0


def broken(kind, history, path):
    if kind == "no folder":
        return path / "nowhere"
    shutil.copytree(history, path / "copy")
    labels = path / "copy" / "labels.parquet"
    if kind == "no labels":
        labels.unlink()
    elif kind == "cut off":
        labels.write_bytes(labels.read_bytes()[:200])
    elif kind == "no yields":
        pd.read_parquet(labels).drop(columns="yield_t_ha").to_parquet(labels)
    elif kind == "other crop":
        pd.read_parquet(labels).assign(crop="quinoa").to_parquet(labels)
    return path / "copy"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("no folder", "file_missing"),
        ("no labels", "file_missing"),
        ("cut off", "labels_unreadable"),
        ("no yields", "column_missing"),
        ("other crop", "labels_missing"),
    ],
)
def test_a_broken_history_ends_with_a_code_and_nothing_written(history, tmp_path, kind, code):
    at = broken(kind, history, tmp_path)
    plot = tmp_path / "plot.png"
    result = CliRunner().invoke(
        app, ["backtest", "--policy", "winter-wheat-ch", "--history", str(at), "--plot", str(plot), "--json"]
    )
    assert result.exit_code == 4
    assert json.loads(result.stdout)["error"]["code"] == code
    assert not plot.exists()


def test_a_policy_with_a_hole_is_refused(history, tmp_path):
    text = (PACKS / "winter-wheat-ch.toml").read_text(encoding="utf-8")
    start = text.index("[repayment.dscr_min]")
    (tmp_path / "hole.toml").write_text(text[:start] + text[text.index("[", start + 1) :], encoding="utf-8")
    with pytest.raises(InputUnusableError) as caught:
        answered(history, policy=str(tmp_path / "hole.toml"))
    assert caught.value.code == "policy_invalid"


@pytest.mark.parametrize("areas", [(0.0,), (-1.0, 2.0), (1.0, 1.0), (float("inf"),)])
def test_impossible_farm_sizes_are_refused(history, areas):
    with pytest.raises(InputUnusableError) as caught:
        backtest(BacktestRequest(policy="winter-wheat-ch", history=history, areas_ha=areas))
    assert caught.value.code == "area_invalid"


def test_the_command_prints_a_table_or_one_object(history, tmp_path):
    words = ["backtest", "--policy", "winter-wheat-ch", "--history", str(history), "--area-ha", "2", "--area-ha", "5"]
    table = CliRunner().invoke(app, [*words, "--plot", str(tmp_path / "p.png")])
    assert table.exit_code == 0, table.output
    for words_shown in ("Simulated lending", "flat scale of finance", "at equal loss", "EAST", "by tenure"):
        assert words_shown in table.stdout
    assert (tmp_path / "p.png").is_file()
    found = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert {"policies", "gain_at_equal_loss", "fairness", "by_year", "counts", "refused"} <= set(found)


def test_harvests_too_old_to_decide_on_still_make_forecasts(tmp_path):
    old = harvests().assign(harvest_year=lambda t: t["harvest_year"] - (FIRST - 1893))
    summary = answered(folder(tmp_path / "old", old))
    assert min(summary.facts["by_year"]) == "1900"
    assert summary.counts["calendar_missing"] > 0
    assert summary.counts["farmers"] == 2 * 24 * 5


def test_units_without_a_place_are_lent_on_by_their_own_years(tmp_path):
    nations = harvests().assign(longitude=np.nan, latitude=np.nan, region=lambda t: t["unit"])
    summary = answered(folder(tmp_path / "nations", nations))
    assert summary.counts["farmers"] > 0
    assert summary.counts["calendar_missing"] == 0
