from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.growth import canopy_reflectance, load_optics

AREA = st.floats(0, 9)
SHARE = st.floats(0, 1)


def contrast(reflectance, high, low):
    return (reflectance[high] - reflectance[low]) / (reflectance[high] + reflectance[low])


def test_bare_soil_shows_the_table(optics):
    found = canopy_reflectance(0.0, optics=optics)
    for name, band in optics.bands.items():
        assert found[name] == pytest.approx(band.soil_dry)


def test_a_deep_canopy_shows_its_leaves_alone(optics):
    # Closed form of a semi-infinite layer: (1 - s) / (1 + s), s = sqrt(1 - w)
    dark, bright = (canopy_reflectance(500.0, optics=optics, soil_brightness=b)["red"] for b in (0.5, 1.5))
    s = np.sqrt(1 - optics.bands["red"].green_leaf)
    assert dark == pytest.approx((1 - s) / (1 + s))
    assert dark == pytest.approx(bright)


def test_a_thin_layer_over_black_soil_sends_half_of_what_it_scatters_back_up(optics):
    # A thin layer meets a share k L of the light and scatters w of it, half of that upward: R = k w L / 2
    band = optics.bands["nir"]
    found = canopy_reflectance(1e-6, optics=optics, soil_brightness=0.0, bands=["nir"])["nir"] / 1e-6
    assert found == pytest.approx(optics.extinction * band.green_leaf / 2, rel=1e-3)


def test_ndvi_rises_from_bare_soil_to_a_closed_canopy(optics):
    ndvi = contrast(canopy_reflectance(np.array([0.0, 1.0, 3.0, 5.0]), optics=optics), "nir", "red")
    assert 0.12 < ndvi[0] < 0.22
    assert 0.5 < ndvi[1] < 0.75
    assert 0.85 < ndvi[3] < 0.95
    assert np.all(np.diff(ndvi) > 0)
    assert ndvi[3] - ndvi[2] < ndvi[1] - ndvi[0]


def test_the_red_edge_goes_on_telling_where_ndvi_is_full(optics):
    found = canopy_reflectance(np.array([4.0, 6.0]), optics=optics)
    gain = {band: float(np.diff(contrast(found, "nir", band))[0]) for band in ("red", "rededge1")}
    assert gain["rededge1"] > gain["red"] > 0


def test_straw_is_not_green(optics):
    found = canopy_reflectance(0.0, optics=optics, dead_lai=4.0)
    assert contrast(found, "nir", "red") < 0.3
    assert contrast(found, "nir", "swir16") < 0.05


def test_hungry_leaves_are_paler_and_thirsty_leaves_drier(optics):
    fed = canopy_reflectance(4.0, optics=optics)
    hungry = canopy_reflectance(4.0, optics=optics, chlorophyll=0.6)
    thirsty = canopy_reflectance(4.0, optics=optics, water_stress=0.3)
    assert hungry["green"] > fed["green"]
    assert hungry["rededge1"] > fed["rededge1"]
    assert hungry["nir"] == fed["nir"]
    assert contrast(thirsty, "nir", "swir16") < contrast(fed, "nir", "swir16")


def test_a_wet_soil_is_darker_most_in_the_short_wave_infrared(optics):
    dry = canopy_reflectance(0.0, optics=optics)
    wet = canopy_reflectance(0.0, optics=optics, soil_wetness=1.0)
    assert all(wet[name] < dry[name] for name in dry)
    assert wet["swir16"] / dry["swir16"] < wet["blue"] / dry["blue"]


@given(AREA, AREA, st.floats(0.3, 1.5), SHARE, SHARE, SHARE)
def test_reflectance_is_always_between_0_and_1(green, dead, brightness, wetness, chlorophyll, stress):
    found = canopy_reflectance(
        green,
        optics=OPTICS,
        dead_lai=dead,
        soil_brightness=brightness,
        soil_wetness=wetness,
        chlorophyll=chlorophyll,
        water_stress=stress,
    )
    assert all(0 < float(value) < 1 for value in found.values())


def test_plots_and_days_broadcast(optics):
    found = canopy_reflectance(np.ones((3, 5)), optics=optics, soil_brightness=np.array([[0.8], [1.0], [1.2]]))
    assert found["red"].shape == (3, 5)
    assert np.all(np.diff(found["red"][:, 0]) > 0)


def test_a_band_without_optics_is_refused(optics):
    with pytest.raises(InputUnusableError, match="thermal") as caught:
        canopy_reflectance(1.0, optics=optics, bands=["red", "thermal"])
    assert caught.value.code == "band_missing"


@pytest.mark.parametrize("lai", [-0.1, np.nan])
def test_impossible_leaf_area_is_refused(optics, lai):
    with pytest.raises(InputUnusableError) as caught:
        canopy_reflectance(lai, optics=optics)
    assert caught.value.code == "canopy_input_invalid"


@pytest.mark.parametrize(
    ("old", "new"),
    [("schema_version = 1", "schema_version = 2"), ("green_leaf = 0.08", "green_leaf = 1.08"), ("wet_loss", "wet_los")],
)
def test_faulty_optics_are_refused(optics_file, tmp_path, old, new):
    text = optics_file.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "canopy.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputUnusableError, match=r"canopy\.toml") as caught:
        load_optics(path)
    assert caught.value.code == "canopy_optics_invalid"


def _optics():
    from pathlib import Path

    return load_optics(Path(__file__).parents[3] / "data" / "facts" / "canopy.toml")


OPTICS = _optics()
