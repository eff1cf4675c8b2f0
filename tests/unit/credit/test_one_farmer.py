"""A farmer decided from rows: the record of the tables to the byte, and the tables' own refusal of what is off."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agrocredit.credit import FINANCES, PLOTS, CaseTables, assess_one, assess_rows, canonical_json, one_farmer
from agrocredit.domain.errors import AgrocreditError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, AbstainReason
from agrocredit.domain.tables import ESTIMATES, HOLDINGS

from .conftest import AS_OF, normal_quantiles

FAULTS = {
    "estimates": [
        ("plot_id", "nowhere"),
        ("crop", None),
        ("season", "2023"),
        ("harvest_year", 1899),
        ("harvest_year", 2**40),
        ("as_of", AS_OF + timedelta(days=1)),
        ("status", "guessed"),
        ("status", "abstained"),
        ("reason", "not_observed"),
        ("reason", "tired"),
        ("q05", None),
        ("q05", -0.1),
        ("q50", float("nan")),
        ("q95", float("inf")),
        ("q95", 0.0),
        ("clear_observations", -1),
        ("release", None),
    ],
    "plots": [
        ("plot_id", "p0"),
        ("area_m2", 0.0),
        ("area_m2", None),
        ("area_m2", 5_000),
        ("declared_area_m2", -1.0),
        ("declared_area_m2", float("nan")),
        ("latitude_deg", 91.0),
        ("latitude_deg", None),
        ("latitude_deg", -35.0),
    ],
    "holdings": [
        ("plot_id", "nowhere"),
        ("farmer_id", "f2"),
        ("tenure_share", 0.0),
        ("tenure_share", 1.5),
        ("tenure_share", None),
        ("grade", "D"),
        ("grade", None),
        ("documented_area_m2", float("inf")),
        ("documented_area_m2", float("nan")),
    ],
}


def rows_of(plots, **changes):
    """Rows of one farmer as the service has them, with columns beside those the room knows."""
    shown = {"estimates": [], "plots": [], "holdings": [], "finances": None}
    for plot in plots:
        quantiles = [None] * 7 if plot["reason"] else map(float, normal_quantiles(plot["median"], 0.8))
        shown["estimates"].append(
            {
                "plot_id": plot["plot_id"],
                "crop": plot["crop"],
                "season": "2024",
                "harvest_year": 2024,
                "as_of": AS_OF,
                "status": "abstained" if plot["reason"] else "estimated",
                "reason": plot["reason"],
                **dict(zip(QUANTILE_COLUMNS, quantiles, strict=True)),
                "clear_observations": 8,
                "release": "test",
                "evidence_sha256": "0" * 64,
                "tenant_id": "bank",
            }
        )
        row = {"farmer_id": "f1", "latitude_deg": 35.0, "declared_area_m2": plot["declared"], "wkb": b""}
        shown["plots"].append({"plot_id": plot["plot_id"], "area_m2": plot["area_m2"], **row})
        held = {"tenure_share": plot["share"], "grade": plot["grade"], "documented_area_m2": plot["documented"]}
        shown["holdings"].append({"farmer_id": "f1", "plot_id": plot["plot_id"], **held})
    return {**shown, **changes}


def a_plot(plot_id="p0", **changes):
    plain = {"crop": "winter_wheat", "reason": None, "median": 6.0, "area_m2": 4_000.0, "declared": None}
    return {"plot_id": plot_id, **plain, "share": 1.0, "grade": "A", "documented": None, **changes}


def money(owed, *, farmer="f1", currency="CNY"):
    amounts = {"off_farm_income_minor": 0, "existing_debt_service_minor": owed, "outstanding_minor": owed}
    return {"farmer_id": farmer, "currency": currency, **amounts}


def by_rows(desk, rows):
    record = assess_rows(**rows, policy=desk.policy, crops=desk.crops, as_of=AS_OF)
    return canonical_json(record)


def by_tables(desk, rows):
    tables = CaseTables(
        estimates=pa.Table.from_pylist(rows["estimates"], schema=ESTIMATES),
        plots=pa.Table.from_pylist(rows["plots"], schema=PLOTS),
        holdings=pa.Table.from_pylist(rows["holdings"], schema=HOLDINGS),
        finances=None if rows["finances"] is None else pa.Table.from_pylist([rows["finances"]], schema=FINANCES),
        policy=desk.policy,
        crops=desk.crops,
        as_of=AS_OF,
    )
    return canonical_json(assess_one(tables)[1])


def outcome(decided, desk, rows):
    """What comes of rows: a record's bytes, or the code and text of a refusal."""
    try:
        return decided(desk, rows)
    except AgrocreditError as error:
        return error.code, error.detail
    except (pa.ArrowInvalid, OverflowError) as error:
        return str(error)


areas_m2 = st.floats(min_value=100.0, max_value=1e6)
sound_plots = st.lists(
    st.fixed_dictionaries(
        {
            "plot_id": st.sampled_from(["p0", "p1", "p10", "p2", "Ä", "é", "\U0001f33e", ""]),
            "crop": st.sampled_from(["winter_wheat", "maize", "quinoa"]),
            "reason": st.sampled_from([None, None, *map(str, AbstainReason)]),
            "median": st.floats(min_value=0.0, max_value=12.0),
            "area_m2": areas_m2,
            "declared": st.none() | areas_m2,
            "share": st.floats(min_value=0.01, max_value=1.0),
            "grade": st.sampled_from("ABC"),
            "documented": st.none() | areas_m2,
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda plot: plot["plot_id"],
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plots=sound_plots, owed=st.none() | st.integers(0, 10**7))
def test_sound_rows_make_the_record_of_the_tables_to_the_byte(desk, plots, owed):
    rows = rows_of(plots, finances=None if owed is None else money(owed))
    assert by_rows(desk, rows) == by_tables(desk, rows)


def test_sound_rows_need_no_tables(desk, monkeypatch):
    monkeypatch.setattr(one_farmer, "assess_one", None)
    rows = rows_of([a_plot("p1", reason="not_observed"), a_plot("p0", crop="maize")], finances=money(5_000))
    assert by_rows(desk, rows) == by_tables(desk, rows)


@pytest.mark.parametrize(
    ("table", "name", "value"), [(table, *fault) for table, faults in FAULTS.items() for fault in faults]
)
def test_rows_that_are_off_end_as_the_tables_have_it(desk, table, name, value):
    rows = rows_of([a_plot("p0"), a_plot("p1", crop="maize")])
    rows[table][1][name] = value
    assert outcome(by_rows, desk, rows) == outcome(by_tables, desk, rows)


@pytest.mark.parametrize("table", ["estimates", "plots", "holdings"])
@pytest.mark.parametrize("times", [0, 2])
def test_a_row_too_few_or_too_many_ends_as_the_tables_have_it(desk, table, times):
    rows = rows_of([a_plot("p0"), a_plot("p1")])
    rows[table] = [rows[table][0], *[rows[table][1]] * times]
    assert outcome(by_rows, desk, rows) == outcome(by_tables, desk, rows)


@pytest.mark.parametrize("finances", [money(-1), money(None), money(1, farmer="f2"), money(1, currency="KES")])
def test_money_that_is_off_ends_as_the_tables_have_it(desk, finances):
    rows = rows_of([a_plot()], finances=finances)
    assert outcome(by_rows, desk, rows) == outcome(by_tables, desk, rows)


def test_a_second_crop_on_a_plot_is_a_stake_of_its_own(desk):
    rows = rows_of([a_plot()])
    rows["estimates"].append({**rows["estimates"][0], "crop": "maize"})
    assert by_rows(desk, rows) == by_tables(desk, rows)


def test_a_farmer_with_more_plots_than_the_policy_allows_is_refused_by_name(desk):
    most = desk.policy.on(AS_OF).area.plots_per_farmer_max
    rows = rows_of([a_plot(f"p{at}") for at in range(most + 1)])
    assert outcome(by_rows, desk, rows)[0] == "plots_too_many"
    assert by_rows(desk, rows_of([a_plot(f"p{at}") for at in range(most)]))


def test_no_rows_at_all_are_no_case(desk):
    assert outcome(by_rows, desk, rows_of([]))[0] == "case_ambiguous"


def test_an_estimate_of_an_earlier_day_keeps_its_day(desk):
    rows = rows_of([a_plot()])
    rows["estimates"][0]["as_of"] = date(2024, 3, 1)
    assert by_rows(desk, rows) == by_tables(desk, rows)
