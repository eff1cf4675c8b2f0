"""What can be said of smallholders' maize: ``python -m pipelines.smallholder_scores CUTS NATIONAL``.

CUTS and NATIONAL are folders in the canonical form, made by ``agrocredit data adapt oaf_maize_cropcuts`` and
``national_fao``. The cuts have no clear licence, so nothing learnt from them is released: the model is fitted here, in
memory, scored and forgotten. Settings were chosen on 2017 and 2018, each estimated from the other, in Kenya alone.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.area.rows import AreaRows
from agrocredit.yields.local_labels import LocalConfig, local_estimates_t_ha
from agrocredit.yields.peers import PeerConfig, fit_peers
from agrocredit.yields.rolling_baselines import rolling_baselines
from agrocredit.yields.scoring import score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.peers import PeerModel

    Doubles = NDArray[np.float64]

PEERS: Final = PeerConfig(
    traits=("t_min_c", "rain_sum_mm"), practices=("hybrid", "nitrogen_log", "intercrop"), penalty_plots=100.0
)
TEST_YEAR: Final = 2019
HOME: Final = "Kenya"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abroad:
    """A country the model has never seen. What is taken there was chosen on the other such country."""

    country: str
    year: int
    code: str
    """Of its national yields."""
    practices: tuple[str, ...]
    """Traits do not travel: what warm nights mean on Kenya's slopes they do not mean elsewhere."""
    local: LocalConfig


ABROAD: Final = (
    Abroad(
        country="Burundi",
        year=2017,
        code="BDI",
        practices=("hybrid", "intercrop"),
        local=LocalConfig(penalty_plots=10.0, neighbour_km=5.0, neighbour_prior=3.0),
    ),
    Abroad(
        country="Rwanda",
        year=2016,
        code="RWA",
        practices=PEERS.practices,
        local=LocalConfig(penalty_plots=100.0, neighbour_km=5.0, neighbour_prior=3.0),
    ),
)
CELL_DEG: Final = 0.1
CELL_PLOTS_MIN: Final = 20
BLOCK_DEG: Final = 0.02
"""Labels and scored plots never share a square of some 2 km."""
LABELS: Final = 50
DRAWS: Final = 200
NITROGEN_SCALE_KG_HA: Final = 20.0
"""Where the response to nitrogen bends: a basal dose."""

Line = dict[str, object]


def smallholder_scores(cuts: Path, national: Path) -> dict[str, list[Line]]:
    """Return the tables: the year ahead at home, and countries never seen.

    Parameters
    ----------
    cuts, national : Path
        Folders in the canonical form.
    """
    rows = read_cuts(cuts)
    return {"the year ahead": year_ahead(rows), "a country never seen": abroad(rows, national)}


def read_cuts(cuts: Path) -> AreaRows:
    """Return every crop cut with its season's weather and what was done on the field, as known before the harvest."""
    import pandas as pd

    labels = pd.read_parquet(cuts / "labels.parquet")
    series = pd.read_parquet(cuts / "series.parquet").drop(columns=["year", "date"])
    static = pd.read_parquet(cuts / "static.parquet")
    table = labels.merge(series, on="unit", validate="one_to_one").merge(static, on="unit", validate="one_to_one")
    # What the next kilogram brings falls with every one before it.
    table["nitrogen_log"] = np.log1p(table["nitrogen_kg_ha"] / NITROGEN_SCALE_KG_HA)
    return AreaRows(
        units=table["unit"].to_numpy(dtype=object),
        regions=table["region"].to_numpy(dtype=object),
        harvest_years=table["harvest_year"].to_numpy(np.int64),
        longitude_deg=table["longitude"].to_numpy(np.float64),
        latitude_deg=table["latitude"].to_numpy(np.float64),
        features=table[list(PEERS.names)].to_numpy(np.float64),
        names=PEERS.names,
        yields_t_ha=table["yield_t_ha"].to_numpy(np.float64),
    )


def year_ahead(rows: AreaRows) -> list[Line]:
    """Return the scores of the test year at home, learnt from the years before, beside the baselines."""
    home = rows.take((rows.regions == HOME) & (rows.harvest_years <= TEST_YEAR))
    asked = home.harvest_years == TEST_YEAR
    model = fit_peers(home.take(~asked), PEERS)
    said = {"level and peers": model.quantiles_t_ha(home.take(asked))}
    said |= {name: quantiles[asked] for name, quantiles in rolling_baselines(home, years=[TEST_YEAR]).items()}
    test = home.take(asked)
    return [
        {"model": name, **score(test.yields_t_ha, quantiles), "cell_r": cell_correlation(test, quantiles)}
        for name, quantiles in said.items()
    ]


def cell_correlation(rows: AreaRows, quantiles: Doubles) -> float | None:
    """Return how mean estimates and mean yields of cells with enough plots correlate; None where either is the same."""
    grid = np.floor(np.column_stack([rows.latitude_deg, rows.longitude_deg]) / CELL_DEG)
    _, place, counts = np.unique(grid, axis=0, return_inverse=True, return_counts=True)
    many = counts >= CELL_PLOTS_MIN
    middle = quantiles[:, QUANTILE_LEVELS.index(0.50)]
    said, brought = (np.bincount(place.ravel(), one)[many] / counts[many] for one in (middle, rows.yields_t_ha))
    return float(np.corrcoef(said, brought)[0, 1]) if said.std() > 1e-9 and brought.std() > 0 else None


def abroad(rows: AreaRows, national: Path) -> list[Line]:
    """Return the scores in countries never seen, beside their national mean, without and with a few local labels."""
    home = rows.take((rows.regions == HOME) & (rows.harvest_years < TEST_YEAR))
    lines: list[Line] = []
    for one in ABROAD:
        config = PeerConfig(traits=(), practices=one.practices, penalty_plots=PEERS.penalty_plots)
        model = fit_peers(home, config)
        there = rows.take((rows.regions == one.country) & (rows.harvest_years == one.year))
        level = national_mean_t_ha(national, code=one.code, year=one.year)
        said = model.at_level(there, level).estimate_t_ha(there)
        found = {
            "national mean": _middle_scores(there, np.full(len(there), level)),
            "level and peers at the national mean": _middle_scores(there, said),
            **_with_labels(model, there, one.local),
        }
        lines += [{"country": one.country, "model": name, **scores} for name, scores in found.items()]
    return lines


def _with_labels(model: PeerModel, there: AreaRows, local: LocalConfig) -> dict[str, dict[str, float]]:
    """Return the median and the middle 80 % of R2 over draws of labels, for the labels' mean and for the model."""
    found: dict[str, list[float]] = {f"mean of {LABELS} labels": [], f"with {LABELS} labels": []}
    for draw in range(DRAWS):
        labelled, scored = draw_labels(there, np.random.default_rng(draw))
        mean = np.full(len(there), there.yields_t_ha[labelled].mean())
        said = local_estimates_t_ha(model, there, labelled=labelled, config=local)
        for r2, answer in zip(found.values(), (mean, said), strict=True):
            r2.append(_middle_scores(there.take(scored), answer[scored])["r2"])
    shares = {"r2_low": 0.1, "r2": 0.5, "r2_high": 0.9}
    return {name: {key: float(np.quantile(r2, at)) for key, at in shares.items()} for name, r2 in found.items()}


def national_mean_t_ha(national: Path, *, code: str, year: int, years: int = 5) -> float:
    """Return the mean of a country's latest national maize yields before a harvest year, t/ha."""
    import pandas as pd

    labels = pd.read_parquet(national / "labels.parquet")
    known = labels[(labels["unit"] == code) & (labels["crop"] == "maize") & (labels["harvest_year"] < year)]
    return float(known.sort_values("harvest_year")["yield_t_ha"].tail(years).mean())


def draw_labels(rows: AreaRows, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which plots are labelled, one a block, and which are scored: those of all other blocks."""
    grid = np.floor(np.column_stack([rows.latitude_deg, rows.longitude_deg]) / BLOCK_DEG)
    _, block = np.unique(grid, axis=0, return_inverse=True)
    block = block.ravel()
    chosen = rng.permutation(block.max() + 1)[:LABELS]
    labelled = np.zeros(len(rows), dtype=bool)
    labelled[[rng.choice(np.flatnonzero(block == one)) for one in chosen]] = True
    return labelled, ~np.isin(block, chosen)


def _middle_scores(rows: AreaRows, said: Doubles) -> dict[str, float]:
    error = rows.yields_t_ha - said
    total = float(((rows.yields_t_ha - rows.yields_t_ha.mean()) ** 2).sum())
    return {"n": len(rows), "rmse_t_ha": float(np.sqrt((error**2).mean())), "r2": 1.0 - float((error**2).sum()) / total}


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cuts", type=Path)
    parser.add_argument("national", type=Path)
    wanted = parser.parse_args()
    for title, lines in smallholder_scores(wanted.cuts, wanted.national).items():
        columns = list(dict.fromkeys(name for line in lines for name in line))
        print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")  # noqa: T201 - a table is the answer
        for line in lines:
            print(f"| {' | '.join(_cell(line.get(name)) for name in columns)} |")  # noqa: T201


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
