"""Notices: a decision in plain sentences: what happened, why, what would have changed it, and the way to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.credit.assess import facts_of
from agrocredit.credit.counterfactual import STEPS_A_WHOLE, Counterfactual, Lever, what_would_change
from agrocredit.credit.in_force import LimitChange
from agrocredit.credit.reasons import explain, texts
from agrocredit.domain.decision import Outcome
from agrocredit.domain.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.credit.policy import CreditPolicy

_MONEY = {Lever.EXISTING_DEBT_SERVICE, Lever.OUTSTANDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a farmer reads of one decision, in one language."""

    happened: str
    adverse: bool
    """A limit was cut, or no loan given: the reasons are owed."""
    reasons: tuple[tuple[str, str], ...]
    """Codes with their sentences, the leading one first."""
    would_change: tuple[tuple[Counterfactual, str], ...]
    """What alone would have brought an approval; empty for an approval and where nothing alone helps."""
    appeal: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in reading order."""
        reasons, changes = ([sentence for _, sentence in pairs] for pairs in (self.reasons, self.would_change))
        return (self.happened, *reasons, *changes, self.appeal)


def notice(record: Mapping[str, Any], *, policy: CreditPolicy, language: str = "en") -> Notice:
    """Return what a farmer reads of a decision.

    Parameters
    ----------
    record : mapping
        As `agrocredit.credit.assess_one` gives it.
    policy : CreditPolicy
        The pack the record names.
    language : str
        Two-letter code of files under ``texts/``.

    Raises
    ------
    RefusedError
        ``record_incomplete``.
    WrongUsageError
        ``language_unknown``.
    """
    facts = facts_of(record, policy=policy)
    words = texts("notices", language)
    changes = what_would_change(record, policy=policy)
    result = record["result"]
    return Notice(
        happened=_happened(record, words),
        adverse=result["limit_change"] == LimitChange.CUT or result["outcome"] == Outcome.DECLINED,
        reasons=tuple((code, explain(code, language=language, **facts)) for code in result["reasons"]),
        would_change=tuple((change, _would_change(change, result["currency"], words)) for change in changes),
        appeal=words["appeal"]["text"],
    )


def _happened(record: Mapping[str, Any], words: Mapping[str, Mapping[str, str]]) -> str:
    result, before = record["result"], record["in_force"]
    change = result["limit_change"]
    amounts = {
        "limit": str(Money(result["limit_minor"], result["currency"])),
        "before": "" if before is None else str(Money(before["limit_minor"], result["currency"])),
    }
    text = words[change or result["outcome"]]["text"]
    return text.format(season=record["season"], date=record["as_of"], **amounts)


def _would_change(change: Counterfactual, currency: str, words: Mapping[str, Mapping[str, str]]) -> str:
    text = words[f"would_change_{change.lever}"]["text"]
    if change.lever in _MONEY:
        return text.format(amount=str(Money(change.needed, currency)))
    return text.format(times=f"{change.needed / STEPS_A_WHOLE:.3f}")
