from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.plot import Plot
from agrocredit.store.plot_geometry import measure, normal_form, refuse_geometries
from agrocredit.store.plot_plain import SeenRings, plain_plots
from agrocredit.store.plot_rings import rings_by_length

PLACES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
SIDES_DEG = st.floats(-6, -1).map(lambda power: 10**power)


def ring_around(place, side_deg, seed, points):
    """Return a closed ring: mostly a star, now and then one that crosses itself, stands still, or is written twice."""
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, points))
    ring = np.asarray(place) + side_deg * rng.uniform(0.3, 1, (points, 1)) * np.column_stack(
        [np.cos(turn), np.sin(turn)]
    )
    if seed % 7 == 0:
        ring = rng.permutation(ring)
    if seed % 5 == 0:
        ring[1] = ring[0]
    if seed % 3 == 0:
        ring = ring[::-1]
    if seed % 11 == 0:
        ring = np.round(ring, 3)
    return np.vstack([ring, ring[:1]])


def exact(polygon):
    """Return the WKB that the exact way gives, or None where it refuses."""
    faults = {}
    refuse_geometries(np.array([polygon], object), faults)
    if faults:
        return None
    normal = normal_form(np.array([polygon], object))
    (area_m2,), (perimeter_m,) = measure(normal)
    try:
        Plot(id="p", geometry=normal[0], area_m2=area_m2, perimeter_m=perimeter_m)
    except RefusedError:
        return None
    return normal[0].wkb


@settings(max_examples=300, deadline=None)
@given(PLACES, SIDES_DEG, st.integers(0, 10_000), st.integers(3, 12))
def test_what_is_beyond_doubt_passes_the_exact_way_with_the_same_bytes(place, side_deg, seed, points):
    ring = ring_around(place, side_deg, seed, points)
    (rings,) = rings_by_length([ring], [0])
    plain = plain_plots(rings, among=np.ones(1, bool))
    if plain.found[0]:
        assert plain.wkb.to_pylist() == [exact(shapely.Polygon(ring))]


def test_ordinary_fields_are_beyond_doubt_whichever_way_they_were_drawn():
    plain_seeds = [seed for seed in range(1, 100) if seed % 5 and seed % 7 and seed % 11]
    fields = [ring_around((30 + seed / 100, -5.0), 0.001, seed, 4 + seed % 3) for seed in plain_seeds]
    fields = [ring for ring in fields if exact(shapely.Polygon(ring))]
    assert len(fields) > 30
    for rings in rings_by_length(fields, range(len(fields))):
        assert plain_plots(rings, among=np.ones(rings.rows.size, bool)).found.all()


@pytest.mark.parametrize(
    "ring",
    [
        [(30, -5), (30.00005, -5), (30.00005, -4.99995), (30, -4.99995), (30, -5)],  # 31 m2
        [(30, -5), (30.2, -5), (30.2, -4.9999), (30, -4.9999), (30, -5)],  # 22 km long
        [(30, -5), (30.01, -5), (30.01, -4.99999), (30, -4.99999), (30, -5)],  # 1 m wide
        [(30, 85), (30.01, 85), (30.01, 85.001), (30, 85.001), (30, 85)],  # near the pole
        [(30, -5), (30.001, -4.999), (30.001, -5), (30, -4.999), (30, -5)],  # crosses itself
        [(30, -5), (30.001, -5), (30.001, -5), (30, -4.999), (30, -5)],  # stands still
        [(30, -5), (np.nan, -5), (30.001, -5), (30, -4.999), (30, -5)],
        [(30, -5), (np.inf, -5), (30.001, -5), (30, -4.999), (30, -5)],
        [(180, -5), (180.001, -5), (180.001, -4.999), (180, -4.999), (180, -5)],
    ],
)
def test_what_is_near_a_limit_or_wrong_is_left_to_the_exact_way(ring):
    (rings,) = rings_by_length([np.array(ring, float)], [0])
    assert not plain_plots(rings, among=np.ones(1, bool)).found.any()


def test_only_those_asked_for_are_looked_at():
    fields = [ring_around((30 + n, -5.0), 0.001, 1, 5) for n in range(3)]
    (rings,) = rings_by_length(fields, range(3))
    plain = plain_plots(rings, among=np.array([True, False, True]))
    assert plain.found.tolist() == [True, False, True]
    assert len(plain.wkb) == 2
    assert plain.bounds.tolist() == [[*fields[n].min(0), *fields[n].max(0)] for n in (0, 2)]


@given(st.tuples(st.floats(-180, 180), st.floats(-79.9, 79.9)), st.floats(1e-5, 0.049), st.integers(3, 12))
def test_flat_sizes_are_within_one_per_cent(place, side_deg, points):
    ring = ring_around(place, side_deg, 1, points)
    (rings,) = rings_by_length([ring], [0])
    (area_m2,), (perimeter_m,) = SeenRings.of(rings).flat_size()
    (exact_m2,), (exact_m,) = measure(np.array([shapely.Polygon(ring)], object))
    assert area_m2 == pytest.approx(exact_m2, rel=0.01, abs=0.01 * perimeter_m**2 / 16)
    assert perimeter_m == pytest.approx(exact_m, rel=0.01)


@settings(max_examples=300, deadline=None)
@given(PLACES, SIDES_DEG, st.integers(0, 10_000), st.integers(3, 12))
def test_what_runs_around_once_is_valid(place, side_deg, seed, points):
    ring = ring_around(place, side_deg, seed, points)
    (rings,) = rings_by_length([ring], [0])
    if SeenRings.of(rings).run_around_once()[0]:
        assert shapely.Polygon(ring).is_valid


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("times", "once"), [(1, True), (2, False), (3, False)])
def test_a_ring_that_runs_around_several_times_is_told(direction, times, once):
    turn = direction * np.linspace(0, 2 * np.pi * times, 8 * times + 1)
    radius_deg = np.linspace(0.001, 0.0012, turn.size)
    radius_deg[-1] = radius_deg[0]
    ring = np.column_stack([30 + radius_deg * np.cos(turn), -5 + radius_deg * np.sin(turn)])
    ring[-1] = ring[0]
    (rings,) = rings_by_length([ring], [0])
    assert SeenRings.of(rings).run_around_once()[0] == once == shapely.Polygon(ring).is_valid
