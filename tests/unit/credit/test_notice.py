"""A notice says what happened, why, what would have changed it, and how to reach a person, in every language."""

import string

import pytest

from agrocredit.credit import notice
from agrocredit.credit.counterfactual import Lever
from agrocredit.credit.in_force import LimitChange
from agrocredit.credit.reasons import texts
from agrocredit.domain.decision import Outcome
from agrocredit.domain.errors import WrongUsageError

LANGUAGES = ("en", "hi", "sw", "zh")


def placeholders(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_change_every_lever_and_the_appeal_have_a_sentence_with_the_facts_of_english(language):
    english, other = texts("notices", "en"), texts("notices", language)
    expected = {
        *LimitChange,
        Outcome.REFERRED,
        Outcome.DECLINED,
        "appeal",
        *(f"would_change_{lever}" for lever in Lever),
    }
    assert set(other) == set(english) == {str(name) for name in expected}
    for name, words in english.items():
        assert placeholders(other[name]["text"]) == placeholders(words["text"]), name


def told(desk, *looks, language="en", finances=None):
    previous = None
    for plots in looks[:-1]:
        previous = desk.assess(plots, previous=previous, finances=finances).decisions
    return notice(desk.one(looks[-1], previous=previous, finances=finances)[1], policy=desk.policy, language=language)


def field(desk, median, looks):
    return [desk.plot(median=median, spread=0.4, area_m2=6_000.0, grade="A", clear_observations=looks)]


def test_a_cut_is_adverse_and_says_from_what_to_what(desk):
    found = told(desk, field(desk, 4.0, 8), field(desk, 2.5, 9), field(desk, 2.5, 10))
    assert found.adverse
    assert found.happened.startswith("On 2024-04-15 your limit for the season 2024 was lowered from CNY ")
    assert [code for code, _ in found.reasons] == ["limited_by_repayment_capacity"]
    assert found.sentences[-1] == found.appeal


def test_a_pending_cut_takes_nothing_and_says_so(desk):
    found = told(desk, field(desk, 4.0, 8), field(desk, 2.5, 9))
    assert not found.adverse
    assert "nothing changes today" in found.happened


def test_a_decline_names_what_would_have_brought_an_approval_and_it_does(desk):
    plots = field(desk, 6.0, 9)
    found = told(desk, plots, finances=desk.finances(debt=1_000_000))
    assert found.adverse
    needed = {change.lever: change.needed for change, _ in found.would_change}
    change = needed[Lever.EXISTING_DEBT_SERVICE]
    assert desk.decide(plots, finances=desk.finances(debt=change)).outcome is Outcome.APPROVED
    assert desk.decide(plots, finances=desk.finances(debt=change + 1)).outcome is not Outcome.APPROVED
    assert any(f"CNY {change / 100:,.2f}" in sentence for _, sentence in found.would_change)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_referral_is_no_refusal(desk, language):
    found = told(desk, [desk.plot(reason="not_observed")], language=language)
    assert not found.adverse
    assert found.would_change == ()
    assert all(sentence and "{" not in sentence for sentence in found.sentences)


def test_a_language_nobody_wrote_is_wrong_usage(desk):
    with pytest.raises(WrongUsageError, match="language_unknown"):
        told(desk, [desk.plot()], language="xx")
