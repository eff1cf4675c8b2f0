"""Checks labels row by row: what is refused, with its row, and what is left is in one order whatever the files were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.adapters.adapted import LABEL_COLUMNS
from pipelines.adapters.files import refuse_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.domain.errors import Refusal
    from pipelines.adapters.adapted import LabelRules

KEY = ["unit", "crop", "harvest_year"]
SORTED_BY = ["region", "unit", "crop", "harvest_year"]
YEAR_RANGE = (1850, 2100)
SAME_YIELD_T_HA = 1e-9
"""Two entries of one yield in two units may differ by rounding in the last place, and by no more."""

YIELD_T_HA_MAX = {"winter_wheat": 18.0, "maize": 19.0, "rice": 15.0, "soybean": 10.0, "sorghum": 15.0}
"""Above this an entry is an error. Wheat: the highest field ever certified, 17.96 t/ha (Guinness World Records 2022).
The others are ours, about one and a half times the highest entry of the published sets."""

PEERS_MIN = 5
"""Fewer have no median to speak of."""


def check_labels(labels: pd.DataFrame, rules: LabelRules) -> tuple[pd.DataFrame, list[Refusal], int]:
    """Return the labels that hold, the refusals, and how many places and years were "not reported".

    Parameters
    ----------
    labels : DataFrame
        As `Adapted.labels`.
    rules : LabelRules

    Returns
    -------
    (DataFrame, list of Refusal, int)
        Labels have `LABEL_COLUMNS`, one row a unit, crop and harvest year, sorted. Codes: ``unit_missing``,
        ``year_invalid``, ``place_invalid``, ``yield_invalid``, ``label_contradiction`` (all entries of the place and
        year, because nothing says which one is right), ``yield_implausible``.
    """
    rows = labels.reset_index(drop=True)
    for column in ("harvest_year", "yield_t_ha", "longitude", "latitude"):
        rows[column] = pd.to_numeric(rows[column], errors="coerce").astype("float64")
    unreported = (rows["yield_t_ha"] == 0) if rules.zero_is_missing else np.zeros(len(rows), dtype=bool)
    not_reported = len(rows[unreported].drop_duplicates(KEY))
    rows = rows[~unreported].reset_index(drop=True)
    rows, refused = _refuse_broken(rows, rules)
    rows = rows.astype({"unit": str, "region": str, "crop": str, "harvest_year": "int32"})
    rows, contradicting = _refuse_contradicting(rows)
    implausible = _implausible(rows, rules)
    refused += contradicting + [
        refuse_row(
            "yield_implausible", row, f"{row.yield_t_ha:.4g} t/ha of {row.crop} in {row.unit}, {row.harvest_year}"
        )
        for row in rows[implausible].itertuples()
    ]
    kept = rows.loc[~implausible, list(LABEL_COLUMNS)].sort_values(SORTED_BY, ignore_index=True)
    return kept, refused, not_reported


def _refuse_broken(rows: pd.DataFrame, rules: LabelRules) -> tuple[pd.DataFrame, list[Refusal]]:
    years = rows["harvest_year"]
    whole_year = years.between(*YEAR_RANGE) & (years % 1 == 0)
    placed = rows["longitude"].between(-180, 180) & rows["latitude"].between(-90, 90)
    faults = {
        "unit_missing": rows[["unit", "region", "crop"]].isna().any(axis=1),
        "year_invalid": ~whole_year,
        "place_invalid": ~placed if rules.placed else pd.Series(data=False, index=rows.index),
        "yield_invalid": ~(np.isfinite(rows["yield_t_ha"]) & (rows["yield_t_ha"] >= 0)),
    }
    refused: list[Refusal] = []
    broken = pd.Series(data=False, index=rows.index)
    for code, fault in faults.items():
        for row in rows[fault & ~broken].itertuples():
            found = f"unit {row.unit}, year {row.harvest_year}, place {row.longitude} {row.latitude}"
            refused.append(refuse_row(code, row, f"{found}, yield {row.yield_t_ha} t/ha"))
        broken |= fault
    return rows[~broken], refused


def _refuse_contradicting(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Refusal]]:
    """Return one row a key where all its entries agree, and every entry where they do not."""
    by_key = rows.groupby(KEY, sort=False)["yield_t_ha"]
    spread = by_key.transform("max") - by_key.transform("min")
    contradicting = spread > SAME_YIELD_T_HA
    refused = [
        refuse_row(
            "label_contradiction", row, f"{row.yield_t_ha:.6g} t/ha for {row.unit} {row.crop} {row.harvest_year}, "
            "another entry says otherwise",
        )
        for row in rows[contradicting].itertuples()
    ]  # fmt: skip
    agreeing = rows[~contradicting].sort_values([*LABEL_COLUMNS, "file", "row"])
    return agreeing.drop_duplicates(KEY).reset_index(drop=True), refused


def _implausible(rows: pd.DataFrame, rules: LabelRules) -> NDArray[np.bool_]:
    """Return which yields no field brings, or are so far above their peers that a decimal point has slipped."""
    limits = rows["crop"].map(YIELD_T_HA_MAX if rules.of_fields else {}).astype("float64").fillna(np.inf)
    above = (rows["yield_t_ha"] > limits).to_numpy(bool)
    if rules.peers is None:
        return above
    peers = ["unit", "crop"] if rules.peers == "own_years" else ["region", "crop", "harvest_year"]
    grouped = rows.groupby(peers)["yield_t_ha"]
    many = grouped.transform("size") > PEERS_MIN
    slipped = rows["yield_t_ha"] > rules.peer_ratio_max * grouped.transform("median").clip(lower=1e-3)
    return np.asarray(above | (many & slipped).to_numpy(bool))
