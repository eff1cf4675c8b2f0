"""The card of an area release: what it is for, what it learnt from, what it is worth, and what nobody has tested."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from pipelines.model_card import score_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.yields.area.release import AreaRelease
    from pipelines.area_training import AreaTrainingFile

SMALL_REGION_ROWS = 100
"""A region with fewer scored rows is named as one whose figures say little."""


def area_card(release: AreaRelease, file: AreaTrainingFile, scores: Mapping[str, Any]) -> str:
    """Return the card in Markdown; every figure in it comes from `scores`.

    Parameters
    ----------
    release : AreaRelease
    file : AreaTrainingFile
        What it was made from.
    scores : mapping
        From `pipelines.area_scores`.
    """
    return (
        "\n\n".join((_purpose(release), _learnt_from(release, file), _worth(scores), _limits(release, scores))) + "\n"
    )


def _purpose(release: AreaRelease) -> str:
    facts = release.facts
    crop = facts.crop.replace("_", " ")
    return f"""# {facts.name}

Yield of {crop} in t/ha, as seven quantiles for one area and harvest year, from the area's earlier harvests and the
season's weather. Made with agrocredit {facts.code_version}.

## For what

What a whole area will bring: for the regional outlook beside which a plot is judged, for prices and for portfolios
of loans. Not for single plots, whose yields differ among each other far more than areas do, and not for insurance
claims."""


def _learnt_from(release: AreaRelease, file: AreaTrainingFile) -> str:
    years, facts = file.years, release.facts
    held = release.calibration.years
    widths = sorted(release.calibration.widths.items(), key=lambda one: one[1][-1])
    narrow, wide = widths[0], widths[-1]
    return f"""## What it learnt from

- {_paragraph(file.data.title)}.
- {len(release.normals.units)} areas in {len(facts.regions)} regions.
- Licence: {file.data.licence}.
- Seasons of {years.first} to {facts.trained_to}; earlier harvests of the same areas as history.
- {facts.network.features} features of weather, each as the difference from the area's own normal.
- Trust and intervals come from {held[0]} to {held[-1]}, each year predicted by a network that knew only years
  before it. The training file stands in `model.toml`.
- Intervals are learnt from all regions together and then made as wide for each as its own errors call for, by
  credibility: after the season from {_width(narrow)} ({narrow[0]}) to {_width(wide)} ({wide[0]}) times
  the pooled width.

{_paragraph(file.data.disclosure)}"""


def _width(region: tuple[str, tuple[float, ...]]) -> str:
    return f"{region[1][-1]:.2f}"


def _worth(scores: Mapping[str, Any]) -> str:
    ahead, split = scores["a_year_ahead"], scores["split"]
    gain = ahead["beats_pooled_trend"]
    low, high = gain["rmse_gain_95"]
    return f"""## What it is worth

**A year ahead.** Every year is answered by the release that could have been trained the year before. All lines
share the rows that the release answers; every baseline is fitted on earlier years alone.

{score_table(_lines("release", ahead))}

Its error is {gain["rmse_gain_t_ha"]:.3f} t/ha smaller than the pooled trend's (95 % interval {low:.3f} to
{high:.3f}, whole years resampled), and smaller in {gain["years_won"]} of {gain["years"]} years. By test year:

{score_table(ahead["by_year"])}

By region:

{score_table(ahead["by_region"])}

As the season goes on, by what was known on a day:

{score_table(ahead["by_month"])}

**Split.** The release of {split["trained_to"]} answers all later years. With a history that grows as harvests come in:

{score_table(_lines("release", split["history_as_it_came_in"]))}

With a history that ends in {split["trained_to"]}, too, for release and baselines alike:

{score_table(_lines("release", split["history_frozen"]))}"""


def _limits(release: AreaRelease, scores: Mapping[str, Any]) -> str:
    facts, ahead = release.facts, scores["a_year_ahead"]
    by_year = {year: one["coverage90"] for year, one in ahead["by_year"].items()}
    worst = min(by_year, key=lambda year: by_year[year])
    small = [name for name, one in ahead["by_region"].items() if one["n"] < SMALL_REGION_ROWS]
    few = f" Few rows stand behind {', '.join(small)}." if small else ""
    return f"""## Limits

- It knows the {len(facts.regions)} regions {", ".join(facts.regions)}. An area elsewhere is
  answered by the response that all regions share if its region has {facts.level.years_min} years of harvests
  and its earlier weather and harvests show a climate and a level like those trained on, else it abstains. It has not
  been tested there.{few}
- A year that is unlike all before is covered worse than the interval says: 90 % intervals held
  {100 * by_year[worst]:.0f} % of the areas in {worst}, the worst test year.
- Most of a yield is the area's level; the season's weather moves it little and late. Before spring the release
  knows hardly more than the history.
- It abstains where a season is farther from normal than nearly all it was trained on: {100 * _refused(scores):.1f} %
  of the test years' areas.
- Areas, not plots: no fairness by plot size can be stated, because an area has none. Error by region stands above.
- Figures of {facts.trained_to} and earlier years, scored with this release itself, are no test: it learnt from them.
- Trained on one thread with a fixed seed: the same files and versions give the same bytes on the same kind of
  machine; another processor may differ in the last digits."""


def _refused(scores: Mapping[str, Any]) -> float:
    ahead = scores["a_year_ahead"]
    return float(ahead["abstained"] / max(ahead["n"] + ahead["abstained"], 1))


def _lines(name: str, figures: Mapping[str, Any]) -> dict[str, Mapping[str, object]]:
    """Return the release's line and those of its baselines, in words."""
    lines = {key.replace("_", " "): line for key, line in figures["baselines"].items() if key != "level_alone"}
    return {name: figures, **lines}


def _paragraph(text: str) -> str:
    return "\n".join(textwrap.wrap(text, width=118))
