from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from agrocredit.domain.errors import AgrocreditError
from agrocredit.domain.loan import LimitStatus
from agrocredit.service.lending import change_limit, draw_on_loan
from agrocredit.store.sql.attempts import write_with_retries
from agrocredit.store.sql.loans import read_loan


def change(lender, limit_id, **to):
    with lender.write() as session:
        return change_limit(session, limit_id, stamp=lender.stamp(), **to)


def draw(lender, loan, amount_minor):
    work = partial(draw_on_loan, loan_id=loan.id, amount_minor=amount_minor, currency="CNY", stamp=lender.stamp())
    return write_with_retries(lender.database, lender.tenant_id, work)


def test_a_frozen_limit_gives_nothing_until_it_is_released(lender):
    loan = lender.loan()
    change(lender, loan.limit_id, status=LimitStatus.FROZEN)
    with pytest.raises(AgrocreditError, match="limit_not_active"):
        draw(lender, loan, 1)
    change(lender, loan.limit_id, status=LimitStatus.ACTIVE)
    assert draw(lender, loan, 1).loan.principal_minor == 1


def test_a_closed_limit_stays_closed(lender):
    loan = lender.loan()
    change(lender, loan.limit_id, status=LimitStatus.CLOSED)
    with pytest.raises(AgrocreditError, match="limit_not_active"):
        change(lender, loan.limit_id, status=LimitStatus.ACTIVE)


def test_a_limit_below_nothing_and_one_of_another_lender_are_refused(lender, rival):
    loan = lender.loan()
    with pytest.raises(AgrocreditError, match="amount_invalid"):
        change(lender, loan.limit_id, limit_minor=-1)
    with pytest.raises(AgrocreditError, match="not_found"):
        change(rival, loan.limit_id, limit_minor=1)


def test_a_cut_during_draws_falls_before_or_after_each_and_none_passes_the_limit_of_its_moment(lender):
    loan = lender.loan(limit_minor=1_000)
    barrier = Barrier(9)

    def client(number):
        barrier.wait()
        if number == 0:
            return change(lender, loan.limit_id, limit_minor=300).drawn_minor
        try:
            return draw(lender, loan, 125).limit
        except AgrocreditError as error:
            return error.code

    with ThreadPoolExecutor(9) as threads:
        drawn_at_cut, *outcomes = threads.map(client, range(9))
    drawn = [outcome for outcome in outcomes if outcome != "limit_exceeded"]
    assert all(limit.drawn_minor <= limit.limit_minor for limit in drawn)
    with lender.read() as session:
        limit = read_loan(session, loan.id)[1]
    assert limit.drawn_minor == 125 * len(drawn) == max(drawn_at_cut, 250)
    assert limit.excess_minor == max(0, limit.drawn_minor - 300)
