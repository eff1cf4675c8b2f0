from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.report.looks import Looks
from agrocredit.report.packed_looks import ALPHABET, VALUE_HIGH, VALUE_LOW, pack_looks, slots_of

one_look = st.tuples(st.integers(0, 40), st.floats(0, 1), st.one_of(st.floats(-1.9, 1.9), st.just(float("nan"))))


def make_looks(rows) -> Looks:
    rows = sorted(rows, key=lambda row: row[0])
    days, fractions, values = zip(*rows, strict=True) if rows else ((), (), ())
    return Looks(
        days=np.array(days, dtype=np.int64), fractions=np.array(fractions, float), values=np.array(values, float)
    )


def unpacked(text: str, slots: list[int]) -> list[tuple[int, float, float]]:
    found, at, slot = [], 0, 0
    while at < len(text):
        if text[at] in ".-":
            found += [(slots[slot], 0.0, float("nan"))] if text[at] == "-" else []
            at += 1
        else:
            high, low, share = (ALPHABET.index(character) for character in text[at : at + 3])
            value = VALUE_LOW + (high * 64 + low) / 4095 * (VALUE_HIGH - VALUE_LOW)
            found.append((slots[slot], share / 63, value))
            at += 3
        slot += 1
    return found


@given(st.lists(st.lists(one_look, max_size=20), min_size=1, max_size=4))
def test_looks_come_back_within_the_packed_precision(plots):
    all_looks = [make_looks(rows) for rows in plots]
    slots = slots_of(all_looks)
    for looks in all_looks:
        back = unpacked(pack_looks(looks, slots), slots)
        assert [day for day, _, _ in back] == looks.days.tolist()
        for (_, fraction, value), was_fraction, was in zip(back, looks.fractions, looks.values, strict=True):
            assert np.isnan(value) == np.isnan(was)
            if not np.isnan(was):
                assert abs(value - was) < 0.0006
                assert abs(fraction - was_fraction) < 0.009


def test_values_beyond_the_range_are_packed_at_its_ends():
    looks = make_looks([(1, 1.0, 1e9), (2, 1.0, -1e9)])
    assert [value for _, _, value in unpacked(pack_looks(looks, [1, 2]), [1, 2])] == [VALUE_HIGH, VALUE_LOW]


def test_two_looks_on_a_day_get_two_slots():
    assert slots_of([make_looks([(3, 1.0, 0.1)]), make_looks([(3, 1.0, 0.1), (3, 0.2, 0.2), (9, 1, 0)])]) == [3, 3, 9]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_pages_script_unpacks_what_was_packed():
    looks = make_looks([(5, 0.75, 0.62), (5, 0.0, float("nan")), (11, 1.0, -0.1)])
    slots = slots_of([looks, make_looks([(7, 1.0, 0.5)])])
    packed = {"alphabet": ALPHABET, "low": VALUE_LOW, "high": VALUE_HIGH, "slots": slots, "every": 1}
    data = {
        "plots": {"id": ["a"]},
        "farmers": {"plots": []},
        "looks": {**packed, "packed": [pack_looks(looks, slots)]},
    }
    script = resources.files("agrocredit.report.templates").joinpath("unpack.js").read_text()
    page = f"const document = {{getElementById: () => ({{textContent: {json.dumps(json.dumps(data))}}})}};"
    program = f"{page}\n{script}\nconsole.log(JSON.stringify(unpackLooks(0)));"
    answer = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=True)
    expected = [
        (day, fraction, None if np.isnan(value) else value)
        for day, fraction, value in unpacked(pack_looks(looks, slots), slots)
    ]
    found = [(look["day"], look["fraction"], look["value"]) for look in json.loads(answer.stdout)]
    assert [day for day, _, _ in found] == [day for day, _, _ in expected]
    for (_, fraction, value), (_, was_fraction, was) in zip(found, expected, strict=True):
        assert fraction == pytest.approx(was_fraction)
        assert value is None if was is None else value == pytest.approx(was)
