"""Many at once, on real connections: exactly one wins, one effect a key, and the books add up afterwards.

`AGROCREDIT_RACES` sets how often the race for the last unit is run on each database (100 for a release).
"""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from agrocredit.domain.errors import AgrocreditError
from agrocredit.service.lending import draw_on_loan, repay_loan, reverse_movement
from agrocredit.service.lending.verify import verify
from agrocredit.store.sql.attempts import write_with_retries
from agrocredit.store.sql.idempotency import Answer, RequestKey, once
from agrocredit.store.sql.loans import read_loan
from agrocredit.store.sql.movements import loan_entries

CLIENTS = 100
RACES = int(os.environ.get("AGROCREDIT_RACES", "1"))


def at_once(count, work):
    """Run `work(number)` in so many threads that start together; return results, errors by their code."""
    barrier = Barrier(count)

    def run(number):
        barrier.wait()
        try:
            return work(number)
        except AgrocreditError as error:
            return error.code

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def draw(lender, loan, amount_minor, session):
    return draw_on_loan(session, loan.id, amount_minor=amount_minor, currency="CNY", stamp=lender.stamp())


def test_of_100_clients_racing_for_the_last_unit_one_wins(lender):
    for race in range(RACES):
        loan = lender.loan(f"farmer_{race}", limit_minor=1)
        work = partial(draw, lender, loan, 1)
        won = at_once(CLIENTS, lambda _, work=work: type(write_with_retries(lender.database, "lender", work)).__name__)
        assert Counter(won) == {"Receipt": 1, "limit_exceeded": CLIENTS - 1}
        with lender.read() as session:
            assert read_loan(session, loan.id)[0].principal_minor == 1
            assert len(loan_entries(session, loan.id)) == 1


def test_a_hot_account_answers_everybody(lender):
    """16 clients draw and repay on one loan without a pause: nobody is told to come again."""
    loan = lender.loan(limit_minor=16)

    def client(_):
        for _ in range(10):
            write_with_retries(lender.database, "lender", partial(draw, lender, loan, 1))
            pay = partial(repay_loan, loan_id=loan.id, amount_minor=1, currency="CNY", stamp=lender.stamp())
            write_with_retries(lender.database, "lender", pay)
        return "served"

    assert at_once(16, client) == ["served"] * 16
    with lender.read() as session:
        assert len(loan_entries(session, loan.id)) == 16 * 10 * 2


def keyed_draw(lender, loan, key, amount_minor=5, body="a" * 64):
    request = RequestKey(subject="key_1", route="POST /v1/loans/{loan_id}/draws", key=key, body_sha256=body)

    def work(session):
        return once(
            session,
            request,
            at=lender.stamp().at,
            work=lambda: Answer(status=201, body=draw(lender, loan, amount_minor, session).movement_id.encode()),
        )

    return write_with_retries(lender.database, lender.tenant_id, work)


def test_the_same_key_50_times_at_once_has_one_effect_and_one_answer(lender):
    loan = lender.loan(limit_minor=1_000)
    answers = at_once(50, lambda _: keyed_draw(lender, loan, "k"))
    given = {answer for answer in answers if answer != "idempotency_in_progress"}
    assert len(given) == 1
    assert keyed_draw(lender, loan, "k") in given
    with lender.read() as session:
        assert [entry["amount_minor"] for entry in loan_entries(session, loan.id)] == [5]


def test_a_key_with_another_body_is_refused_and_moves_nothing(lender):
    loan = lender.loan(limit_minor=1_000)
    keyed_draw(lender, loan, "k")
    with pytest.raises(AgrocreditError, match="idempotency_key_reused"):
        keyed_draw(lender, loan, "k", body="b" * 64)
    with lender.read() as session:
        assert read_loan(session, loan.id)[0].principal_minor == 5


def test_a_refused_request_stores_nothing_so_its_key_may_be_used_again(lender):
    loan = lender.loan(limit_minor=1_000)
    with pytest.raises(AgrocreditError, match="limit_exceeded"):
        keyed_draw(lender, loan, "k", amount_minor=1_001)
    assert keyed_draw(lender, loan, "k", amount_minor=1_000, body="c" * 64).status == 201


def test_the_same_key_of_another_lender_is_another_key(lender, rival):
    own, theirs = lender.loan(), rival.loan()
    assert keyed_draw(lender, own, "k") != keyed_draw(rival, theirs, "k")


def test_of_20_reversals_of_one_movement_one_wins(lender):
    loan = lender.loan()
    drawn = write_with_retries(lender.database, "lender", partial(draw, lender, loan, 10))

    def reverse(session):
        reverse_movement(session, loan.id, movement_id=drawn.movement_id, stamp=lender.stamp())
        return "reversed"

    won = at_once(20, lambda _: write_with_retries(lender.database, "lender", reverse))
    assert Counter(won) == {"reversed": 1, "already_reversed": 19}


def test_mixed_draws_and_payments_at_once_leave_books_that_add_up(lender):
    loans = [lender.loan(f"farmer_{n}", limit_minor=500) for n in range(3)]

    def client(number):
        chance = random.Random(number)  # noqa: S311  the same plan at every run
        outcomes = []
        for _ in range(15):
            loan, amount_minor = chance.choice(loans), chance.randint(1, 200)
            step = chance.choice((draw_on_loan, repay_loan))
            work = partial(step, loan_id=loan.id, amount_minor=amount_minor, currency="CNY", stamp=lender.stamp())
            try:
                write_with_retries(lender.database, "lender", work)
            except AgrocreditError as error:
                outcomes.append((error.code, 0))
            else:
                outcomes.append((loan.id, amount_minor if step is draw_on_loan else -amount_minor))
        return outcomes

    acknowledged = Counter()
    for outcomes in at_once(10, client):
        for loan_or_code, change in outcomes:
            acknowledged[loan_or_code] += change
    assert set(acknowledged) <= {"limit_exceeded", "overpayment", *(loan.id for loan in loans)}
    for loan in loans:
        with lender.read() as session:
            after, limit = read_loan(session, loan.id)
        assert 0 <= after.principal_minor == acknowledged[loan.id] == limit.drawn_minor <= 500
    assert verify(lender.database, at=lender.stamp().at).failed_checks == ()
