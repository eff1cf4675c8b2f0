"""The back-test on harvests that were measured: US wheat counties, Kenyan crop cuts with Kenyan prices, one nation.

Loans are simulated. The figures of ``docs/method/credit.md`` come from the command it names; what is tested here is
that they keep their sign and that what cannot be known is said.
"""

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields import rolling_forecasts
from pipelines.adapt import adapt
from pipelines.backtest import BacktestRequest, backtest


@pytest.fixture(scope="module")
def adapted(shared, tmp_path_factory):
    """A function that adapts a set once and returns its folder."""
    folder = tmp_path_factory.mktemp("adapted")

    def of(name):
        if not (folder / name).is_dir():
            source = shared / "yields" / name
            if not source.is_dir():
                pytest.skip(f"no data set {name}")
            adapt(name, [source], out=folder / name)
        return folder / name

    return of


@pytest.fixture(scope="module")
def kenyan_prices(shared):
    path = shared / "prices" / "prices_kenya" / "fao_producer_prices_ken.csv"
    if not path.is_file():
        pytest.skip("no Kenyan prices")
    return path


def test_forecasts_of_wheat_counties_fall_short_as_often_as_they_say(adapted):
    labels = pd.read_parquet(adapted("us_winter_wheat") / "labels.parquet")
    quantiles = rolling_forecasts(labels)
    known = np.isfinite(quantiles[:, 0])
    truth = labels["yield_t_ha"].to_numpy()[known]
    below = (truth[:, None] < quantiles[known]).mean(axis=0)
    assert known.sum() > 8_500
    # The lower half decides limits: measured .053, .096, .221, .447 on 8,759 county-years of 19 years.
    np.testing.assert_allclose(below[:4], QUANTILE_LEVELS[:4], atol=0.06)
    error = truth - quantiles[known, 3]
    level = truth - labels["yield_t_ha"].to_numpy()[known].mean()
    assert 1 - np.mean(error**2) / np.mean(level**2) > 0.6


def test_wheat_counties_get_more_credit_at_the_loss_of_flat_rules(adapted):
    summary = backtest(
        BacktestRequest(
            policy="winter-wheat-ch", history=adapted("us_winter_wheat"), areas_ha=(2.0, 5.0, 10.0)
        )
    )  # fmt: skip
    gain = summary.facts["gain_at_equal_loss"]
    assert summary.exit_code == 0
    assert gain["low"] > 0.2  # measured .521, .364 to .686
    assert gain["by_rule"]["scale_by_region"]["credit_low"] > 0.0  # measured .144, .069 to .231
    ours = summary.facts["policies"]["winter-wheat-ch"]
    assert 0.5 < ours["predicted_pd"] / ours["realised_pd"] < 2.0
    assert ours["approved"] > 0.95 * ours["farmers"]


def test_crop_cuts_of_three_years_leave_one_year_to_test_and_no_interval(adapted, kenyan_prices):
    summary = backtest(BacktestRequest(policy="maize-ke", history=adapted("oaf_maize_cropcuts"), prices=kenyan_prices))
    assert list(summary.facts["by_year"]) == ["2019"]
    assert summary.counts["history_too_short"] == 11_295 - 4_782
    gain = summary.facts["gain_at_equal_loss"]
    assert gain["credit_share"] > 0.0  # measured .159
    assert gain["low"] is None
    assert gain["interval"] == "none: one year"


def test_kenyas_national_yields_are_tested_only_where_a_price_is_known(adapted, kenyan_prices, tmp_path):
    labels = pd.read_parquet(adapted("national_fao") / "labels.parquet")
    (tmp_path / "kenya").mkdir()
    labels[labels["unit"] == "KEN"].to_parquet(tmp_path / "kenya" / "labels.parquet")
    summary = backtest(BacktestRequest(policy="maize-ke", history=tmp_path / "kenya", prices=kenyan_prices))
    assert summary.counts["price_missing"] > 20  # prices begin in 1991, and 2017 and 2018 have none
    assert set(summary.facts["by_year"]) <= {str(year) for year in range(1992, 2017)}
    assert summary.facts["policies"]["maize-ke"]["approved"] > 0
