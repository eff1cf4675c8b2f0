from __future__ import annotations

import dataclasses

from agrocredit.report.joined import join_run
from agrocredit.report.plot_words import area_words, crop_words, why_words, yield_words


def test_a_declared_area_is_compared_with_the_outline(run_of_sixty):
    plot = join_run(run_of_sixty).plots[0]
    more = dataclasses.replace(plot, area_m2=10_000.0, declared_area_m2=12_500.0)
    less = dataclasses.replace(plot, area_m2=10_000.0, declared_area_m2=9_000.0)
    assert area_words(more, unit="ha") == "1.00 ha (declared 1.25 ha, 25 % more)"
    assert area_words(less, unit="ha") == "1.00 ha (declared 0.90 ha, 10 % less)"
    assert area_words(dataclasses.replace(more, declared_area_m2=None), unit="mu") == "15.0 mu"


def test_a_plot_has_a_yield_or_a_why_never_both_and_never_neither(run_of_sixty):
    for plot in join_run(run_of_sixty).plots:
        assert bool(yield_words(plot)) != bool(why_words(plot))


def test_a_refused_plot_and_one_without_estimate_say_so(run_of_sixty):
    plot = dataclasses.replace(join_run(run_of_sixty).plots[0], estimate=None)
    assert why_words(plot) == "No estimate in this run."
    assert why_words(dataclasses.replace(plot, refusal_code="no_scene_here")) == "Refused: no scene here."


def test_crops_are_named_for_people(run_of_sixty):
    assert crop_words(run_of_sixty, "winter_wheat") == "winter wheat"
    assert crop_words(run_of_sixty, "sugar_beet") == "sugar beet"
    assert crop_words(run_of_sixty, None) == "crop not stated"
