from __future__ import annotations

from agrocredit.domain.decision import CapName, Outcome
from agrocredit.domain.estimate import AbstainReason
from agrocredit.report.wording import ABSTENTIONS, CAPS, OUTCOMES


def test_every_outcome_cap_and_abstention_of_the_domain_has_its_own_words():
    assert set(OUTCOMES) == set(Outcome)
    assert set(CAPS) == set(CapName)
    assert set(ABSTENTIONS) == set(AbstainReason)
    assert len(set(CAPS.values())) == len(CAPS)
    assert len({one.label for one in ABSTENTIONS.values()}) == len(ABSTENTIONS)


def test_every_abstention_says_what_would_help_and_none_blames_or_declines():
    for one in ABSTENTIONS.values():
        assert one.remedy.endswith(".")
        assert "declin" not in (one.meaning + one.remedy).lower()
