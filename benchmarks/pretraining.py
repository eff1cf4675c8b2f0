"""Does it help a county network to begin at simulated seasons? ``python -m benchmarks.pretraining LABELS SOURCE``.

LABELS is the canonical folder of ``us_winter_wheat``, SOURCE the set as published, whose daily weather the growth model
eats. For every year a network is fitted to harvests that leave it out, once from nothing and once from a network that
has learnt simulated anomalies of the same counties under the same weather; each is held back towards where it began.
The table is the errors of all counties; ``docs/method/yield.md`` says what was concluded from it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import torch

from agrocredit.growth import DailyForcing, load_growth, sample_parameters, sample_soil, simulate, stack_forcings
from agrocredit.store.bundled import data_path
from agrocredit.yields.area.levels import levels
from agrocredit.yields.area.network import AreaNetwork, AreaNetworkConfig
from agrocredit.yields.area.normals import fit_normals, network_input, places_of
from agrocredit.yields.training import one_thread
from pipelines.area_data import read_area_data
from pipelines.area_training import AreaTrainingFile, read_area_training
from pipelines.learn_area import AreaTables, area_tables
from pipelines.region_weather import RegionWeather, WeatherSource, WindowConfig, as_region, read_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.area.history import AreaHistory
    from agrocredit.yields.area.rows import AreaRows

    Doubles = NDArray[np.float64]

TRAINING: Final = Path(__file__).parents[1] / "pipelines" / "training" / "wheat_us_county.toml"
SOURCE: Final = WeatherSource(
    files="daily_weather_2000_2020/state_*.parquet",
    places="yield_2000_2020.csv",
    place="county_fips",
    latitude="county_lat",
    title="NASA POWER",
    licence="open",
)
START, DAYS, PLOTS = (9, 1), 330, 6
WINDOW: Final = WindowConfig(
    start=START, length_days=DAYS, start_shift_days=(0, 0), sowing_day=(10, 50), warmer_c=(0.0, 0.0), wetter=(1.0, 1.0)
)
SIMULATED_PENALTY: Final = 300.0
"""In rows; simulated seasons are as many as one likes and need little holding back."""

GAINS: Final = {
    "pre-trained, then real years": "real years from nothing",
    "pre-trained, held back a third as much": "the same, held back a third as much",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What a network may learn from before it is asked about a year. Arrays over n rows."""

    x: torch.Tensor
    places: torch.Tensor
    real_t_ha: torch.Tensor
    """Yield minus level."""
    simulated_t_ha: torch.Tensor
    """Simulated yield minus its county's mean."""
    regions: int


def simulated_yields(source: Path, rows: AreaRows) -> Doubles:
    """Return the simulated yield (n,) of every county and harvest year, the mean of a few plots, t/ha."""
    rng = np.random.default_rng(5)
    places = read_places(source, SOURCE, count=len(set(rows.units.tolist())), rng=rng)
    settings = {"window": WINDOW, "base_temperature_c": 0.0, "seed": 1}
    regions = [as_region(at, place, daily, **settings) for at, (place, daily) in enumerate(places.items())]  # type: ignore[arg-type]
    at = np.repeat(np.arange(len(regions)), PLOTS)
    crop = sample_parameters(load_growth(data_path("facts", "growth.toml"))["winter_wheat"], at.size, rng)
    crop, soil = replace(crop, nitrogen=rng.uniform(0.5, 1.0, at.size)), sample_soil(at.size, rng)
    sowing = np.array([region.sowing_day for region in regions])[at] + rng.integers(-7, 8, at.size)
    found = {}
    for year in sorted(set(rows.harvest_years.tolist())):
        grown = simulate(_forcing(regions, year, at), crop=crop, soil=soil, sowing_day=np.maximum(sowing, 0))
        means = grown.yield_t_ha.reshape(-1, PLOTS).mean(axis=1)
        found.update({(region.place.zfill(5), year): mean for region, mean in zip(regions, means, strict=True)})
    pairs = zip(rows.units.astype(str), rows.harvest_years.tolist(), strict=True)
    return np.array([found[pair] for pair in pairs])


def _forcing(regions: list[RegionWeather], year: int, at: NDArray[np.int64]) -> DailyForcing:
    whole = stack_forcings([region.forcing(region.start_on(year, START), DAYS) for region in regions])
    return DailyForcing(**{field.name: getattr(whole, field.name)[at] for field in fields(DailyForcing)})


def errors(
    tables: AreaTables, file: AreaTrainingFile, simulated: Doubles, *, year: int, ahead: bool
) -> dict[str, Doubles]:
    """Return the errors of every way to begin, in one year that none has seen.

    Parameters
    ----------
    tables, file
        As `pipelines.learn_area` makes and takes them.
    simulated : ndarray, shape (n,)
        From `simulated_yields`, for the rows of ``tables.whole``.
    year : int
    ahead : bool
        Whether only earlier years are learnt from; else all others before the release's first test year, too.
    """
    last = year - 1 if ahead else file.years.score_from - 1
    known = tables.years(file.years.first, last) & (tables.whole.harvest_years != year)
    history = tables.history.until(last).without(year)
    rows, asked = tables.whole.take(known), tables.whole.take(tables.years(year, year))
    normals = fit_normals(rows)
    regions = tuple(sorted(set(rows.regions.astype(str).tolist())))
    expected = _levels(rows, history, file)
    kept = np.isfinite(expected)
    means = pd.Series(simulated[known]).groupby(rows.units.astype(str)).transform("mean").to_numpy()
    learning = Learning(
        x=torch.from_numpy(network_input(normals.anomalies(rows))[kept]),
        places=torch.from_numpy(places_of(rows.regions, regions)[kept]),
        real_t_ha=torch.from_numpy((rows.yields_t_ha - expected)[kept].astype(np.float32)),
        simulated_t_ha=torch.from_numpy((simulated[known] - means)[kept].astype(np.float32)),
        regions=len(regions),
    )
    level = levels(history, units=asked.units, regions=asked.regions, year=year, config=file.level).expected_t_ha
    x = torch.from_numpy(network_input(normals.anomalies(asked)))
    places = torch.from_numpy(places_of(asked.regions, regions))
    truth = (asked.yields_t_ha - level)[np.isfinite(level)]
    networks = {"level alone": None, **_networks(learning, file)}
    found = {}
    for name, network in networks.items():
        said = np.zeros(len(asked)) if network is None else _middle(network, x, places)
        found[name] = truth - said[np.isfinite(level)]
    return found


def _levels(rows: AreaRows, history: AreaHistory, file: AreaTrainingFile) -> Doubles:
    expected = np.full(len(rows), np.nan)
    for year in np.unique(rows.harvest_years):
        at = rows.harvest_years == year
        rest = history.without(int(year))
        found = levels(rest, units=rows.units[at], regions=rows.regions[at], year=int(year), config=file.level)
        expected[at] = found.expected_t_ha
    return expected


def _networks(learning: Learning, file: AreaTrainingFile) -> dict[str, AreaNetwork]:
    training = file.training
    nothing = AreaNetwork(AreaNetworkConfig(features=learning.x.shape[1], regions=learning.regions, members=1))
    even = (SIMULATED_PENALTY, SIMULATED_PENALTY)
    simulated = _fit(nothing, learning, learning.simulated_t_ha, even, file)
    said = torch.from_numpy(_middle(simulated, learning.x, learning.places).astype(np.float32))
    share = float(((said * learning.real_t_ha).sum() / said.square().sum()).clamp(0.0, 1.0))
    with torch.no_grad():
        simulated.shared.mul_(share)
        simulated.own.mul_(share)
    held = (training.shared_penalty, training.own_penalty)
    loosely = (held[0] / 3, held[1] / 3)
    return {
        "real years from nothing": _fit(nothing, learning, learning.real_t_ha, held, file),
        "the same, held back a third as much": _fit(nothing, learning, learning.real_t_ha, loosely, file),
        "simulated seasons alone, scaled": simulated,
        "pre-trained, then real years": _fit(simulated, learning, learning.real_t_ha, held, file),
        "pre-trained, held back a third as much": _fit(simulated, learning, learning.real_t_ha, loosely, file),
    }


def _fit(
    begin: AreaNetwork, learning: Learning, truth: torch.Tensor, penalties: tuple[float, float], file: AreaTrainingFile
) -> AreaNetwork:
    """Return a network that began at another one and was held back towards it, in rows."""
    model = AreaNetwork(begin.config)
    model.load_state_dict(begin.state_dict())
    shared, own = begin.shared.detach().clone(), begin.own.detach().clone()
    optimizer = torch.optim.Adam([model.shared, model.own], lr=file.training.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=file.training.steps)
    with one_thread():
        for _ in range(file.training.steps):
            error = (truth - model.middle(learning.x, learning.places)).square().mean()
            away = (
                penalties[0] * (model.shared - shared).square().sum() + penalties[1] * (model.own - own).square().sum()
            )
            optimizer.zero_grad(set_to_none=True)
            (error + away / len(truth)).backward()  # type: ignore[no-untyped-call]  # torch states no type here
            optimizer.step()
            schedule.step()
    return model


def _middle(network: AreaNetwork, x: torch.Tensor, places: torch.Tensor) -> Doubles:
    with torch.inference_mode(), one_thread():
        said: Doubles = network.middle(x, places)[0].numpy().astype(np.float64)
    return said


def main() -> None:
    """Print the errors as Markdown, a column a span of years."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("source", type=Path)
    wanted = parser.parse_args()
    file = read_area_training(TRAINING)
    tables = area_tables(read_area_data(wanted.labels, crop=file.data.crop), file)
    simulated = simulated_yields(wanted.source, tables.whole)
    first, score = file.years.first, file.years.score_from
    spans = {
        "2007, a year ahead": (range(2007, 2008), True),
        "2008 to 2010, a year ahead": (range(2008, score), True),
        "2001 to 2010, each year left out": (range(first, score), False),
        "2011 to 2020, a year ahead": (range(score, file.years.last + 1), True),
    }
    table: dict[str, list[str]] = {}
    for years, ahead in spans.values():
        each = [errors(tables, file, simulated, year=year, ahead=ahead) for year in years]
        for name in each[0]:
            rmse = np.sqrt(np.mean(np.concatenate([one[name] for one in each]) ** 2))
            table.setdefault(name, []).append(f"{rmse:.3f}")
        for name, other in GAINS.items():
            table.setdefault(f"gain of: {name}", []).append(_gain([(one[other], one[name]) for one in each]))
    print(f"| | {' | '.join(spans)} |\n|---|{'---:|' * len(spans)}")
    for name, line in table.items():
        print(f"| {name} | {' | '.join(line)} |")


def _gain(pairs: list[tuple[Doubles, Doubles]]) -> str:
    """Return how much smaller the second errors of some years are, with a 95 % interval from whole years resampled."""
    before, after = (np.array([np.sum(pair[which] ** 2) for pair in pairs]) for which in (0, 1))
    rows = np.array([pair[0].size for pair in pairs])
    drawn = np.random.default_rng(0).integers(0, len(pairs), size=(10_000, len(pairs)))
    gains = np.sqrt(before[drawn].sum(1) / rows[drawn].sum(1)) - np.sqrt(after[drawn].sum(1) / rows[drawn].sum(1))
    whole = np.sqrt(before.sum() / rows.sum()) - np.sqrt(after.sum() / rows.sum())
    if len(pairs) == 1:
        return f"{whole:.3f}"
    low, high = np.quantile(gains, (0.025, 0.975))
    return f"{whole:.3f} ({low:.3f} to {high:.3f}), {int((after < before).sum())} of {len(pairs)}"


if __name__ == "__main__":
    main()
