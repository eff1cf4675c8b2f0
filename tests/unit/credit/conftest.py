"""A desk that assesses small farms described in a few words, and packs with a value changed."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from agrocredit.credit import FINANCES, CaseTables, assess, assess_one, load_policy, parse_policy
from agrocredit.credit.assess import CASES_AT_ONCE
from agrocredit.credit.policy import PACKS
from agrocredit.domain.crop import Calendar, Crop
from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.domain.tables import ESTIMATES, HOLDINGS

AS_OF = date(2024, 4, 15)
SHAPE = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645])


def _crop(name, start, harvest_from, end):
    calendar = Calendar(
        latitude_min_deg=20.0, latitude_max_deg=60.0, start=start, harvest_from=harvest_from, end=end, source="test"
    )
    return Crop(
        name=name,
        label=name,
        aliases=(),
        moisture_basis_percent=13.0,
        base_temperature_c=0.0,
        yield_max_t_ha=20.0,
        calendars=(calendar,),
    )


def normal_quantiles(median_t_ha, spread_t_ha):
    """Seven rising yields around a median, never below 0."""
    return np.maximum(median_t_ha + SHAPE * spread_t_ha, 0.0)


class Desk:
    """Turns plots in words into tables, and assesses them."""

    def __init__(self):
        self.crops = {
            "winter_wheat": _crop("winter_wheat", (9, 15), (6, 1), (6, 21)),
            "maize": _crop("maize", (6, 1), (9, 20), (10, 11)),
        }
        self.text = (PACKS / "smallholder-grain-cn.toml").read_text(encoding="utf-8")
        self.policy = load_policy("smallholder-grain-cn")

    def plot(self, plot_id="p1", *, area_m2=4_000.0, median=6.0, spread=0.8, **more):
        return {
            "plot_id": plot_id,
            "farmer_id": "f1",
            "area_m2": area_m2,
            "declared_area_m2": None,
            "latitude_deg": 35.0,
            "crop": "winter_wheat",
            "season": "2024",
            "harvest_year": 2024,
            "as_of": AS_OF,
            "reason": None,
            "clear_observations": 8,
            "release": "test",
            "evidence_sha256": "0" * 64,
            "quantiles": normal_quantiles(median, spread),
            **more,
        }

    def tables(self, plots):
        estimates = [
            {
                **{name: plot[name] for name in ESTIMATES.names if name in plot},
                "status": plot.get("status") or ("abstained" if plot["reason"] else "estimated"),
                **{
                    name: None if plot["reason"] else float(value)
                    for name, value in zip(QUANTILE_COLUMNS, plot["quantiles"], strict=True)
                },
            }
            for plot in plots
        ]
        names = ("plot_id", "area_m2", "declared_area_m2", "farmer_id", "latitude_deg")
        once = {plot["plot_id"]: {name: plot[name] for name in names} for plot in plots}
        types = [pa.string(), pa.float64(), pa.float64(), pa.string(), pa.float64()]
        schema = pa.schema(list(zip(names, types, strict=True)))
        return (
            pa.Table.from_pylist(estimates, schema=ESTIMATES),
            pa.Table.from_pylist(list(once.values()), schema=schema),
        )

    def holdings(self, plots):
        rows = [
            {
                "farmer_id": plot["farmer_id"],
                "plot_id": plot["plot_id"],
                "tenure_share": plot.get("share", 1.0),
                "grade": plot.get("grade", "C"),
                "documented_area_m2": plot.get("documented_area_m2"),
            }
            for plot in plots
        ]
        return pa.Table.from_pylist(list({row["plot_id"]: row for row in rows}.values()), schema=HOLDINGS)

    def finances(self, *, income=0, debt=0, owed=0, farmer="f1", currency="CNY"):
        row = {
            "farmer_id": farmer,
            "currency": currency,
            "off_farm_income_minor": income,
            "existing_debt_service_minor": debt,
            "outstanding_minor": owed,
        }
        return pa.Table.from_pylist([row], schema=FINANCES)

    def case_tables(self, plots, /, *, policy=None, **known):
        """Return everything that decisions on the plots rest on; `known` replaces any of it."""
        estimates, table = self.tables(plots)
        plain = {"holdings": self.holdings(plots), "policy": policy or self.policy, "crops": self.crops, "as_of": AS_OF}
        return CaseTables(**{"estimates": estimates, "plots": table, **plain, **known})

    def assess(self, plots, /, *, cases_at_once=CASES_AT_ONCE, **known):
        return assess(self.case_tables(plots, **known), cases_at_once=cases_at_once)

    def one(self, plots, /, **known):
        return assess_one(self.case_tables(plots, **known))

    def decide(self, plots, **more):
        return self.one(plots, **more)[0]

    def with_values(self, **changes):
        """Return the pack with single values, e.g. ``product__rate=0.1``; same version, so the same draws."""
        text = self.text
        for name, value in changes.items():
            path = re.escape(name.replace("__", "."))
            text, count = re.subn(
                rf"(\[{path}\]\n(?:[a-z]+ = .*\n)*?)values = .*\n", rf"\g<1>values = {{ 2021-01-01 = {value} }}\n", text
            )
            assert count == 1, name
        return parse_policy(text, source="changed.toml")


@pytest.fixture(scope="session")
def desk():
    return Desk()


@pytest.fixture(scope="session")
def root():
    return Path(__file__).parents[3]
