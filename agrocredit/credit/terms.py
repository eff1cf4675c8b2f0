"""The terms of a policy on one day, typed: what the pack's parameters are called, and in what unit each is computed.

The records are also the schema: `policy` reads exactly these fields from a pack, no fewer and no more.
A term with a `cap` is needed only where the pack switches that cap on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agrocredit.domain.decision import CapName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from agrocredit.credit.quantities import Kind


def term(key: str, kind: Kind, *, cap: CapName | None = None) -> dict[str, Any]:
    """Return the metadata of a field read from the parameter `key`; needed only for `cap` where one is named."""
    return {"key": key, "kind": kind, "cap": cap}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is sold."""

    minimum_ticket_minor: int = field(metadata=term("minimum_ticket", "money"))
    """Below this limit a person decides."""
    rounding_step_minor: int = field(metadata=term("rounding_step", "money"))
    """Limits are multiples of this."""
    rate: Decimal = field(metadata=term("rate", "rate"))
    """Simple yearly interest."""
    maximum_minor: int | None = field(metadata=term("maximum", "money", cap=CapName.PRODUCT_MAXIMUM))
    legal_maximum_minor: int | None = field(metadata=term("legal_maximum", "money", cap=CapName.LEGAL_MAXIMUM))
    cut_materiality: float = field(metadata=term("cut_materiality", "share"))
    """A limit in force is not cut by this share of it or less."""
    exposure_maximum_minor: int | None = field(metadata=term("exposure_maximum", "money", cap=CapName.EXPOSURE))
    """Most that one farmer may owe in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repayment:
    """What must be left over at harvest."""

    alpha: float = field(metadata=term("alpha", "level"))
    """The quantile of cash at harvest that decides: 0.15 counts the harvest that comes short in 15 of 100 years."""
    dscr_min: float = field(metadata=term("dscr_min", "ratio"))
    """Cash at harvest over the amount due, at least."""
    household_floor: float = field(metadata=term("household_floor", "money_per_month"))
    """What the field must leave the household a month, major units."""
    household_months: int = field(metadata=term("household_months", "months"))
    off_farm_haircut: float = field(metadata=term("off_farm_haircut", "share"))
    """Share of stated off-farm income that is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """How uncertainty is drawn."""

    draws: int = field(metadata=term("draws", "count"))
    """A power of two, 2,048 or more."""
    regional_share: float = field(metadata=term("regional_share", "share"))
    """Share of yield variance that a region has in common."""
    yield_zero_level: float = field(metadata=term("yield_zero_level", "level"))
    """Probability at which the lower tail of a yield reaches 0."""
    yield_counted_to: float = field(metadata=term("yield_counted_to", "level"))
    """Harvest above this quantile is not counted; one of the quantile levels, 0.50 or less keeps law 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What area counts."""

    cropped_fraction_low: float = field(metadata=term("cropped_fraction_low", "share"))
    """Lower quantile of the cropped share of a plot."""
    declared_tolerance: float = field(metadata=term("declared_tolerance", "share"))
    """Declared and drawn area may differ by this share before a person verifies."""
    crops_per_plot_max: int = field(metadata=term("crops_per_plot_max", "count"))
    """Crops one plot can bear in a season."""
    plots_per_farmer_max: int = field(metadata=term("plots_per_farmer_max", "count"))
    """A farmer with more is refused: a register is at fault, or one name stands for many people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What evidence is worth."""

    clear_observations_min: int = field(metadata=term("clear_observations_min", "count"))
    """A plot seen clear less often does not count."""
    estimate_age_max_days: int = field(metadata=term("estimate_age_max", "days"))
    """An estimate that knows nothing newer than this does not count."""
    grade_a: float | None = field(metadata=term("grade_a", "money_per_area", cap=CapName.EVIDENCE_GRADE))
    """Document and verified crop, major units a m2."""
    grade_b: float | None = field(metadata=term("grade_b", "money_per_area", cap=CapName.EVIDENCE_GRADE))
    """Verified crop."""
    grade_c: float | None = field(metadata=term("grade_c", "money_per_area", cap=CapName.EVIDENCE_GRADE))
    """Drawn only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the season's costs ask for."""

    ltc_max: float | None = field(metadata=term("ltc_max", "share", cap=CapName.WORKING_CAPITAL_NEED))
    """Share of the costs that the loan may carry."""
    lookback_days: int | None = field(metadata=term("lookback", "days", cap=CapName.WORKING_CAPITAL_NEED))
    """Costs paid this long ago may still be refinanced; 0 counts only what is still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaying:
    """When money comes back."""

    harvest_quantile: float = field(metadata=term("harvest_quantile", "level"))
    """Share of the harvest window after which the crop counts as cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleOfFinance:
    """The Kisan Credit Card rule, see `kisan_credit_card`."""

    household_share: float | None = field(metadata=term("household_share", "share", cap=CapName.SCALE_OF_FINANCE))
    """Post-harvest, household and consumption needs over the crop part."""
    upkeep_share: float | None = field(metadata=term("upkeep_share", "share", cap=CapName.SCALE_OF_FINANCE))
    """Repair and upkeep of farm assets over the crop part."""
    yearly_increase: float | None = field(metadata=term("yearly_increase", "share", cap=CapName.SCALE_OF_FINANCE))
    increase_on: str | None = field(metadata=term("increase_on", "choice", cap=CapName.SCALE_OF_FINANCE))
    """``whole_limit`` or ``crop_part``."""
    card_year: int | None = field(metadata=term("card_year", "years", cap=CapName.SCALE_OF_FINANCE))
    """Year of the card that is drawn on, 1 to 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What a loan's risk costs, see `risk`; it prices loans and decides none."""

    lgd: float = field(metadata=term("lgd", "share"))
    """Share of the exposure that is lost where a loan fails."""
    drawn_share: float = field(metadata=term("drawn_share", "share"))
    """Share of a limit that is drawn at once."""
    ccf: float = field(metadata=term("ccf", "share"))
    """Credit conversion factor: share of the undrawn part that is drawn before a failure."""
    funding: Decimal = field(metadata=term("funding", "rate"))
    """What the lender pays for its money, a year."""
    opex_minor: int = field(metadata=term("opex", "money"))
    """Cost of one loan from application to last repayment."""
    hurdle: Decimal = field(metadata=term("hurdle", "rate"))
    """Return that the lender's own capital must earn, a year."""
    pd_floor: float = field(metadata=term("pd_floor", "level"))
    """No probability of default is taken below this, nor above 1 less this."""
    score_offset: float = field(metadata=term("score_offset", "ratio"))
    """Score at odds of 1 to 1."""
    score_doubling: float = field(metadata=term("score_doubling", "ratio"))
    """Points that double the odds of good to bad."""
    correlation_low: float = field(metadata=term("correlation_low", "share"))
    """Asset correlation of the riskiest loans."""
    correlation_high: float = field(metadata=term("correlation_high", "share"))
    """Asset correlation of the safest loans."""
    correlation_decay: float = field(metadata=term("correlation_decay", "ratio"))
    """How fast the correlation falls with the probability of default."""
    capital_level: float = field(metadata=term("capital_level", "level"))
    """Share of years that the capital must outlast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """What a portfolio must be asked, see `portfolio`; it decides no loan."""

    loss_level: float = field(metadata=term("loss_level", "level"))
    """Share of seasons that lose no more than the value at risk."""
    drought_level: float = field(metadata=term("drought_level", "level"))
    """How often the region's season is as poor as in the drought: 0.1 is one in ten."""
    price_fall: float = field(metadata=term("price_fall", "share"))
    """Share that every price loses in the price scenario."""
    season_shared: float = field(metadata=term("season_shared", "share"))
    """Share of the variance of a region's season that all regions have in common; 1 is one season for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What past loans and evidence say of a loan's risk, see `scorecard`; it prices loans and decides none."""

    weight_max: float = field(metadata=term("weight_max", "share"))
    """Most that the scorecard may weigh beside the simulation, however long the history."""
    half_weight_loans: float = field(metadata=term("half_weight_loans", "ratio"))
    """Past loans at which half of that is reached."""
    base: float = field(metadata=term("base", "ratio"))
    """Log-odds of good to bad from which late loans are counted down."""
    per_repaid: float = field(metadata=term("per_repaid", "ratio"))
    """Added for each loan repaid in time, log-odds."""
    per_late: float = field(metadata=term("per_late", "ratio"))
    """Taken for each loan repaid late or not at all, log-odds."""
    counted_loans_max: int = field(metadata=term("counted_loans_max", "count"))
    """So many of each kind count at most."""
    grade_a: float = field(metadata=term("grade_a", "ratio"))
    """Added where every plot has a document and a verified crop, log-odds."""
    grade_b: float = field(metadata=term("grade_b", "ratio"))
    """Added where every plot has a verified crop at least, log-odds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tranches:
    """How a limit is paid out, see `tranches`; it decides no limit."""

    share_at_once: float = field(metadata=term("share_at_once", "share"))
    """Share of a limit that waits for nothing."""
    event: str = field(metadata=term("event", "choice"))
    """What the rest waits for: ``ploughed`` or ``emerged``."""
    time_out_days: int = field(metadata=term("time_out", "days"))
    """The rest waits so long after the decision at most: cloud keeps no fertiliser from a farmer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashCost:
    """One cash cost before harvest."""

    amount: float = field(metadata=term("amount", "money_per_area"))
    """Major units a m2."""
    days_before_harvest: int = field(metadata=term("days_before_harvest", "days"))
    """Days before the first usual day of harvest on which it is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CropTerms:
    """What a policy says about one crop."""

    price: float = field(metadata=term("price", "money_per_weight"))
    """Median farm-gate price at harvest, major units a tonne."""
    price_volatility: float = field(metadata=term("price_volatility", "ratio"))
    """Standard deviation of the logarithm of the price."""
    price_correlation: float = field(metadata=term("price_correlation", "correlation"))
    """Of the price with the regional yield; negative is a natural hedge."""
    loss_after_harvest: float = field(metadata=term("loss_after_harvest", "share"))
    own_consumption: float = field(metadata=term("own_consumption", "share"))
    cost_after_harvest: float = field(metadata=term("cost_after_harvest", "money_per_weight"))
    """Cutting, threshing, drying, transport, major units a tonne harvested."""
    marketing_days: int = field(metadata=term("marketing_window", "days"))
    """From harvest to money."""
    scale_of_finance: float | None = field(
        metadata=term("scale_of_finance", "money_per_area", cap=CapName.SCALE_OF_FINANCE)
    )
    """Major units a m2."""
    costs: tuple[tuple[str, CashCost], ...] = ()
    """Cash costs before harvest, with their names, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInForce:
    """A policy as it stands on one day."""

    name: str
    version: str
    """The version in force that day."""
    sha256: str
    """Hash of every value in force: equal terms have equal hashes, whatever the pack says of later days."""
    currency: str
    area_unit: str
    """Unit in which texts speak of area."""
    on: date
    caps: tuple[CapName, ...]
    """The caps that are switched on, in the order that decides ties."""
    product: Product
    repayment: Repayment
    simulation: Simulation
    area: Area
    evidence: Evidence
    need: Need
    schedule: Repaying
    scale_of_finance: ScaleOfFinance
    risk: Risk | None
    """None where the pack prices no risk."""
    stress: Stress | None
    """None where the pack asks a portfolio nothing."""
    scorecard: Scorecard | None
    """None where the pack reads no history."""
    tranches: Tranches | None
    """None where the pack pays out at once."""
    beside_sha256: str
    """Hash of the values that price, stress and pay out, and decide nothing."""
    crops: Mapping[str, CropTerms]
