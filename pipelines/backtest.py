"""Back-test: a policy replayed over past seasons with measured yields, beside flat rules that lose the same share.

Loans do not exist in yield data. Everything here is simulated lending on real harvests, and says so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.summary import Summary
from pipelines.known_crops import known_crops
from pipelines.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from agrocredit.credit import CreditPolicy
    from agrocredit.credit.backtest_compare import Comparison
    from agrocredit.credit.fairness import GroupOutcome
    from pipelines.backtest_prices import PriceSeries
    from pipelines.backtest_seasons import Replayed

AREAS_HA = (0.5, 1.0, 2.0)
"""Sizes of the farms that stand for a unit whose field was not measured. Most farms are smallholdings: 84 % of the
world's are under 2 ha (Lowder, Skoet and Raney 2016, doi:10.1016/j.worlddev.2015.10.041)."""
NOTE = "Simulated lending on measured yields: no such loans were made."
SCALE_IS = {
    "flat_scale_of_finance": "a square metre",
    "flat_limit": "a farmer",
    "scale_by_region": "an expected tonne, the region's mean on the farm's area",
    "share_of_expected_harvest": "an expected tonne",
}
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """What to replay, and where."""

    policy: str
    """Name of a policy that ships, or a TOML file."""
    history: Path
    """Folder in the canonical labelled form."""
    prices: Path | None = None
    """Real farm-gate prices; ``prices.csv`` or ``prices.parquet`` of the folder where none is named."""
    areas_ha: tuple[float, ...] = AREAS_HA
    plot: Path | None = None
    """Picture to write."""


def backtest(request: BacktestRequest, *, progress: Progress = silent) -> Summary:
    """Return what a policy would have lent in past seasons, what would have come back, and what flat rules would do.

    For every year with enough earlier ones the limit is decided by `agrocredit.credit.assess` from what earlier years
    say; the year's measured yield and price then give the cash. The figures stand in the summary's facts:
    ``policies`` by name, ``gain_at_equal_loss``, ``fairness``, ``by_year``.

    Raises
    ------
    InputUnusableError
        What policies, labels and prices raise; ``area_invalid``. Nothing is written then.
    """
    from agrocredit.credit import load_policy
    from agrocredit.credit.backtest_compare import compare
    from pipelines.backtest_history import read_harvests
    from pipelines.backtest_seasons import replay_seasons

    _check_areas(request.areas_ha)
    policy, crops = load_policy(request.policy), known_crops()
    prices = _prices(request, policy)
    harvests = read_harvests(request.history, lent_on=set(policy.crops) & set(crops), crops=crops)
    replayed = replay_seasons(
        harvests, policy=policy, crops=crops, prices=prices, areas_ha=request.areas_ha, progress=progress
    )
    comparison = compare(replayed.seasons) if replayed.seasons else None
    if comparison and request.plot:
        _draw(comparison, policy, request.plot)
    farmers = sum(len(season.farmers) for season in replayed.seasons)
    nothing = f"no season could be replayed: {_named(replayed.left_out)}" if comparison is None else None
    return Summary(
        counts={**harvests.counts, "seasons": len(replayed.seasons), "farmers": farmers, **replayed.left_out},
        refused=harvests.refused,
        facts={
            "note": NOTE,
            "policy": policy.name,
            "policy_version": policy.version,
            "currency": policy.currency,
            "prices": "of the year" if prices else "the policy's own distribution",
            "years": [int(season.harvest_year) for season in replayed.seasons[:1] + replayed.seasons[-1:]],
            **_answers(comparison, replayed, policy),
        },
        failed_checks=(nothing,) if nothing else (),
    )


def _check_areas(areas_ha: Sequence[float]) -> None:
    from agrocredit.domain.errors import InputUnusableError

    if not areas_ha or len(set(areas_ha)) < len(areas_ha) or not all(0.0 < area < np.inf for area in areas_ha):
        raise InputUnusableError("area_invalid", f"farm sizes of {list(areas_ha)} ha, expected distinct ones above 0")


def _prices(request: BacktestRequest, policy: CreditPolicy) -> PriceSeries | None:
    from pipelines.backtest_prices import read_prices

    beside = [request.history / f"prices{suffix}" for suffix in (".parquet", ".csv")]
    path = request.prices or next((path for path in beside if path.is_file()), None)
    return read_prices(path, currency=policy.currency, crops=known_crops()) if path else None


def _draw(comparison: Comparison, policy: CreditPolicy, path: Path) -> None:
    from agrocredit.report.backtest_plot import BacktestPicture, backtest_png
    from agrocredit.store.atomic import write_bytes

    book, count = comparison.book, comparison.book.approved[:, 0]
    lent = np.where(count > 0, count, np.nan)
    picture = BacktestPicture(
        policy=policy.name,
        loss_rate=float(book.loss_rate()[0]),
        credit=float(book.credit[:, 0].sum()),
        curves={rule: (ladder.loss_rate(), ladder.credit.sum(axis=0)) for rule, ladder in comparison.ladders.items()},
        years=book.years,
        realised=book.defaults[:, 0] / lent,
        predicted=comparison.predicted[:, 0] / lent,
        currency=policy.currency,
        note=NOTE,
    )
    write_bytes(backtest_png(picture), path)


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "no label"


def _answers(comparison: Comparison | None, replayed: Replayed, policy: CreditPolicy) -> dict[str, object]:
    if comparison is None:
        unknown = {"farmers": 0, "approved": 0, "credit_minor": 0}
        rates = dict.fromkeys(("loss_rate", "realised_pd", "predicted_pd"))
        return {"policies": {policy.name: {**unknown, **rates}}, "gain_at_equal_loss": None, "fairness": None}
    from agrocredit.domain.money import minor_per_major

    per_major = minor_per_major(policy.currency)
    years = comparison.book.years
    whole = {rule: _figures(comparison, place, slice(None), per_major) for place, rule in enumerate(comparison.rules)}
    by_year = {
        str(year): {
            rule: _figures(comparison, place, slice(row, row + 1), per_major)
            for place, rule in enumerate(comparison.rules)
        }
        for row, year in enumerate(years)
    }
    return {
        "policies": whole,
        "gain_at_equal_loss": _gain(comparison, per_major),
        "fairness": _fairness(replayed, per_major),
        "by_year": by_year,
    }


def _figures(comparison: Comparison, place: int, rows: slice, per_major: int) -> dict[str, object]:
    book = comparison.book
    approved, credit, due, loss, defaults = (
        float(column[rows, place].sum()) for column in (book.approved, book.credit, book.due, book.loss, book.defaults)
    )
    return {
        "farmers": int(book.farmers[rows].sum()),
        "approved": int(approved),
        "credit_minor": round(credit * per_major),
        "due_minor": round(due * per_major),
        "loss_minor": round(loss * per_major),
        "loss_rate": _ratio(loss, due),
        "realised_pd": _ratio(defaults, approved),
        "predicted_pd": _ratio(float(comparison.predicted[rows, place].sum()), approved),
    }


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, _DIGITS) if whole > 0 else None


def _gain(comparison: Comparison, per_major: int) -> dict[str, object]:
    """Return the gain over the flat rule that lends most at equal loss, and over each rule."""
    by_rule = {
        rule: {
            **{name: round(v, _DIGITS) if isinstance(v, float) else v for name, v in asdict(gain).items()},
            "scale_minor": None if (scale := comparison.scales[rule]) is None else round(scale * per_major, _DIGITS),
            "scale_is": SCALE_IS[rule],
        }
        for rule, gain in comparison.gains.items()
    }
    against = comparison.toughest
    toughest = by_rule[against] if against else dict.fromkeys(next(iter(by_rule.values())))
    return {
        "against": against,
        "credit_share": toughest["credit_share"],
        "low": toughest["credit_low"],
        "high": toughest["credit_high"],
        "farmers_share": toughest["farmers_share"],
        "farmers_low": toughest["farmers_low"],
        "farmers_high": toughest["farmers_high"],
        "interval": "90 %, by resampling years" if len(comparison.book.years) > 1 else "none: one year",
        "by_rule": by_rule,
    }


def _fairness(replayed: Replayed, per_major: int) -> dict[str, object]:
    from agrocredit.credit.backtest_rules import lent_by_policy
    from agrocredit.credit.fairness import band_names, fairness, fairness_bench, size_bands

    limit = np.concatenate([lent_by_policy(season)[0] for season in replayed.seasons])
    qualified = np.concatenate([season.qualified() for season in replayed.seasons])
    area_ha: NDArray[np.float64] = replayed.farms["area_ha"].to_numpy(np.float64)
    groups = {"by_plot_size": size_bands(area_ha), "by_region": replayed.farms["region"].astype(str).tolist()}
    found = {
        name: fairness(of, approved=limit > 0, limit=limit, area_ha=area_ha, qualified=qualified)
        for name, of in groups.items()
    }
    found["by_plot_size"].sort(key=lambda outcome: band_names().index(outcome.group))
    return {
        "ratio_min": fairness_bench().approval_ratio_min,
        **{name: [_group(outcome, per_major) for outcome in outcomes] for name, outcomes in found.items()},
        "by_tenure": None,  # yields are measured on fields, not on tenures: only a lender's own holdings can tell
        "below_ratio_min": sorted(o.group for outcomes in found.values() for o in outcomes if not o.holds),
    }


def _group(outcome: GroupOutcome, per_major: int) -> dict[str, object]:
    fields = asdict(outcome)
    per_ha = fields.pop("limit_per_ha")
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in fields.items()}
    return {**rounded, "limit_per_ha_minor": None if per_ha is None else round(per_ha * per_major)}
