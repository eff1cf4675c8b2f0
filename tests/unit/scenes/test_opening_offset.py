"""The coarse look at the offset may confirm it; whatever else it sees, the closer look decides."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from agrocredit.scenes import find_scenes, offset, open_scene, opening

BANDS = ("blue", "red", "nir")
COARSE, CLOSE = 16, 64


@pytest.fixture
def looked(maker, season, monkeypatch):
    """Open the scene and return the verdict and the sides of the looks that were taken."""

    def looked(sides=(COARSE, CLOSE)):
        taken, read = [], opening.read_window
        monkeypatch.setattr(offset, "SAMPLE_SIDES", sides)
        monkeypatch.setattr(
            opening, "read_window", lambda *of, **how: taken.append(how["out_shape"]) or read(*of, **how)
        )
        found = find_scenes(maker.write(), bands=BANDS, **season)
        with open_scene(found.scenes[0], cache=None, bands=BANDS) as opened:
            return opened.reflectance, [side for side, _ in dict.fromkeys(taken)]

    return looked


def raise_counts(folder, by, *, where):
    """Make some pixels of every band brighter."""
    for path in folder.rglob("B*.tif"):
        with rasterio.open(path, "r+") as file:
            counts = file.read(1)
            counts[where] += by
            file.write(counts, 1)


def test_what_a_coarse_look_confirms_is_looked_at_no_closer(maker, looked):
    maker.scene()
    verdict, sides = looked()
    assert (verdict.offset, verdict.check, sides) == (-0.1, "confirmed", [COARSE])


@pytest.mark.parametrize("truth", [-0.1, 0.0])
@pytest.mark.parametrize("said", [-0.1, 0.0])
@pytest.mark.parametrize("weather", [{}, {"haze": 0.03}, {"haze": 0.07}, {"cover": 0.0}])
def test_the_verdict_is_that_of_the_closer_look_alone(maker, looked, truth, said, weather):
    maker.scene(true_offset=truth, declared=said, **weather)
    assert looked()[0] == looked((CLOSE,))[0]


def test_a_lie_that_only_the_coarse_look_sees_overrules_nothing(maker, looked):
    maker.scene(true_offset=0.0, declared=0.0, bands=BANDS)
    lattice = np.arange(CLOSE) % (CLOSE // COARSE) == 2  # the pixels that thinning keeps
    raise_counts(maker.folder, 1_000, where=np.ix_(lattice, lattice))
    assert looked((COARSE,))[0].check == "overruled"
    verdict, sides = looked()
    assert (verdict.offset, verdict.check, sides) == (0.0, "confirmed", [COARSE, CLOSE])


def test_too_few_pixels_in_the_coarse_look_are_counted_again_in_the_closer_one(maker, looked):
    classes = np.full((32, 32), 9, np.uint8)
    classes[:12, :12] = 4
    maker.scene(scl=classes)
    assert looked((COARSE,))[0].check == "undecided"
    assert looked() == (looked((CLOSE,))[0], [COARSE, CLOSE])
    assert looked()[0].check == "confirmed"


def test_a_small_raster_is_looked_at_once(maker, looked):
    maker.scene(true_offset=-0.1, declared=0.0)
    verdict, sides = looked((128, 512))
    assert (verdict.check, sides) == ("overruled", [64])
