"""Crops and their seasons: names, moisture basis, calendars. Facts come from ``data/facts/crops.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from agrocredit.domain.errors import InputUnusableError, RefusedError

HARVEST_YEARS = range(1900, 2201)
"""What can be meant by the year of a harvest; a day counted in seconds or a slip of the keyboard lies outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """One crop's season at one place, as dates; half-open like every date range of the program."""

    harvest_year: int
    start_on: date
    """First day whose pictures may speak of this crop: some weeks before sowing."""
    end_on: date
    """The day after the last harvest."""
    harvest_from_on: date
    """First usual day of harvest."""

    def __post_init__(self) -> None:
        if not self.start_on < self.harvest_from_on < self.end_on:
            msg = f"season {self.start_on} .. {self.harvest_from_on} .. {self.end_on} is not in order"
            raise InputUnusableError("season_invalid", msg)

    @property
    def label(self) -> str:
        """The season's name in tables: the harvest year."""
        return str(self.harvest_year)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Usual dates of a crop in a band of latitude, as (month, day); a later start lies in the year before."""

    latitude_min_deg: float
    latitude_max_deg: float
    start: tuple[int, int]
    harvest_from: tuple[int, int]
    end: tuple[int, int]
    source: str

    def season(self, harvest_year: int) -> Season:
        """Return the season whose harvest ends in `harvest_year`."""
        end_on = date(harvest_year, *self.end)
        harvest_from_on = _last_before(self.harvest_from, end_on)
        start_on = _last_before(self.start, harvest_from_on)
        return Season(harvest_year=harvest_year, start_on=start_on, end_on=end_on, harvest_from_on=harvest_from_on)


def _last_before(month_day: tuple[int, int], limit_on: date) -> date:
    """Return the last date with this month and day before `limit_on`."""
    same_year = date(limit_on.year, *month_day)
    return same_year if same_year < limit_on else date(limit_on.year - 1, *month_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A crop as the program knows it."""

    name: str
    """Name in tables, lower case with underscores: ``winter_wheat``."""
    label: str
    """Name for people."""
    aliases: tuple[str, ...]
    """Other names that mean this crop, lower case."""
    moisture_basis_percent: float
    """Moisture at which its yield is stated, percent of fresh weight."""
    base_temperature_c: float
    """Thermal time counts degrees above this."""
    yield_max_t_ha: float
    """No field has brought more; a guard against wrong units."""
    calendars: tuple[Calendar, ...]

    def season(self, harvest_year: int, *, latitude_deg: float) -> Season:
        """Return the usual season at a latitude, or refuse where no calendar reaches.

        Raises
        ------
        RefusedError
            ``calendar_missing`` if no calendar of this crop covers the latitude.
        """
        calendar = self.calendar_at(latitude_deg)
        if calendar is None:
            raise RefusedError("calendar_missing", f"no calendar of {self.name} at latitude {latitude_deg:.2f} degrees")
        return calendar.season(harvest_year)

    def calendar_at(self, latitude_deg: float) -> Calendar | None:
        """Return the calendar that covers a latitude, None where none reaches."""
        for calendar in self.calendars:
            if calendar.latitude_min_deg <= latitude_deg < calendar.latitude_max_deg:
                return calendar
        return None
