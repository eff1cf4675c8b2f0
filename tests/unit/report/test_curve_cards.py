from __future__ import annotations

from agrocredit.report.curve_cards import curve_cards, shared_frame
from agrocredit.report.joined import join_run


def test_each_card_says_why_it_is_shown_and_how_long_nothing_clear_came(run_of_sixty):
    run = join_run(run_of_sixty)
    cards = curve_cards(run_of_sixty, run, frame=shared_frame(run_of_sixty, run))
    assert len(cards) >= 4
    for card in cards:
        assert " of 36 looks clear; no clear look for " in card.looks
        assert card.drawing.startswith("<svg")
        assert card.answer
    approved = next(card for card in cards if card.why.startswith("approved"))
    assert approved.answer.endswith(" t/ha.")


def test_without_a_look_there_are_no_axes(whole_run):
    inputs = whole_run(3, observations=None)
    assert shared_frame(inputs, join_run(inputs)) is None
