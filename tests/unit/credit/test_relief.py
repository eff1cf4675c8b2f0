"""Disaster relief: the bands' edges belong to the farmer, and a proposal never acts."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.credit import load_relief, propose_relief
from agrocredit.credit.relief import PACKS
from agrocredit.domain.errors import InputUnusableError, RefusedError

DAY = date(2024, 9, 1)
TERMS = load_relief("disaster-relief-in", on=DAY)


@pytest.mark.parametrize(
    ("loss_percent", "years", "moratorium"),
    [("0", 0, 0), ("32.9", 0, 0), ("33.0", 2, 1), ("49.9", 2, 1), ("50.0", 5, 1), ("100", 5, 1), ("-20", 0, 0)],
)
@pytest.mark.parametrize("normal", ["1", "3", "2.7"])
def test_a_loss_is_rescheduled_by_its_band(loss_percent, years, moratorium, normal):
    got = Decimal(normal) * (100 - Decimal(loss_percent)) / 100
    proposal = propose_relief(got, normal_t_ha=Decimal(normal), terms=TERMS)
    assert (proposal.reschedule_years_max, proposal.moratorium_years) == (years, moratorium)
    assert proposal.fresh_crop_loan == (years > 0)
    assert proposal.policy_version == "2015.1"


@given(st.decimals(0, 20, places=3), st.decimals("0.1", 20, places=3))
def test_every_proposal_waits_for_a_person_and_a_poorer_harvest_gets_no_less_time(got, normal):
    proposal = propose_relief(got, normal_t_ha=normal, terms=TERMS)
    poorer = propose_relief(got / 2, normal_t_ha=normal, terms=TERMS)
    assert proposal.needs_confirmation
    assert poorer.reschedule_years_max >= proposal.reschedule_years_max
    assert 0 <= proposal.loss_share <= 1


@pytest.mark.parametrize(("got", "normal"), [("-1", "3"), ("1", "0"), ("NaN", "3"), ("1", "Infinity")])
def test_what_is_no_yield_is_refused(got, normal):
    with pytest.raises(RefusedError, match="yield_invalid"):
        propose_relief(Decimal(got), normal_t_ha=Decimal(normal), terms=TERMS)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("= 0.33", "= 0.66", "loss_from.*severe_from"),
        ("= 0.33", "= 33", "1 or less"),
        ("= 1 }", "= 3 }", "moratorium_years.*within"),
        ("[relief.loss_from]", "[relief.loss]", "unknown or missing"),
        ("schema_version = 1", "schema_version = 2", "expected 1"),
        ("[versions]\n2015-08-21 =", "versions =", "expected a table"),
        ('unit = "year"', 'unit = "month"', "expected 'year'"),
    ],
)
def test_a_faulty_pack_is_refused_with_its_line(tmp_path, old, new, expected):
    text = (PACKS / "disaster-relief-in.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputUnusableError, match=rf"policy_invalid: mine.toml:\d+: .*{expected}"):
        load_relief(path, on=DAY)


def test_a_pack_that_is_not_there_or_not_yet_in_force_is_named():
    with pytest.raises(InputUnusableError, match=r"policy_missing.*disaster-relief-in"):
        load_relief("no-such-pack", on=DAY)
    with pytest.raises(InputUnusableError, match="no version in force on 2015-08-20"):
        load_relief("disaster-relief-in", on=date(2015, 8, 20))
