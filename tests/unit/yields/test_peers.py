"""Level and standing: what is planted is found, seasons count alike, and the low end stays above 0."""

from dataclasses import replace

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.rows import AreaRows
from agrocredit.yields.local_labels import LocalConfig, local_estimates_t_ha
from agrocredit.yields.peers import PeerConfig, fit_peers

CONFIG = PeerConfig(traits=("nights_c",), practices=("hybrid",), penalty_plots=1e-6)
LOCAL = LocalConfig(penalty_plots=50.0, neighbour_km=5.0, neighbour_prior=3.0)


def plots(sizes, *, levels, seed=3, noise=0.0, shift_c=0.0, region="home", hybrid=0.5):
    """Plots of some seasons: level + 0.8 hybrid - 0.2 per degree above the season's mean night."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    year = np.repeat(np.arange(2016, 2016 + len(sizes)), sizes)
    nights = rng.normal(15.0, 2.0, n)
    for one in np.unique(year):
        nights[year == one] += 15.0 + shift_c * (one - 2016) - nights[year == one].mean()
    hybrids = (rng.random(n) < hybrid).astype(float)
    yields = np.repeat(levels, sizes) + 0.8 * hybrids - 0.2 * (nights - 15.0 - shift_c * (year - 2016))
    return AreaRows(
        units=np.array([f"p{k}" for k in range(n)], dtype=object),
        regions=np.full(n, region, dtype=object),
        harvest_years=year.astype(np.int64),
        longitude_deg=34.0 + rng.random(n),
        latitude_deg=rng.random(n),
        features=np.column_stack([nights, hybrids]),
        names=("nights_c", "hybrid"),
        yields_t_ha=yields + noise * rng.standard_normal(n),
    )


def test_planted_responses_and_the_level_between_seasons_are_found():
    model = fit_peers(plots([300, 300], levels=[3.0, 4.0]), CONFIG)
    assert model.responses == pytest.approx([-0.2, 0.8], abs=1e-6)
    assert model.level_t_ha == pytest.approx(3.5, abs=1e-6)


def test_a_season_counts_once_however_many_plots_it_has():
    model = fit_peers(plots([30, 3000], levels=[3.0, 4.0]), CONFIG)
    assert model.level_t_ha == pytest.approx(3.5, abs=1e-6)


def test_a_warm_season_is_no_standing_but_seed_is_compared_across_seasons():
    model = fit_peers(plots([300, 300], levels=[3.0, 3.0]), CONFIG)
    warm = plots([200], levels=[3.0], seed=9)
    hotter = replace(warm, features=warm.features + np.array([3.0, 0.0]))
    assert model.estimate_t_ha(hotter) == pytest.approx(model.estimate_t_ha(warm))
    all_hybrid = replace(warm, features=np.column_stack([warm.features[:, 0], np.ones(200)]))
    gained = model.estimate_t_ha(all_hybrid) - model.estimate_t_ha(warm)
    assert gained == pytest.approx(0.8 * (1 - warm.features[:, 1]), abs=1e-6)


def test_a_large_penalty_leaves_the_level_alone():
    model = fit_peers(plots([300, 300], levels=[3.0, 4.0]), replace(CONFIG, penalty_plots=1e12))
    said = model.estimate_t_ha(plots([50], levels=[3.0]))
    assert np.ptp(said) < 1e-6


def test_the_quantiles_cover_a_season_like_the_others_and_stay_above_0():
    rng = np.random.default_rng(5)
    levels = 3.0 + 0.4 * rng.standard_normal(12)
    rows = plots([200] * 12, levels=levels, noise=0.8)
    past, new = rows.take(rows.harvest_years < 2024), rows.take(rows.harvest_years >= 2024)
    quantiles = fit_peers(past, CONFIG).quantiles_t_ha(new)
    inside = (new.yields_t_ha >= quantiles[:, 0]) & (new.yields_t_ha <= quantiles[:, 6])
    assert inside.mean() == pytest.approx(0.9, abs=0.05)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()


def test_yields_of_the_season_asked_about_are_never_read():
    model = fit_peers(plots([100, 100], levels=[3.0, 4.0]), CONFIG)
    asked = plots([80], levels=[3.0], seed=8)
    unknown = replace(asked, yields_t_ha=np.full(80, np.nan))
    assert np.array_equal(model.quantiles_t_ha(unknown), model.quantiles_t_ha(asked))


def test_an_unknown_feature_counts_as_the_peers_mean():
    model = fit_peers(plots([100, 100], levels=[3.0, 4.0]), CONFIG)
    asked = plots([80], levels=[3.0], seed=8)
    features = asked.features.copy()
    features[0, 0] = np.nan
    rest = np.nanmean(features[:, 0])
    filled = features.copy()
    filled[0, 0] = rest
    said = [model.estimate_t_ha(replace(asked, features=values))[0] for values in (features, filled)]
    assert said[0] == pytest.approx(said[1])


def test_one_season_and_a_missing_column_are_refused():
    with pytest.raises(InputUnusableError, match="training_data_invalid: 1 seasons, expected 2"):
        fit_peers(plots([100], levels=[3.0]), CONFIG)
    with pytest.raises(InputUnusableError, match="column_missing: plots without rain"):
        fit_peers(plots([100, 100], levels=[3.0, 3.0]), replace(CONFIG, traits=("rain",)))


def test_at_another_level_the_mean_is_that_level_and_differences_scale():
    model = fit_peers(plots([300, 300], levels=[3.6, 3.6]), CONFIG)
    there = plots([100], levels=[1.6], region="abroad")
    moved = model.at_level(there, 2.0).estimate_t_ha(there)
    assert moved.mean() == pytest.approx(2.0)
    assert np.ptp(moved) / np.ptp(model.estimate_t_ha(there)) == pytest.approx(2.0 / model.estimate_t_ha(there).mean())


def test_local_labels_bring_the_level_and_what_is_special_about_a_neighbourhood():
    model = fit_peers(plots([300, 300], levels=[3.6, 3.6]), CONFIG)
    there = plots([400], levels=[1.6], region="abroad", seed=11, noise=0.1)
    north = there.latitude_deg > 0.5
    there = replace(there, yields_t_ha=there.yields_t_ha + np.where(north, 0.6, 0.0))
    labelled = np.zeros(400, dtype=bool)
    labelled[::4] = True
    said = local_estimates_t_ha(model, there, labelled=labelled, config=replace(LOCAL, neighbour_km=15.0))
    assert said[~labelled].mean() == pytest.approx(there.yields_t_ha[~labelled].mean(), abs=0.1)
    deep_north, deep_south = there.latitude_deg > 0.6, there.latitude_deg < 0.4
    assert said[deep_north & ~labelled].mean() - said[deep_south & ~labelled].mean() > 0.25


def test_only_yields_of_labelled_plots_are_read():
    model = fit_peers(plots([300, 300], levels=[3.6, 3.6]), CONFIG)
    there = plots([100], levels=[1.6], region="abroad")
    labelled = np.arange(100) < 20
    hidden = replace(there, yields_t_ha=np.where(labelled, there.yields_t_ha, np.nan))
    said = [local_estimates_t_ha(model, rows, labelled=labelled, config=LOCAL) for rows in (there, hidden)]
    assert np.array_equal(*said)
    with pytest.raises(InputUnusableError, match="training_data_invalid"):
        local_estimates_t_ha(model, there, labelled=~(there.yields_t_ha > -1), config=LOCAL)
