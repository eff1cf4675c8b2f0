"""The card of a release: what it is for, what it learnt from, what it is worth, and what nobody has tested."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.yields import Release
    from pipelines.training_config import TrainingFile

COLUMNS = ("n", "rmse_t_ha", "r2", "pinball", "coverage90", "width90_t_ha", "coverage80", "abstained")


def card(release: Release, file: TrainingFile, scores: Mapping[str, object]) -> str:
    """Return the card in Markdown; every figure in it comes from `scores`.

    Parameters
    ----------
    release : Release
    file : TrainingFile
        What it was made from.
    scores : mapping
        From `pipelines.simulated_scores`.
    """
    return "\n\n".join((_purpose(release), _learnt_from(file), _worth(scores), _limits(release, file))) + "\n"


def _purpose(release: Release) -> str:
    facts = release.facts
    crop = facts.crop.replace("_", " ")
    return f"""# {facts.name}

Yield of {crop} in t/ha at the moisture of the crop table, as seven quantiles for one plot and season, from the season's
curves of {", ".join(facts.indices).upper()}. Made with agrocredit {facts.code_version}.

## For what

A lender's first view of what a plot will bring, joined with the region's own yield history, never instead of it. Not
for setting yields of single plots as facts, not for insurance claims, not for comparing farmers with each other."""


def _learnt_from(file: TrainingFile) -> str:
    split, weather = file.split, file.weather
    return f"""## What it learnt from

Simulated seasons only: a daily crop growth model under real weather, seen through simulated clouds, gaps and sensor
errors. {file.simulation.regions} regions, {file.simulation.plots} plots a region and year, each season shown in thermal
and calendar time, complete and as known on a random day.

- Weather: {weather.title}. Licence: {weather.licence}.
- Growth and leaf spectra: the project's own fact tables, whose numbers come from the literature or are marked there as
  assumptions.
- Harvest years {split.train[0]} to {split.train[1]} to learn, {split.calibrate[0]} to {split.calibrate[1]} to correct
  the intervals, {split.test[0]} to {split.test[1]} to score. No year serves two purposes. The training file stands in
  `model.toml`.

## What it was not tested on

**Real plot yields.** No real plot yield stands behind any figure below: they say how well it reads seasons of the same
simulator in years it has not seen. On real fields expect larger errors; how much larger is not known. No variety trial,
no disease, no intercropping, no field outside the training weather's climates has been tried.

{_paragraph(file.season.disclosure)}"""


def _worth(scores: Mapping[str, object]) -> str:
    in_season = cast("Mapping[str, Mapping[str, Mapping[str, object]]]", scores["by_season_share"])
    abstained = cast("Mapping[str, int]", scores["abstained"])
    return f"""## What it is worth on simulated seasons of unseen years

At harvest. "With history" joins it with the outlook from the region's earlier yields; baselines are scored on the same
rows and have seen the other test years, which the model has not.

{score_table(cast("Mapping[str, Mapping[str, object]]", scores["complete"]))}

By test year, with history, both axes:

{score_table(cast("Mapping[str, Mapping[str, object]]", scores["by_year"]))}

As the season goes on, with history (share of the season's days that have passed):

{score_table(in_season["model with history"])}

The model alone, by number of clear looks at harvest:

{score_table(cast("Mapping[str, Mapping[str, object]]", scores["by_clear_observations"]))}

By size of plot, in 10 m pixels, with history:

{score_table(cast("Mapping[str, Mapping[str, object]]", scores["by_plot_pixels"]))}

Answers and abstentions on the test seasons: {", ".join(f"{name} {count:,}" for name, count in abstained.items())}."""


def _limits(release: Release, file: TrainingFile) -> str:
    facts = release.facts
    return f"""## Limits

- The level comes from the region's history. Without one the release answers from its simulated farms (mean
  {facts.reference_t_ha:.2f} t/ha) with wide intervals, and its middle may be far off where farms are unlike them.
- The history must be of the plot's own region. A national one in a poor district moves the middle to the wrong level
  and narrows the interval around it.
- With history the intervals are wider than they need to be on simulated plots: the model's weight is capped at
  {facts.credibility.w_max:g}, and errors of model and region are taken to go together.
- Spread of plots inside a region: {facts.credibility.within_region_cv:g} of the mean. Source:
  {facts.credibility.within_region_cv_source}.
- Between {facts.abstention.latitude_abs_min_deg:g} degrees of latitude and the equator, and beyond
  {facts.abstention.latitude_abs_max_deg:g} degrees, it abstains: no weather of such places was trained on.
- Smaller plots mix with their neighbours; under {facts.abstention.pixels_min:g} pixels it abstains. Error and coverage
  by size of plot stand above: they are the fairness figures of this release.
- It cannot tell one crop from another: a plot that carries another crop with a like curve gets this crop's yield.
- Trained with seed {file.training.seed} on one thread: the same files and versions give the same bytes on the same kind
  of machine; another processor may differ in the last digits."""


def _paragraph(text: str) -> str:
    return "\n".join(textwrap.wrap(text, width=118))


def score_table(lines: Mapping[str, Mapping[str, object]]) -> str:
    """Return scores as a Markdown table, a line each.

    Parameters
    ----------
    lines : mapping
        Scores by the name of the line.
    """
    head = "| | " + " | ".join(COLUMNS) + " |\n|---|" + "---:|" * len(COLUMNS)
    rows = [
        f"| {name} | " + " | ".join(_cell(scores.get(column)) for column in COLUMNS) + " |"
        for name, scores in lines.items()
    ]
    return "\n".join([head, *rows])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
