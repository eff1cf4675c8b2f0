"""How a plot is coloured, three ways: by its farmer's limit, by its yield, by why there is no answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from agrocredit.domain.decision import Outcome
from agrocredit.report.colours import CATEGORIES, SHADES, shade_of_class
from agrocredit.report.display import money, tonnes
from agrocredit.report.nice_numbers import class_edges, class_of
from agrocredit.report.wording import ABSTENTIONS, code_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agrocredit.report.joined import FarmerView, PlotView, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One line of a legend."""

    token: str
    """The class that colours the plots in ``page.css``: l, y or w and a number or letter."""
    label: str
    count: int
    """Plots with this colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    """One way to colour the map."""

    name: str
    """``limit``, ``yield`` or ``why``."""
    title: str
    """Heading of the legend, with the unit."""
    tokens: tuple[str, ...]
    """One a plot, in the order of `Run.plots`."""
    keys: tuple[Key, ...]


def by_limit(run: Run) -> Colouring:
    """Return the colouring by limit of the plot's farmer; of several farmers the largest limit counts."""
    farmer_of = run.farmer_of()
    best = [_best_farmer(plot, farmer_of) for plot in run.plots]
    limits = [farmer.decision.limit_minor for farmer in best if farmer and farmer.decision.limit_minor]
    edges = class_edges(limits, classes=SHADES)
    currency = next((farmer.decision.currency for farmer in best if farmer), "")

    def token(farmer: FarmerView | None) -> str:
        if farmer is None:
            return "ln"
        if farmer.decision.outcome is Outcome.APPROVED:
            number = class_of(farmer.decision.limit_minor, edges)
            return f"l{shade_of_class(number, classes=len(edges) + 1)}"
        return "lr" if farmer.decision.outcome is Outcome.REFERRED else "ld"

    words = {
        **_range_words("l", edges, say=lambda edge: money(round(edge), currency).removeprefix(f"{currency} ")),
        "lr": "referred to a person",
        "ld": "declined",
        "ln": "no decision",
    }
    title = f"Limit of the plot's farmer, {currency}" if currency else "Limit of the plot's farmer"
    return _colouring("limit", title, [token(farmer) for farmer in best], words)


def _best_farmer(plot: PlotView, farmer_of: dict[str, FarmerView]) -> FarmerView | None:
    decided = [farmer_of[farmer_id] for farmer_id in plot.farmer_ids if farmer_id in farmer_of]
    return max(decided, key=lambda farmer: farmer.decision.limit_minor, default=None)


def by_yield(run: Run) -> Colouring:
    """Return the colouring by median yield in t/ha."""
    medians = [_median_t_ha(plot) for plot in run.plots]
    edges = class_edges([median for median in medians if median is not None], classes=SHADES)

    def token(plot: PlotView, median_t_ha: float | None) -> str:
        if median_t_ha is not None:
            return f"y{shade_of_class(class_of(median_t_ha, edges), classes=len(edges) + 1)}"
        return "yn" if plot.estimate is None else "ya"

    words = {**_range_words("y", edges, say=tonnes), "ya": "abstained", "yn": "no estimate"}
    tokens = [token(plot, median) for plot, median in zip(run.plots, medians, strict=True)]
    return _colouring("yield", "Median yield (q50), t/ha", tokens, words)


def _median_t_ha(plot: PlotView) -> float | None:
    if plot.estimate is None or plot.estimate.quantiles_t_ha is None:
        return None
    return plot.estimate.quantiles_t_ha[3]


def by_why(run: Run) -> Colouring:
    """Return the colouring by why there is no answer: refusals, abstentions, then farmers not approved."""
    farmer_of = run.farmer_of()
    causes = [_cause(plot, farmer_of) for plot in run.plots]
    counts = Counter(cause for cause in causes if cause not in _PLAIN)
    named = sorted(counts, key=lambda cause: (-counts[cause], cause))
    # Past the last colour all share the grey one.
    last = len(CATEGORIES) - 1
    token_of = {cause: f"w{min(number, last)}" for number, cause in enumerate(named)}
    words = {token_of[cause]: cause for cause in named[:last]}
    if len(named) > last:
        words[f"w{last}"] = named[last] if len(named) == last + 1 else "other causes"
    return _colouring(
        "why",
        "Why there is no answer",
        [{**token_of, **_PLAIN}[cause] for cause in causes],
        {
            **words,
            **{token: cause for cause, token in _PLAIN.items()},
        },
    )


_REFERRED, _DECLINED = "estimated; farmer referred", "estimated; farmer declined"
_ANSWERED, _OPEN = "answered", "no estimate"
_PLAIN = {_REFERRED: "wr", _DECLINED: "wd", _ANSWERED: "wk", _OPEN: "wn"}


def _cause(plot: PlotView, farmer_of: dict[str, FarmerView]) -> str:
    if plot.refusal_code:
        return f"refused: {code_words(plot.refusal_code)}"
    if plot.estimate is None:
        return _OPEN
    if plot.estimate.reason is not None:
        return ABSTENTIONS[plot.estimate.reason].label
    farmer = _best_farmer(plot, farmer_of)
    if farmer is None or farmer.decision.outcome is Outcome.APPROVED:
        return _ANSWERED
    return _REFERRED if farmer.decision.outcome is Outcome.REFERRED else _DECLINED


def _range_words(prefix: str, edges: Sequence[float], *, say: Callable[[float], str]) -> dict[str, str]:
    classes = len(edges) + 1
    tokens = [f"{prefix}{shade_of_class(number, classes=classes)}" for number in range(classes)]
    if not edges:
        return {tokens[0]: "all alike"}
    between = [f"{say(low)} to under {say(high)}" for low, high in pairwise(edges)]
    return dict(zip(tokens, [f"under {say(edges[0])}", *between, f"{say(edges[-1])} and more"], strict=True))


def _colouring(name: str, title: str, tokens: Iterable[str], words: dict[str, str]) -> Colouring:
    tokens = tuple(tokens)
    counts = Counter(tokens)
    keys = tuple(Key(token=token, label=label, count=counts[token]) for token, label in words.items() if counts[token])
    return Colouring(name=name, title=title, tokens=tokens, keys=keys)
