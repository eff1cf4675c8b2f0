from datetime import date, timedelta

import pytest

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.loan import LoanStatus
from agrocredit.service.lending import (
    charge_loan_fee,
    draw_on_loan,
    repay_loan,
    restructure_loan,
    reverse_movement,
    write_off_loan,
)
from agrocredit.service.lending.close_day import close_day
from agrocredit.store.sql.loans import read_loan
from agrocredit.store.sql.movements import loan_entries

DAY = timedelta(days=1)


def draw(lender, loan, amount_minor, on=date(2026, 5, 1)):
    with lender.write() as session:
        return draw_on_loan(session, loan.id, amount_minor=amount_minor, currency="CNY", stamp=lender.stamp(on))


def repay(lender, loan, amount_minor, on=date(2026, 5, 1)):
    with lender.write() as session:
        return repay_loan(session, loan.id, amount_minor=amount_minor, currency="CNY", stamp=lender.stamp(on))


def reverse(lender, loan, movement_id, on=date(2026, 5, 1)):
    with lender.write() as session:
        return reverse_movement(session, loan.id, movement_id=movement_id, stamp=lender.stamp(on))


def standing(lender, loan):
    with lender.read() as session:
        return read_loan(session, loan.id)


def test_a_draw_and_a_repayment_move_loan_and_limit_together(lender):
    loan = lender.loan()
    draw(lender, loan, 2_000_000)
    repay(lender, loan, 500_000)
    after, limit = standing(lender, loan)
    assert (after.status, after.principal_minor) == (LoanStatus.ACTIVE, 1_500_000)
    assert (limit.drawn_minor, limit.limit_minor) == (1_500_000, 5_000_000)
    with lender.read() as session:
        entries = [(e["debit"], e["credit"], e["amount_minor"]) for e in loan_entries(session, loan.id)]
    assert entries == [("principal", "cash", 2_000_000), ("cash", "principal", 500_000)]


def test_180_days_at_7_percent_come_to_1726_03(lender):
    loan = lender.loan()
    draw(lender, loan, 5_000_000)
    paid = repay(lender, loan, 5_172_603, on=date(2026, 5, 1) + 180 * DAY)
    assert paid.loan.outstanding_minor == 0
    assert paid.loan.status is LoanStatus.ACTIVE  # the limit can be drawn again
    with lender.read() as session:
        interest = [e for e in loan_entries(session, loan.id) if e["kind"] == "interest"]
    assert len(interest) == 180
    assert sum(e["amount_minor"] for e in interest) == 172_603


def test_one_minor_unit_more_than_owed_is_an_overpayment_and_changes_nothing(lender):
    loan = lender.loan()
    draw(lender, loan, 1_000)
    before = standing(lender, loan)
    with pytest.raises(RefusedError, match="overpayment: a repayment of 1001, expected at most the 1000 owed"):
        repay(lender, loan, 1_001)
    assert standing(lender, loan) == before


def test_a_draw_above_the_limit_is_refused_with_the_room_left(lender):
    loan = lender.loan(limit_minor=1_000)
    draw(lender, loan, 999)
    with pytest.raises(RefusedError, match=r"limit_exceeded: .* expected 1 at most"):
        draw(lender, loan, 2)


def test_the_same_movement_is_taken_back_once(lender):
    loan = lender.loan()
    drawn = draw(lender, loan, 1_000)
    reverse(lender, loan, drawn.movement_id)
    with pytest.raises(RefusedError, match="already_reversed"):
        reverse(lender, loan, drawn.movement_id)
    after, limit = standing(lender, loan)
    assert (after.outstanding_minor, limit.drawn_minor) == (0, 0)


def test_a_payment_taken_back_above_a_redrawn_limit_stands_as_excess_and_stops_draws(lender):
    loan = lender.loan(limit_minor=1_000)
    draw(lender, loan, 1_000)
    paid = repay(lender, loan, 600)
    draw(lender, loan, 600)
    reverse(lender, loan, paid.movement_id)
    after, limit = standing(lender, loan)
    assert (after.principal_minor, limit.drawn_minor, limit.excess_minor) == (1_600, 1_600, 600)
    with pytest.raises(RefusedError, match="limit_exceeded"):
        draw(lender, loan, 1)
    repay(lender, loan, 601)
    assert standing(lender, loan)[1].excess_minor == 0
    draw(lender, loan, 1)


def test_a_draw_that_was_repaid_cannot_be_taken_back_before_the_payment(lender):
    loan = lender.loan()
    drawn = draw(lender, loan, 1_000)
    paid = repay(lender, loan, 400)
    with pytest.raises(RefusedError, match="not_reversible"):
        reverse(lender, loan, drawn.movement_id)
    reverse(lender, loan, paid.movement_id)
    reverse(lender, loan, drawn.movement_id)
    assert standing(lender, loan)[0].outstanding_minor == 0


def test_another_lender_finds_neither_the_loan_nor_the_movement(lender, rival):
    loan = lender.loan()
    drawn = draw(lender, loan, 1_000)
    own = rival.loan()
    for step in (
        lambda: draw(rival, loan, 1),
        lambda: repay(rival, loan, 1),
        lambda: reverse(rival, loan, drawn.movement_id),
        lambda: reverse(rival, own, drawn.movement_id),
    ):
        with pytest.raises(RefusedError, match="not_found"):
            step()
    assert standing(lender, loan)[0].principal_minor == 1_000


def test_closing_a_day_twice_posts_its_interest_once(lender):
    loan = lender.loan()
    draw(lender, loan, 5_000_000)
    first = close_day(lender.database, on=date(2026, 5, 3), at=lender.stamp().at)
    again = close_day(lender.database, on=date(2026, 5, 3), at=lender.stamp().at)
    assert (first.interest_postings, again.interest_postings) == (3, 0)
    assert standing(lender, loan)[0].interest_minor == 2_877  # 3 x 958.904 minor units, rounded once


def test_interest_counts_the_principal_of_its_own_day_however_late_it_is_posted(lender):
    """A draw of 1 May bears six days to the 6th and one of 5 May two, though all are posted in one go."""
    loan = lender.loan(rate_ppm=365_000)  # a thousandth a day
    draw(lender, loan, 1_000_000, on=date(2026, 5, 1))
    draw(lender, loan, 1_000_000, on=date(2026, 5, 5))
    close_day(lender.database, on=date(2026, 5, 6), at=lender.stamp().at)
    assert standing(lender, loan)[0].interest_minor == 4 * 1_000 + 2 * 2_000


def test_a_clock_set_back_moves_a_payment_to_the_first_open_day(lender):
    loan = lender.loan()
    draw(lender, loan, 1_000_000)
    close_day(lender.database, on=date(2026, 5, 10), at=lender.stamp().at)
    late = repay(lender, loan, 1_000, on=date(2026, 5, 2))
    assert late.movement.business_on == date(2026, 5, 11)


def test_a_clock_set_back_dates_no_payment_before_the_draw_that_it_repays(lender):
    loan = lender.loan(rate_ppm=365_000)
    draw(lender, loan, 1_000_000, on=date(2026, 5, 5))
    early = repay(lender, loan, 1_000_000, on=date(2026, 5, 3))
    assert early.movement.business_on == date(2026, 5, 5)
    close_day(lender.database, on=date(2026, 5, 9), at=lender.stamp().at)
    assert standing(lender, loan)[0].outstanding_minor == 0


def test_a_loan_past_its_due_date_is_overdue_until_it_is_repaid_and_then_closed(lender):
    loan = lender.loan(due_on=date(2026, 5, 3))
    draw(lender, loan, 1_000)
    close_day(lender.database, on=date(2026, 5, 4), at=lender.stamp().at)
    overdue = standing(lender, loan)[0]
    assert overdue.status is LoanStatus.OVERDUE
    with pytest.raises(RefusedError, match="loan_state_invalid"):
        draw(lender, loan, 1, on=date(2026, 5, 4))
    assert repay(lender, loan, overdue.outstanding_minor, on=date(2026, 5, 4)).loan.status is LoanStatus.CLOSED


def test_a_restructured_loan_stays_current_and_is_not_drawn(lender):
    loan = lender.loan(due_on=date(2026, 5, 3))
    draw(lender, loan, 1_000)
    with lender.write() as session:
        restructure_loan(session, loan.id, due_on=date(2028, 5, 3), stamp=lender.stamp())
    close_day(lender.database, on=date(2026, 5, 9), at=lender.stamp().at)
    assert standing(lender, loan)[0].status is LoanStatus.RESTRUCTURED
    with pytest.raises(RefusedError, match="loan_state_invalid"):
        draw(lender, loan, 1)


def test_a_loan_given_up_owes_nothing_and_its_limit_is_closed(lender):
    loan = lender.loan()
    draw(lender, loan, 1_000)
    with lender.write() as session:
        charge_loan_fee(session, loan.id, amount_minor=50, currency="CNY", stamp=lender.stamp())
    with lender.write() as session:
        given_up = write_off_loan(session, loan.id, stamp=lender.stamp())
    assert [(p.credit, p.amount_minor) for p in given_up.movement.postings] == [
        ("fees_receivable", 50),
        ("principal", 1_000),
    ]
    after, limit = standing(lender, loan)
    assert (after.status, after.outstanding_minor, limit.status) == (LoanStatus.WRITTEN_OFF, 0, "closed")
    reverse(lender, loan, given_up.movement_id)
    assert standing(lender, loan)[0].outstanding_minor == 1_050


def test_a_new_decision_takes_over_what_is_drawn(lender):
    loan = lender.loan(limit_minor=1_000)
    draw(lender, loan, 800)
    lender.limit(limit_minor=500)
    after, limit = standing(lender, loan)
    assert after.limit_id == limit.id == "lim_1"
    assert (limit.limit_minor, limit.drawn_minor, limit.excess_minor) == (500, 800, 300)
