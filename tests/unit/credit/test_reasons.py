"""Reasons in words."""

import string
import tomllib

import pytest

from agrocredit.credit import ReasonCode, explain, facts_of
from agrocredit.credit.reasons import TEXTS, limited_by
from agrocredit.domain.decision import CapName
from agrocredit.domain.errors import WrongUsageError
from agrocredit.domain.estimate import AbstainReason

LANGUAGES = ("en", "hi", "sw", "zh")
FACTS = {
    "limit": "KES 9.00",
    "cap": "KES 7.00",
    "minimum_ticket": "KES 8.00",
    "plots": 5,
    "plots_missing": 3,
    "area": "1.00",
    "area_unit": "mu",
}


def sentences(language):
    return tomllib.loads((TEXTS / f"reasons.{language}.toml").read_text(encoding="utf-8"))


def placeholders(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_a_sentence(code, language):
    text = explain(code, language=language)
    assert text.endswith({"zh": "。", "hi": "।"}.get(language, "."))
    assert "{" not in text


@pytest.mark.parametrize("kind", ["reasons", "notices"])
def test_the_languages_are_those_whose_files_ship(kind):
    assert sorted(path.name.split(".")[1] for path in TEXTS.glob(f"{kind}.*.toml")) == list(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_translation_has_the_codes_forms_and_facts_of_english_and_no_others(language):
    english, other = sentences("en"), sentences(language)
    assert list(other) == list(english)
    assert set(english) == {str(code) for code in ReasonCode}
    for code, forms in english.items():
        assert other[code].keys() == forms.keys()
        for form, text in forms.items():
            assert placeholders(other[code][form]) == placeholders(text)
            assert other[code][form] != text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_names_the_decisions_own_numbers_in_every_language(language):
    assert "KES 7.00" in explain("limited_by_exposure", language=language, **FACTS)
    said = explain("not_observed", language=language, **FACTS)
    assert {"3", "5"} <= set(said)


@pytest.mark.parametrize(("language", "first", "last"), [("zh", "\u4e00", "\u9fff"), ("hi", "\u0900", "\u097f")])
def test_a_translation_is_written_in_its_own_script(language, first, last):
    for code in ReasonCode:
        letters = [c for c in explain(code, language=language) if c.isalpha()]
        assert sum(first <= c <= last for c in letters) > 0.9 * len(letters)


def test_every_abstention_and_every_cap_is_a_reason():
    assert {str(reason) for reason in AbstainReason} <= {str(code) for code in ReasonCode}
    assert len({limited_by(cap) for cap in CapName}) == len(CapName)


def test_no_reason_speaks_of_credit_history():
    assert not [code for code in ReasonCode if "history" in code or "history" in explain(code)]


def test_a_decision_explains_itself_with_its_own_numbers(desk):
    decision, record = desk.one([desk.plot("p1", area_m2=3_000.0), desk.plot("p2", reason="not_observed")])
    facts = facts_of(record, policy=desk.policy)
    said = [explain(reason, **facts) for reason in decision.reasons]
    assert "CNY 1,573.20" in said[0]
    assert "1 of 2 plots" in said[1]
    assert facts["area"] == "4.14"
    assert facts["area_unit"] == "mu"


def test_a_farmer_who_cannot_be_answered_has_no_cap_to_name(desk):
    _, record = desk.one([desk.plot(reason="not_observed")])
    assert "cap" not in facts_of(record, policy=desk.policy)


def test_what_nobody_can_say_is_an_error():
    with pytest.raises(WrongUsageError, match="language_unknown"):
        explain("not_observed", language="xx")
    with pytest.raises(WrongUsageError, match="reason_unknown"):
        explain("score_too_low")
