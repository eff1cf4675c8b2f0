"""What the sample region is made of, read strictly from a TOML file."""

from __future__ import annotations

import tomllib
import types
import typing
from dataclasses import dataclass, fields, is_dataclass
from datetime import date  # noqa: TC003 - the field types are read at run time
from typing import TYPE_CHECKING, Any, TypeVar

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 1
CODE = "sample_settings_invalid"
MONTHS = 12

Record = TypeVar("Record")
Months = tuple[float, ...]
Spectrum = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the region would be."""

    name: str
    epsg: int
    tile: str
    """MGRS tile, in the scenes' names."""
    west_m: float
    north_m: float
    pixels: int
    """Rows and columns of 10 m."""
    elevation_m: float

    @property
    def size_m(self) -> float:
        """Length of a side."""
        return self.pixels * 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonSettings:
    """Which season, seen how often."""

    crop: str
    harvest_year: int
    weather_from: date
    weather_to: date
    """The day after the last."""
    sowing_from: date
    sowing_to: date
    pictures_from: date
    pictures_to: date
    revisit_days: int
    pictures: int
    overcast: int
    """How many of the pictures show nothing but cloud."""
    history_years: int
    history_plots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotSettings:
    """How many plots, and what is odd about some."""

    count: int
    not_fields: int
    other_crop: int
    other_crop_name: str
    overlapping: int
    crossing: int
    area_overstated: int
    smallest: int
    plots_a_farmer_max: int
    irrigations_min: int
    irrigations_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """How the land is cut."""

    block_m: float
    turn_deg: float
    strip_median_m: float
    strip_log_sd: float
    narrow_share: float
    wheat_share: float
    garlic_share: float
    field_blocks: float
    village_blocks: float
    forest_blocks: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Monthly normals and how days scatter around them."""

    tmean_c: Months
    span_c: Months
    """Maximum less minimum of a day."""
    rain_day_share: Months
    rain_day_mm: Months
    rain_persistence: float
    temperature_sd_c: float
    temperature_memory: float
    year_sd_c: float
    year_rain_log_sd: float
    clearness_dry: float
    clearness_wet: float
    clearness_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Covers:
    """Reflectance of what is no field, in the order of `bands`."""

    bands: tuple[str, ...]
    verge: Spectrum
    trees: Spectrum
    road: Spectrum
    village: Spectrum
    forest: Spectrum
    water: Spectrum


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Clouds, and what the way through the air does to a picture."""

    cloud: Spectrum
    shadow: float
    clear_pictures: float
    unmasked_haze: float
    residual_offset: Spectrum
    residual_gain: float
    noise_floor: float
    noise_share: float
    patchiness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSettings:
    """Everything the sample region is made of."""

    seed: int
    dataset_version: str
    place: Place
    season: SeasonSettings
    plots: PlotSettings
    land: Land
    climate: Climate
    covers: Covers
    sky: Sky

    def __post_init__(self) -> None:
        months = (self.climate.tmean_c, self.climate.span_c, self.climate.rain_day_share, self.climate.rain_day_mm)
        if any(len(values) != MONTHS for values in months):
            raise InputUnusableError(CODE, f"monthly normals of {[len(v) for v in months]} values, expected {MONTHS}")
        spectra = [getattr(self.covers, field.name) for field in fields(Covers)] + [self.sky.cloud]
        if any(len(values) != len(self.covers.bands) for values in [*spectra, self.sky.residual_offset]):
            raise InputUnusableError(CODE, f"a spectrum without a value for each of {', '.join(self.covers.bands)}")
        if self.place.pixels % 2 or self.place.pixels < MONTHS:
            raise InputUnusableError(CODE, f"pixels is {self.place.pixels}, expected an even number from {MONTHS}")


def load_settings(path: Path) -> SampleSettings:
    """Return the settings stated in a TOML file.

    Raises
    ------
    InputUnusableError
        ``sample_settings_invalid``, naming the file and the key.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputUnusableError(CODE, f"{path.name}: {error}") from error
    if document.pop("schema_version", None) != SCHEMA_VERSION:
        raise InputUnusableError(CODE, f"{path.name}: expected schema_version {SCHEMA_VERSION}")
    return _record(SampleSettings, document, where=path.name)


def _record(kind: type[Record], content: object, *, where: str) -> Record:
    hints = typing.get_type_hints(kind)
    if not isinstance(content, dict) or set(content) != set(hints):
        found = sorted(content) if isinstance(content, dict) else content
        raise InputUnusableError(CODE, f"{where}: found {found}, expected {sorted(hints)}")
    return kind(**{name: _value(hints[name], content[name], where=f"{where} {name}") for name in hints})


def _value(kind: Any, content: Any, *, where: str) -> Any:  # noqa: ANN401 - straight from TOML
    if is_dataclass(kind):
        return _record(kind, content, where=where)  # type: ignore[arg-type]
    if isinstance(kind, types.GenericAlias):
        content, kind = tuple(content) if isinstance(content, list) else content, tuple
    if kind is float and type(content) is int:
        return float(content)
    if type(content) is not kind:
        raise InputUnusableError(CODE, f"{where} is {content!r}, expected {kind.__name__}")
    return content
