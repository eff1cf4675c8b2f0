"""Daily weather in, and what crops feel of it: thermal time, radiation, reference evapotranspiration, water balance.

`read_weather` reads and checks a file; `complete_weather` fills what a station does not measure (radiation, mean
temperature) by the formulas of FAO-56 and adds `et0_mm`, so that growth and features find one complete table.
"""

from agrocredit.weather.complete import complete_weather
from agrocredit.weather.evapotranspiration import (
    hargreaves_evapotranspiration,
    penman_monteith_evapotranspiration,
    reference_evapotranspiration,
    wind_at_two_metres,
)
from agrocredit.weather.radiation import extraterrestrial_radiation, hargreaves_radiation
from agrocredit.weather.read import check_weather, read_weather
from agrocredit.weather.thermal import thermal_time
from agrocredit.weather.water_balance import water_balance

__all__ = [
    "check_weather",
    "complete_weather",
    "extraterrestrial_radiation",
    "hargreaves_evapotranspiration",
    "hargreaves_radiation",
    "penman_monteith_evapotranspiration",
    "read_weather",
    "reference_evapotranspiration",
    "thermal_time",
    "water_balance",
    "wind_at_two_metres",
]
