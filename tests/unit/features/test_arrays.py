from __future__ import annotations

import numpy as np
import pytest

from agrocredit.domain.errors import WrongUsageError
from agrocredit.features import Smoothing, arrays, assemble_arrays

STEPS = np.arange(3.0, 240.0, 6.5)
NAMES = ("curve", "gap_days", "seen", "long_gap")


def looks(plots: int, *, times: int = 40, channels: int = 2, seed: int = 0):
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(240, times, replace=False)).astype(float)
    values = rng.random((plots, times, channels), dtype=np.float32)
    return values, rng.choice([0.0, 0.03, 0.4, 1.0], (plots, times)), days


def assemble(values, weights, days, **options):
    return assemble_arrays(values, weights, days, **({"step_days": STEPS, "length_days": 240.0} | options))


def assert_same_bytes(one, other) -> None:
    for name in NAMES:
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def rows_of(result, rows):
    return arrays.SeasonArrays(**{name: getattr(result, name)[rows] for name in NAMES})


def test_chunks_change_no_byte(monkeypatch) -> None:
    values, weights, days = looks(50)
    whole = assemble(values, weights, days)
    monkeypatch.setattr(arrays, "CHUNK_PLOTS", 7)
    assert_same_bytes(whole, assemble(values, weights, days))


def test_a_plot_alone_has_the_bytes_it_has_in_a_crowd() -> None:
    values, weights, days = looks(50)
    crowd = assemble(values, weights, days)
    for p in (0, 15, 16, 49):
        assert_same_bytes(rows_of(crowd, slice(p, p + 1)), assemble(values[p : p + 1], weights[p : p + 1], days))


def test_days_that_nobody_saw_change_no_byte() -> None:
    values, weights, days = looks(10)
    kept = np.arange(40) % 3 != 0
    dark = np.where(kept, weights, 0.0)
    assert_same_bytes(assemble(values, dark, days), assemble(values[:, kept], weights[:, kept], days[kept]))


def test_looks_seen_under_a_twentieth_do_not_count() -> None:
    values, weights, days = looks(10)
    assert_same_bytes(assemble(values, weights, days), assemble(values, np.where(weights < 0.05, 0, weights), days))


def test_looks_outside_the_season_do_not_count() -> None:
    values, weights, days = looks(10)
    early = assemble(values, weights, days - 30)
    inside = days >= 30
    assert_same_bytes(early, assemble(values[:, inside], weights[:, inside], days[inside] - 30))


def test_each_plot_may_have_its_own_steps_and_its_own_day_of_knowledge() -> None:
    values, weights, days = looks(4)
    own_steps = STEPS + np.arange(4)[:, None]
    until = np.array([60.0, 100.0, 150.0, np.inf])
    together = assemble(values, weights, days, step_days=own_steps, until_day=until)
    for p in range(4):
        one = slice(p, p + 1)
        alone = assemble(values[one], weights[one], days, step_days=own_steps[p], until_day=until[p])
        assert_same_bytes(rows_of(together, one), alone)
        assert np.isnan(alone.curve[0, own_steps[p] > until[p]]).all()


def test_what_comes_after_the_day_of_knowledge_changes_nothing() -> None:
    values, weights, days = looks(10)
    known = assemble(values, weights, days, until_day=100.0)
    values[:, days > 100] = 0.99
    weights[:, days > 100] = 1.0
    assert_same_bytes(known, assemble(values, weights, days, until_day=100.0))


def test_steps_in_long_gaps_and_outside_the_looks_are_flagged_but_drawn_where_allowed() -> None:
    days = np.array([50.0, 60.0, 120.0, 130.0])
    steps = np.array([45.0, 55.0, 90.0, 125.0, 135.0])
    result = assemble(np.full((1, 4, 1), 0.5), np.ones((1, 4)), days, step_days=steps)
    np.testing.assert_array_equal(result.long_gap[0], [True, False, True, False, True])
    np.testing.assert_allclose(result.curve[0, :, 0], 0.5, atol=1e-6)


def test_a_hazy_look_pulls_no_channel_down() -> None:
    days = np.arange(0.0, 240.0, 5.0)
    clear = np.stack([0.2 + 0.5 * np.sin(days / 240 * np.pi), 0.1 + 0.2 * np.sin(days / 240 * np.pi)], axis=1)[None]
    hazy = clear.copy()
    hazy[0, 20] = (0.2, 0.25)
    weights = np.ones((1, days.size))
    truth = assemble(clear, weights, days).curve
    guarded = np.abs(assemble(hazy, weights, days).curve - truth).max(axis=(0, 1))
    unguarded = np.abs(assemble(hazy, weights, days, guide=None).curve - truth).max(axis=(0, 1))
    assert (guarded < 0.005).all()
    assert (unguarded > 5 * guarded).all()


def test_weighing_down_haze_does_not_lift_clear_noisy_seasons() -> None:
    rng = np.random.default_rng(3)
    days = np.arange(0.0, 240.0, 5.0)
    truth = 0.2 + 0.6 * np.sin(STEPS / 240 * np.pi) ** 2
    values = (0.2 + 0.6 * np.sin(days / 240 * np.pi) ** 2) + rng.normal(0, 0.02, (2000, days.size))
    curve = assemble(values[:, :, None], np.ones(values.shape), days).curve[:, :, 0]
    plain = assemble(values[:, :, None], np.ones(values.shape), days, guide=None).curve[:, :, 0]
    assert abs(float(np.mean(curve - plain))) < 0.001
    assert float(np.sqrt(np.mean((curve - truth) ** 2))) < 0.015


def test_a_plot_without_any_value_is_empty_and_no_plots_are_no_rows() -> None:
    values, weights, days = looks(3)
    values[1] = np.nan
    result = assemble(values, weights, days)
    assert np.isnan(result.curve[1]).all()
    assert np.isnan(result.gap_days[1]).all()
    assert (result.seen[1] == 0).all()
    assert assemble(values[:0], weights[:0], days).curve.shape == (0, STEPS.size, 2)
    assert np.isnan(assemble(values[:, :0], weights[:, :0], days[:0]).curve).all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v, w, d: (v[0], w, d, {}),
        lambda v, w, d: (v, w[:, 1:], d, {}),
        lambda v, w, d: (v, w, d[::-1], {}),
        lambda v, w, d: (v, w, d, {"guide": 2}),
    ],
)
def test_arrays_that_do_not_fit_are_refused(spoil) -> None:
    values, weights, days, options = spoil(*looks(3))
    with pytest.raises(WrongUsageError, match="season_arrays_invalid"):
        assemble(values, weights, days, **options)


@pytest.mark.parametrize(
    "wrong",
    [
        {"penalty_day3": 0.0},
        {"knot_days": -1.0},
        {"evidence_days": 0.0},
        {"gap_days_max": np.nan},
        {"dip_tolerance": 0.2},
    ],
)
def test_smoothing_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(WrongUsageError, match="smoothing_invalid"):
        Smoothing(**wrong)


def simulated_looks(*, haze_share: float, noise: float, plots: int = 1000, seed: int = 0):
    """Return true curves on the steps, and noisy, partly hazy looks every 5 days of which 45 % are seen."""
    rng = np.random.default_rng(seed)
    rise, length = rng.uniform(50, 90, (plots, 1)), rng.uniform(60, 100, (plots, 1))
    width = rng.uniform(4, 11, (2, plots, 1))
    height = rng.uniform(0.4, 0.7, (plots, 1))

    def truth(days):
        up, down = (days - rise) / width[0], (days - rise - length) / width[1]
        return 0.18 + height * (1 / (1 + np.exp(-up)) - 1 / (1 + np.exp(-down)))

    days = np.arange(0.0, 240.0, 5.0)
    values = truth(days) + rng.normal(0, noise, (plots, days.size))
    hazy = rng.random(values.shape) < haze_share
    values = np.where(hazy, values * (1 - rng.uniform(0.1, 0.7, values.shape)), values)
    return truth(STEPS), values, (rng.random(values.shape) < 0.45).astype(float), days


def rmse(curve, truth, inside) -> float:
    return float(np.sqrt(np.mean((curve - truth)[inside] ** 2)))


@pytest.mark.parametrize(("haze_share", "against_linear"), [(0.0, 1.0), (0.1, 0.8), (0.2, 0.8)])
def test_curves_are_nearer_the_truth_than_straight_lines_between_looks(
    haze_share: float, against_linear: float
) -> None:
    truth, values, weights, days = simulated_looks(haze_share=haze_share, noise=0.03)
    result = assemble(values[:, :, None], weights, days)
    unguarded = assemble(values[:, :, None], weights, days, guide=None)
    lines = np.stack([np.interp(STEPS, days[w > 0], v[w > 0]) for v, w in zip(values, weights, strict=True)])
    first, last = (np.array([days[w > 0][at] for w in weights])[:, None] for at in (0, -1))
    inside = (first <= STEPS) & (last >= STEPS)
    errors = [rmse(curve, truth, inside) for curve in (result.curve[:, :, 0], unguarded.curve[:, :, 0], lines)]
    assert errors[0] < against_linear * errors[2]
    assert errors[0] < errors[1] + 0.0005
