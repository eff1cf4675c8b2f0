"""Yields from season curves: one network, its calibration, the region's credibility, and when to say nothing.

A released model is a folder (`load_release`). `predict` turns an assembled season into rows of
`agrocredit.domain.tables.ESTIMATES`: the network reads the curves, conformal shifts correct its quantiles, credibility
joins them with what the plot's region usually brings, and plots that nobody can honestly speak about abstain with a
reason. Training takes seasons with known yield (`LabelledSeasons`) and knows nothing of where they come from. Method
and figures: ``docs/method/yield.md``. Names are loaded on first use, because torch takes a second.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agrocredit.yields.abstention import AbstentionConfig, abstain
    from agrocredit.yields.baselines import folds, integral_line, regional_mean
    from agrocredit.yields.calibration import Calibration, fit_calibration, group_of, uncorrected
    from agrocredit.yields.credibility import AreaOutlook, CredibilityConfig, area_outlook, area_outlooks, outlook_for
    from agrocredit.yields.descriptors import TrainingRange, describe, fit_range
    from agrocredit.yields.inputs import SeasonInputs, array_inputs, season_inputs, with_level
    from agrocredit.yields.network import NetworkConfig, YieldNetwork
    from agrocredit.yields.packing import json_bytes, manifest, release_files
    from agrocredit.yields.prediction import PlotFacts, estimate_quantiles, network_quantiles, predict, unknown_crop
    from agrocredit.yields.release import Release, ReleaseFacts, load_release, release_in_force
    from agrocredit.yields.rolling_origin import rolling_forecasts
    from agrocredit.yields.scoring import rounded, score, score_by
    from agrocredit.yields.training import LabelledSeasons, TrainingConfig, fit

_HOMES = {
    "abstention": ("AbstentionConfig", "abstain"),
    "baselines": ("folds", "integral_line", "regional_mean"),
    "calibration": ("Calibration", "fit_calibration", "group_of", "uncorrected"),
    "credibility": ("AreaOutlook", "CredibilityConfig", "area_outlook", "area_outlooks", "outlook_for"),
    "descriptors": ("TrainingRange", "describe", "fit_range"),
    "inputs": ("SeasonInputs", "array_inputs", "season_inputs", "with_level"),
    "network": ("NetworkConfig", "YieldNetwork"),
    "packing": ("json_bytes", "manifest", "release_files"),
    "prediction": ("PlotFacts", "estimate_quantiles", "network_quantiles", "predict", "unknown_crop"),
    "release": ("Release", "ReleaseFacts", "load_release", "release_in_force"),
    "rolling_origin": ("rolling_forecasts",),
    "scoring": ("rounded", "score", "score_by"),
    "training": ("LabelledSeasons", "TrainingConfig", "fit"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's names have every type
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "AbstentionConfig",
    "AreaOutlook",
    "Calibration",
    "CredibilityConfig",
    "LabelledSeasons",
    "NetworkConfig",
    "PlotFacts",
    "Release",
    "ReleaseFacts",
    "SeasonInputs",
    "TrainingConfig",
    "TrainingRange",
    "YieldNetwork",
    "abstain",
    "area_outlook",
    "area_outlooks",
    "array_inputs",
    "describe",
    "estimate_quantiles",
    "fit",
    "fit_calibration",
    "fit_range",
    "folds",
    "group_of",
    "integral_line",
    "json_bytes",
    "load_release",
    "manifest",
    "network_quantiles",
    "outlook_for",
    "predict",
    "regional_mean",
    "release_files",
    "release_in_force",
    "rolling_forecasts",
    "rounded",
    "score",
    "score_by",
    "season_inputs",
    "uncorrected",
    "unknown_crop",
    "with_level",
]
