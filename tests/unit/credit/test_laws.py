"""The laws that hold for every limit, whatever the farm: domain rules as properties."""

import gc
import hashlib
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agrocredit.credit import canonical_json, parse_policy, replay
from agrocredit.domain.decision import Outcome
from agrocredit.domain.units import area_from_m2, area_to_m2

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def farms(draw, desk):
    """One to four plots of one farmer, of wheat or maize, with any interval."""
    return [
        desk.plot(
            f"p{i}",
            area_m2=draw(st.floats(200.0, 9_000.0)),
            median=draw(st.floats(0.5, 9.0)),
            spread=draw(st.floats(0.05, 2.5)),
            crop=draw(st.sampled_from(["winter_wheat", "maize"])),
            grade=draw(st.sampled_from("ABC")),
            share=draw(st.sampled_from([1.0, 0.5, 2 / 3])),
            clear_observations=draw(st.integers(3, 12)),
        )
        for i in range(draw(st.integers(1, 4)))
    ]


@pytest.fixture(scope="session")
def farm(desk):
    return farms(desk)


def not_lower(before, after):
    for name, cap in before.caps.items():
        assert after.caps.get(name, -1) >= cap, name
    assert after.limit_minor >= before.limit_minor


@LAW
@given(data=st.data(), factor=st.floats(1.0, 3.0))
def test_a_larger_area_never_lowers_a_limit(desk, farm, data, factor):
    plots = data.draw(farm)
    which = data.draw(st.integers(0, len(plots) - 1))
    larger = [{**p, "area_m2": p["area_m2"] * (factor if i == which else 1.0)} for i, p in enumerate(plots)]
    not_lower(desk.decide(plots), desk.decide(larger))


@LAW
@given(data=st.data(), level=st.integers(0, 6), part=st.floats(0.0, 1.0))
def test_a_higher_quantile_never_lowers_a_limit(desk, farm, data, level, part):
    plots = data.draw(farm)
    quantiles = plots[0]["quantiles"].copy()
    ceiling = quantiles[level + 1] if level < 6 else quantiles[level] + 3.0
    quantiles[level] += part * (ceiling - quantiles[level])
    not_lower(desk.decide(plots), desk.decide([{**plots[0], "quantiles": quantiles}, *plots[1:]]))


@LAW
@given(data=st.data(), price=st.integers(2_360, 5_000))
def test_a_higher_price_never_lowers_a_limit(desk, farm, data, price):
    plots = data.draw(farm)
    not_lower(desk.decide(plots), desk.decide(plots, policy=desk.with_values(crop__winter_wheat__price=price)))


@LAW
@given(data=st.data(), area_m2=st.floats(100.0, 9_000.0), crop=st.sampled_from(["winter_wheat", "maize"]))
def test_one_more_plot_never_lowers_a_limit(desk, farm, data, area_m2, crop):
    plots = data.draw(farm)
    more = desk.plot("p9", area_m2=area_m2, median=data.draw(st.floats(0.2, 8.0)), spread=1.0, crop=crop)
    not_lower(desk.decide(plots), desk.decide([*plots, more]))


@LAW
@given(
    data=st.data(),
    change=st.sampled_from(
        [
            {"product__rate": 0.2},
            {"repayment__household_floor": 200},
            {"crop__winter_wheat__cost_after_harvest": 400},
            {"crop__maize__cost_after_harvest": 600},
            {"crop__maize__loss_after_harvest": 0.2},
            {"repayment__dscr_min": 1.6},
        ]
    ),
)
def test_costlier_terms_never_raise_a_limit(desk, farm, data, change):
    plots = data.draw(farm)
    not_lower(desk.decide(plots, policy=desk.with_values(**change)), desk.decide(plots))


@LAW
@given(data=st.data(), debt=st.integers(0, 500_000), more=st.integers(0, 500_000), owed=st.integers(0, 3_000_000))
def test_more_debt_never_raises_a_limit(desk, farm, data, debt, more, owed):
    plots = data.draw(farm)
    lighter = desk.decide(plots, finances=desk.finances(debt=debt))
    not_lower(desk.decide(plots, finances=desk.finances(debt=debt + more, owed=owed)), lighter)


@LAW
@given(data=st.data(), amount=st.integers(251, 2_000))
def test_costs_before_harvest_never_touch_repayment_capacity(desk, farm, data, amount):
    plots = data.draw(farm)
    costlier = desk.with_values(crop__winter_wheat__costs__seed_and_base_fertiliser__amount=amount)
    name = "repayment_capacity"
    assert desk.decide(plots).caps.get(name) == desk.decide(plots, policy=costlier).caps.get(name)


@LAW
@given(data=st.data(), factor=st.floats(1.0, 4.0))
def test_a_wider_interval_around_the_same_median_never_raises_a_limit(desk, farm, data, factor):
    plots = data.draw(farm)
    wider = []
    for plot in plots:
        median = plot["quantiles"][3]
        wider.append({**plot, "quantiles": np.maximum(median + (plot["quantiles"] - median) * factor, 0.0)})
    not_lower(desk.decide(wider), desk.decide(plots))


@LAW
@given(data=st.data(), fewer=st.integers(1, 12))
def test_fewer_clear_looks_never_raise_a_limit(desk, farm, data, fewer):
    plots = data.draw(farm)
    cloudier = [{**p, "clear_observations": max(p["clear_observations"] - fewer, 0)} for p in plots]
    before, after = desk.decide(plots), desk.decide(cloudier)
    assert after.limit_minor <= before.limit_minor
    assert after.outcome is not Outcome.DECLINED or before.outcome is Outcome.DECLINED


@LAW
@given(data=st.data())
def test_a_lower_evidence_grade_never_raises_a_limit(desk, farm, data):
    plots = data.draw(farm)
    lower = {"A": "B", "B": "C", "C": "C"}
    not_lower(desk.decide([{**p, "grade": lower[p["grade"]]} for p in plots]), desk.decide(plots))


@LAW
@given(data=st.data(), unit=st.sampled_from(["ha", "mu", "acre", "rai"]))
def test_the_unit_of_area_changes_nothing(desk, farm, data, unit):
    plots = data.draw(farm)
    converted = [{**p, "area_m2": area_to_m2(area_from_m2(p["area_m2"], unit), unit)} for p in plots]
    before, after = desk.decide(plots), desk.decide(converted)
    assert (before.limit_minor, dict(before.caps)) == (after.limit_minor, dict(after.caps))


@LAW
@given(data=st.data())
def test_a_pack_in_hectares_gives_the_limits_of_the_pack_in_mu(desk, farm, data):
    plots = data.draw(farm)
    text = desk.text
    for path in [p for p in desk.policy.parameters if desk.policy.parameters[p].unit == "CNY/mu"]:
        start = text.index(f"[{path}]")
        block, rest = text[start:].split("values = { 2021-01-01 = ", 1)
        value, tail = rest.split(" }", 1)
        block = block.replace('"CNY/mu"', '"CNY/ha"')
        text = f"{text[:start]}{block}values = {{ 2021-01-01 = {int(value) * 15} }}{tail}"
    assert '"CNY/mu"' not in text
    hectares = parse_policy(text, source="ha.toml")
    assert desk.decide(plots).limit_minor == desk.decide(plots, policy=hectares).limit_minor


@LAW
@given(data=st.data(), part=st.floats(0.05, 0.95))
def test_cutting_a_plot_in_two_leaves_the_limit_as_it_was(desk, farm, data, part):
    plots = data.draw(farm)
    whole = plots[0]
    halves = [
        {**whole, "plot_id": "p0a", "area_m2": whole["area_m2"] * part},
        {**whole, "plot_id": "p0b", "area_m2": whole["area_m2"] * (1 - part)},
    ]
    before, after = desk.decide(plots), desk.decide([*halves, *plots[1:]])
    assert (before.limit_minor, dict(before.caps)) == (after.limit_minor, dict(after.caps))


@LAW
@given(data=st.data())
def test_no_cap_is_exceeded_and_the_smallest_binds(desk, farm, data):
    decision = desk.decide(data.draw(farm))
    assert all(decision.limit_minor <= cap for cap in decision.caps.values())
    if decision.binding_cap is None:
        assert decision.outcome is Outcome.REFERRED
        assert set(decision.caps) < set(desk.policy.caps)
        return
    assert set(decision.caps) == set(desk.policy.caps)
    least = min(decision.caps.values())
    assert decision.caps[decision.binding_cap] == least
    assert decision.binding_cap == next(name for name in desk.policy.caps if decision.caps[name] == least)
    if decision.outcome is Outcome.APPROVED:
        assert decision.limit_minor == least // 1_000 * 1_000


@LAW
@given(
    data=st.data(),
    debt=st.none() | st.integers(0, 500_000),
    hidden=st.booleans(),
    then=st.floats(0.3, 1.5),
)
def test_every_decision_replays_to_the_same_bytes_from_its_record(desk, farm, data, debt, hidden, then):
    plots = data.draw(farm)
    finances = None if debt is None else desk.finances(debt=debt)
    previous = desk.assess(plots, finances=finances).decisions
    later = [
        {**p, "quantiles": p["quantiles"] * then, "clear_observations": p["clear_observations"] + 1} for p in plots
    ]
    if hidden:
        later[0] = {**later[0], "reason": "not_observed"}
    decision, record = desk.one(later, finances=finances, previous=previous)
    written = canonical_json(record)
    assert replay(json.loads(written), policy=desk.policy) == written
    row = desk.assess(later, finances=finances, previous=previous).decisions.to_pylist()[0]
    assert row["decision_sha256"] == hashlib.sha256(written).hexdigest()
    assert row["limit_minor"] == decision.limit_minor


def region(desk, farmers):
    """Many farmers with one to three plots each, seeded."""
    rng = np.random.default_rng(7)
    return [
        desk.plot(
            f"p{farmer}-{i}",
            farmer_id=f"f{farmer}",
            area_m2=float(rng.lognormal(7.6, 0.9)),
            median=float(rng.uniform(0.5, 8.0)),
            spread=float(rng.uniform(0.1, 2.0)),
            crop=str(rng.choice(["winter_wheat", "maize"])),
            grade=str(rng.choice(list("ABC"))),
            reason=str(rng.choice(["plot_too_small", "not_observed"])) if rng.random() < 0.15 else None,
        )
        for farmer in range(farmers)
        for i in range(int(rng.integers(1, 4)))
    ]


def test_one_farmer_alone_and_in_a_table_are_equal_to_the_byte(desk):
    plots = region(desk, 150)
    table = desk.assess(plots).decisions
    for row in table.to_pylist():
        mine = [p for p in plots if p["farmer_id"] == row["farmer_id"]]
        assert desk.assess(mine).decisions.to_pylist() == [row]
        decision = desk.decide(mine)
        assert decision.limit_minor == row["limit_minor"]
        assert {str(k): v for k, v in decision.caps.items()} == json.loads(row["caps"])


def test_order_of_rows_and_size_of_chunks_change_nothing(desk):
    plots = region(desk, 80)
    table = desk.assess(plots).decisions
    shuffled = [plots[i] for i in np.random.default_rng(3).permutation(len(plots))]
    for chunk in (1, 7, 10_000):
        again = desk.assess(shuffled, cases_at_once=chunk).decisions
        assert again.equals(table)
    keys = list(zip(table["farmer_id"].to_pylist(), table["season"].to_pylist(), strict=True))
    assert keys == sorted(keys)


def test_a_region_leaves_no_cycles_behind_and_the_collector_as_it_was(desk):
    plots = region(desk, 300)
    desk.assess(plots)
    gc.collect()
    gc.disable()
    try:
        desk.assess(plots)
        assert gc.collect() < len(plots) / 10
        assert not gc.isenabled()
    finally:
        gc.enable()
    desk.assess(plots)
    assert gc.isenabled()


def test_no_crop_seen_no_price_or_no_calendar_gives_no_number(desk):
    for change in (
        {"reason": "not_observed"},
        {"crop": "barley"},
        {"latitude_deg": 70.0},
        {"clear_observations": 0},
    ):
        decision = desk.decide([desk.plot(**change)])
        assert decision.outcome is Outcome.REFERRED
        assert decision.limit_minor == 0
        assert decision.binding_cap is None


def test_an_empty_region_gives_an_empty_table(desk):
    result = desk.assess([])
    assert result.decisions.num_rows == 0
    assert result.refused == ()
    assert isinstance(result.decisions, pa.Table)
