"""A training file of an area release: everything it is made from, checked before anything is computed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.calibration import CALIBRATION_YEARS_MIN
from agrocredit.yields.area.features import FeatureConfig, feature_names
from agrocredit.yields.area.levels import LevelConfig
from agrocredit.yields.area.release import KIND, SeasonStages
from agrocredit.yields.area.training import AreaTrainingConfig
from pipelines.training_config import section_record, training_document

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = ("data", "years", "stages", "level", "training", "calibration", "abstention", "features")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaDataConfig:
    """What is learnt from; the card says all of it."""

    crop: str
    adapter: str
    """Name of the data set that ``agrocredit data adapt`` knows."""
    title: str
    licence: str
    disclosure: str
    """How the settings of the file were chosen, and on which years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaYearsConfig:
    """Harvest years, whole."""

    first: int
    """First year with a season to learn from; earlier harvests are history alone."""
    calibrate_from: int
    """First year that is predicted from earlier ones, to learn trust and shifts from."""
    score_from: int
    """First year whose prediction a year ahead counts in the scores."""
    split: int
    """Last year of the release that is scored on all years after it at once."""
    last: int
    """Last year that the release knows."""

    def __post_init__(self) -> None:
        in_order = self.first < self.calibrate_from < self.score_from <= self.split < self.last
        if not in_order or self.score_from - self.calibrate_from < CALIBRATION_YEARS_MIN:
            raise InputUnusableError("config_invalid", f"years out of order: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCalibrationConfig:
    """How far a region's own errors make its intervals."""

    half_years: float
    """Held-out years at which they count half beside everybody's."""

    def __post_init__(self) -> None:
        if not self.half_years >= 0:
            raise InputUnusableError("config_invalid", f"{self.half_years=}, expected 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaAbstentionConfig:
    """When a season is too strange to speak of."""

    out_of_range_share: float
    """Share of the training seasons that would be refused."""

    def __post_init__(self) -> None:
        if not 0 < self.out_of_range_share <= 0.02:
            raise InputUnusableError(
                "config_invalid", f"refuses {self.out_of_range_share} of the training, at most 2 %"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaTrainingFile:
    """One training file, section by section."""

    text: str
    """The file as it stands, kept in the release."""
    data: AreaDataConfig
    years: AreaYearsConfig
    stages: SeasonStages
    level: LevelConfig
    training: AreaTrainingConfig
    calibration: AreaCalibrationConfig
    abstention: AreaAbstentionConfig
    features: tuple[FeatureConfig, ...]


def is_area_training(path: Path) -> bool:
    """Return whether a training file states an area release; a file that cannot be read does not."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("kind") == KIND
    except (OSError, ValueError):
        return False


def read_area_training(path: Path) -> AreaTrainingFile:
    """Return a training file of an area release.

    Parameters
    ----------
    path : Path
        TOML with ``kind = "area_year"``, the sections of `AreaTrainingFile` and a list of ``features``.

    Raises
    ------
    InputUnusableError
        ``config_invalid``, naming the file, the section and what is wrong.
    """
    text, document = training_document(path, sections=SECTIONS, kind=KIND)
    if not isinstance(document["features"], list):
        raise InputUnusableError("config_invalid", f"{path.name}: [features] is no list of tables")
    features = tuple(section_record(path, "features", one, FeatureConfig) for one in document["features"])
    feature_names(features)
    return AreaTrainingFile(
        text=text,
        data=section_record(path, "data", document["data"], AreaDataConfig),
        years=section_record(path, "years", document["years"], AreaYearsConfig),
        stages=_stages(path, document["stages"]),
        level=section_record(path, "level", document["level"], LevelConfig),
        training=section_record(path, "training", document["training"], AreaTrainingConfig),
        calibration=section_record(path, "calibration", document["calibration"], AreaCalibrationConfig),
        abstention=section_record(path, "abstention", document["abstention"], AreaAbstentionConfig),
        features=features,
    )


def _stages(path: Path, table: Any) -> SeasonStages:  # noqa: ANN401 - any TOML value
    try:
        dates = tuple((int(month), int(day)) for month, day in table.get("dates", ()))
    except (TypeError, ValueError, AttributeError) as error:
        raise InputUnusableError("config_invalid", f"{path.name}: [stages]: {error}") from error
    return section_record(path, "stages", {**table, "dates": dates}, SeasonStages)
