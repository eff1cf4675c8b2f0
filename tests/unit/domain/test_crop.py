"""Seasons follow from a calendar and a harvest year, also across New Year."""

from datetime import date

import pytest

from agrocredit.domain.crop import Calendar, Crop, Season
from agrocredit.domain.errors import InputUnusableError, RefusedError

NORTH = Calendar(
    latitude_min_deg=23.5, latitude_max_deg=66.0, start=(9, 15), harvest_from=(6, 15), end=(8, 15), source="test"
)
SOUTH = Calendar(
    latitude_min_deg=-66.0, latitude_max_deg=-23.5, start=(10, 1), harvest_from=(3, 1), end=(6, 1), source="test"
)


def crop_of(*calendars):
    return Crop(
        name="winter_wheat",
        label="Winter wheat",
        aliases=("wheat",),
        moisture_basis_percent=13.5,
        base_temperature_c=0.0,
        yield_max_t_ha=18.0,
        calendars=calendars,
    )


def test_a_winter_crop_starts_in_the_year_before_its_harvest():
    season = NORTH.season(2022)
    assert (season.start_on, season.harvest_from_on, season.end_on) == (
        date(2021, 9, 15),
        date(2022, 6, 15),
        date(2022, 8, 15),
    )
    assert season.label == "2022"


def test_a_harvest_window_may_cross_new_year():
    calendar = Calendar(
        latitude_min_deg=-23.5, latitude_max_deg=0.0, start=(3, 1), harvest_from=(12, 1), end=(1, 31), source="test"
    )
    season = calendar.season(2023)
    assert (season.start_on, season.harvest_from_on, season.end_on) == (
        date(2022, 3, 1),
        date(2022, 12, 1),
        date(2023, 1, 31),
    )


def test_the_latitude_chooses_the_calendar():
    crop = crop_of(NORTH, SOUTH)
    assert crop.season(2022, latitude_deg=47.0) == NORTH.season(2022)
    assert crop.season(2022, latitude_deg=-30.0) == SOUTH.season(2022)


def test_a_latitude_without_a_calendar_is_refused():
    with pytest.raises(RefusedError, match="calendar_missing"):
        crop_of(NORTH).season(2022, latitude_deg=1.0)


def test_a_season_out_of_order_cannot_be_made():
    with pytest.raises(InputUnusableError, match="season_invalid"):
        Season(
            harvest_year=2022,
            start_on=date(2022, 5, 1),
            harvest_from_on=date(2022, 4, 1),
            end_on=date(2022, 6, 1),
        )
