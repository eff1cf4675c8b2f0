from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.scenes.offset import CANDIDATES, PIXELS_MIN, OffsetEvidence, decide, evidence
from agrocredit.scenes.scene import ReflectanceScale


def declared(offset):
    return ReflectanceScale(scale=1e-4, offset=offset, offset_source="raster_extension")


def field(offset, *, cover=0.8, haze=0.0, pixels=900, noise=0.004):
    """Vegetation and soil on the blue-red line, as counts would show it if `offset` is the true one."""
    rng = np.random.default_rng(3)
    share = np.clip(rng.normal(cover, 0.15, pixels), 0, 1)
    red = 0.03 * share + 0.16 * (1 - share)
    nir = 0.42 * share + 0.22 * (1 - share)
    blue = 0.49 * red + 0.005
    return evidence(
        *(band + haze - offset + rng.normal(0, noise, pixels) for band in (blue, red, nir)),
        usable=np.ones(pixels, bool),
    )


@pytest.mark.parametrize("truth", [-0.1, 0.0])
@pytest.mark.parametrize("cover", [0.3, 0.6, 0.95])
def test_a_wrong_offset_is_overruled_and_a_right_one_confirmed(truth, cover):
    found = field(truth, cover=cover)
    for said in (-0.1, 0.0):
        result = decide(declared(said), found)
        assert result.offset == truth
        if said == truth:
            assert (result.check, result.offset_source) == ("confirmed", "raster_extension")
        else:
            assert (result.check, result.offset_source, result.declared_offset) == ("overruled", "pixels", said)


def test_an_offset_in_counts_instead_of_reflectance_is_overruled():
    assert decide(declared(-1000.0), field(-0.1)).offset == -0.1


def test_an_offset_taken_off_twice_is_given_back():
    assert decide(declared(0.0), field(0.1)).offset == 0.1


@pytest.mark.parametrize("haze", [0.02, 0.04])
def test_thin_haze_does_not_pass_for_an_offset(haze):
    assert decide(declared(0.0), field(0.0, haze=haze)).offset == 0.0


def test_bare_desert_without_a_leaf_decides_nothing():
    bright = np.full(900, 0.3)
    found = evidence(bright * 0.5, bright, bright + 0.05, usable=np.ones(900, bool))
    assert found.pixel_count == 0
    assert decide(declared(0.0), found) == declared(0.0)


def test_white_roofs_under_green_paint_decide_nothing():
    found = OffsetEvidence(pixel_count=900, dark=0.3, line=0.15, line_spread=0.01)
    assert decide(declared(0.0), found) == declared(0.0)


def test_masked_pixels_say_nothing():
    truth = field(-0.1)
    values = np.full(900, 0.9)
    none = evidence(values, values, values + 0.2, usable=np.zeros(900, bool))
    assert none.pixel_count == 0
    assert truth.pixel_count > 0
    assert decide(declared(0.0), none).check == "undecided"


@given(
    dark=st.floats(-1, 2),
    line=st.floats(-1, 1),
    spread=st.floats(0, 1),
    count=st.integers(0, 10_000),
    said=st.sampled_from([*CANDIDATES, -1000.0, 0.05]),
)
def test_only_clear_evidence_overrules(dark, line, spread, count, said):
    found = OffsetEvidence(pixel_count=count, dark=dark, line=line, line_spread=spread)
    result = decide(declared(said), found)
    if result.check == "overruled":
        assert count >= PIXELS_MIN
        assert spread <= 0.04
        assert result.offset in CANDIDATES
        assert result.offset != said
        assert decide(declared(result.offset), found).check == "confirmed"
    else:
        assert result.offset == said


@given(dark=st.floats(-0.3, 0.4), line=st.floats(-0.2, 0.2))
def test_one_evidence_never_overrules_in_two_ways(dark, line):
    found = OffsetEvidence(pixel_count=900, dark=dark, line=line, line_spread=0.01)
    results = [decide(declared(said), found) for said in (*CANDIDATES, -1000.0)]
    assert len({result.offset for result in results if result.check == "overruled"}) <= 1
