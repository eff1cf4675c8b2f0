import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from agrocredit.domain.errors import AgrocreditError
from agrocredit.service.lending import draw_on_loan, repay_loan, reverse_movement
from agrocredit.service.lending.close_day import close_day
from agrocredit.service.lending.verify import verify

UNIQUE = {
    "movements": ("uq_movements_reverses", "uq_movements_interest_day"),
    "limits": ("uq_limits_one_in_force", "uq_limits_decision"),
}

EDITS = {
    "a balance written over": (
        "UPDATE loans SET principal_minor = principal_minor + 1",
        "loan {loan} of tenant lender",
    ),
    "an amount written over": (
        "UPDATE entries SET amount_minor = 1 WHERE debit = 'interest_receivable'",
        "loan {loan} of tenant lender does not owe",
    ),
    "an amount turned negative": (
        "UPDATE entries SET amount_minor = -amount_minor WHERE sequence = 1",
        "entry 1 of tenant lender does not move a positive amount",
    ),
    "an account nobody knows": (
        "UPDATE entries SET credit = 'pocket' WHERE sequence = 1",
        "entry 1 of tenant lender does not move",
    ),
    "an entry deleted": ("DELETE FROM entries WHERE sequence = 1", "movement {drawn} of tenant lender has no entry"),
    "a movement deleted": (
        "DELETE FROM movements WHERE id = '{drawn}'",
        "entry 1 of tenant lender belongs to no movement",
    ),
    "a movement in another currency": (
        "UPDATE movements SET currency = 'KES' WHERE id = '{drawn}'",
        "movement {drawn} of tenant lender belongs to no loan",
    ),
    "a limit that forgets a draw": (
        "UPDATE limits SET drawn_minor = drawn_minor - 1",
        "limit lim_0 of tenant lender is not drawn by",
    ),
    "a limit lowered below what is drawn": (
        "UPDATE limits SET limit_minor = 1",
        "limit lim_0 of tenant lender is not drawn by",
    ),
    "a closed loan that owes": ("UPDATE loans SET status = 'closed'", "loan {loan} of tenant lender owes less than"),
    "interest of days to come": (
        "UPDATE loans SET interest_through_on = '2026-05-01'",
        "loan {loan} of tenant lender has interest of a day that",
    ),
    "two interest postings of a day": (
        "UPDATE movements SET business_on = '2026-05-02' WHERE kind = 'interest'",
        "loan {loan} of tenant lender has two interest postings",
    ),
    "a reversal of something else": (
        "UPDATE movements SET reverses = '{drawn}' WHERE kind = 'reversal'",
        "reversal {reversal} of tenant lender is not the mirror",
    ),
    "two reversals of one movement": (
        "UPDATE movements SET kind = 'reversal', reverses = '{paid}' WHERE kind = 'draw'",
        "movement {paid} of tenant lender is taken back more than once",
    ),
    "a loan without its limit": (
        "UPDATE loans SET limit_id = 'lim_x'",
        "loan {loan} of tenant lender is in another currency than its limit, or has none",
    ),
}


TOGETHER = {
    "a draw made smaller everywhere": (
        (
            "UPDATE entries SET amount_minor = amount_minor - 7 WHERE movement_id = '{drawn}'",
            "UPDATE loans SET principal_minor = principal_minor - 7",
            "UPDATE limits SET drawn_minor = drawn_minor - 7",
        ),
        "movement {drawn} of tenant lender is not what the log tells of it",
    ),
    "a payment and its reversal gone as if they had never been": (
        (
            "DELETE FROM entries WHERE movement_id IN ('{paid}', '{reversal}')",
            "DELETE FROM movements WHERE id = '{reversal}'",
            "DELETE FROM movements WHERE id = '{paid}'",
        ),
        "event ",
    ),
    "a decision that granted more": (
        ("UPDATE decisions SET limit_minor = limit_minor + 1",),
        "decision ",
    ),
    "a decision's record written over": (
        ("UPDATE decisions SET record = CAST('[]' AS {blob})",),
        "decision ",
    ),
}
"""Changes that leave every row in agreement with every other."""


@pytest.fixture
def books(lender):
    """Ids of a loan with a draw, interest, a payment and its reversal."""
    loan = lender.loan()
    stamp = lender.stamp()
    with lender.write() as session:
        drawn = draw_on_loan(session, loan.id, amount_minor=1_000_000, currency="CNY", stamp=stamp)
    close_day(lender.database, on=date(2026, 5, 3), at=stamp.at)
    with lender.write() as session:
        paid = repay_loan(session, loan.id, amount_minor=1_000, currency="CNY", stamp=lender.stamp(date(2026, 5, 4)))
    with lender.write() as session:
        back = reverse_movement(session, loan.id, movement_id=paid.movement_id, stamp=lender.stamp(date(2026, 5, 5)))
    return {"loan": loan.id, "drawn": drawn.movement_id, "paid": paid.movement_id, "reversal": back.movement_id}


def edit_by_hand(database, statement):
    """Change a row as somebody could who may do anything: guards off, no questions asked."""
    table = statement.split()[2 if statement.startswith("DELETE") else 1]
    if database.is_postgresql:
        with database.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for (name,) in connection.execute(
                text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = CAST(:t AS regclass)"),
                {"t": table},
            ).all():
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
            for name in UNIQUE.get(table, ()):
                connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
            connection.execute(text(statement))
        return
    with closing(sqlite3.connect(database.engine.url.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for name in UNIQUE.get(table, ()):
            connection.execute(f"DROP INDEX IF EXISTS {name}")
        connection.execute(statement)


@pytest.mark.usefixtures("books")
def test_books_that_add_up_pass_and_are_counted(lender):
    summary = verify(lender.database, at=lender.stamp().at)
    assert summary.failed_checks == ()
    assert summary.exit_code == 0
    assert {name: summary.counts[name] for name in ("loans", "movements", "entries")} == {
        "loans": 1,
        "movements": 6,
        "entries": 8,  # the payment met interest and principal, and so did its reversal
    }


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_by_hand_is_found_and_its_row_named(lender, books, edit):
    statement, sentence = (part.format(**books) for part in EDITS[edit])
    edit_by_hand(lender.database, statement)
    summary = verify(lender.database, at=lender.stamp().at)
    assert [fault for fault in summary.failed_checks if fault.startswith(sentence)], summary.failed_checks
    assert summary.exit_code == 1


@pytest.mark.parametrize("what", TOGETHER)
def test_rows_changed_together_are_found_by_what_the_log_tells(lender, books, what):
    statements, sentence = TOGETHER[what]
    blob = "bytea" if lender.database.is_postgresql else "BLOB"
    for statement in statements:
        edit_by_hand(lender.database, statement.format(**books, blob=blob))
    found = verify(lender.database, at=lender.stamp().at).failed_checks
    assert [fault for fault in found if fault.startswith(sentence.format(**books))], found


def test_money_stands_still_after_a_fault_until_a_check_passes(lender, books):
    edit_by_hand(lender.database, "UPDATE loans SET principal_minor = principal_minor + 1")
    verify(lender.database, at=lender.stamp().at)
    for step in (
        lambda session: draw_on_loan(session, books["loan"], amount_minor=1, currency="CNY", stamp=lender.stamp()),
        lambda session: repay_loan(session, books["loan"], amount_minor=1, currency="CNY", stamp=lender.stamp()),
        lambda session: reverse_movement(session, books["loan"], movement_id=books["drawn"], stamp=lender.stamp()),
    ):
        with pytest.raises(AgrocreditError, match="ledger_integrity"), lender.write() as session:
            step(session)
    with pytest.raises(AgrocreditError, match="ledger_integrity"):
        close_day(lender.database, on=date(2026, 5, 9), at=lender.stamp().at)


@pytest.mark.parametrize("edit", ["principal_minor = principal_minor + 1", "fees_minor = -1"])
def test_a_step_on_an_edited_loan_meets_the_fault_itself_before_any_check(postgresql, make_lender, edit):
    lender = make_lender(postgresql)
    loan = lender.loan()
    edit_by_hand(postgresql, f"UPDATE loans SET {edit}")  # noqa: S608
    with pytest.raises(AgrocreditError, match="ledger_integrity"), lender.write() as session:
        draw_on_loan(session, loan.id, amount_minor=1, currency="CNY", stamp=lender.stamp())


def test_a_trigger_switched_off_is_found(postgresql):
    with postgresql.engine.begin() as connection:
        connection.execute(text("ALTER TABLE entries DISABLE TRIGGER entries_keeps_values"))
        connection.execute(text("ALTER TABLE loans NO FORCE ROW LEVEL SECURITY"))
    faults = verify(postgresql, at=datetime(2026, 5, 1, tzinfo=UTC)).failed_checks
    assert set(faults) == {
        "trigger entries_keeps_values is gone or switched off",
        "row security of loans is switched off",
    }


def test_a_check_that_passes_lets_money_move_again(lender, books):
    with lender.database.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO faults VALUES ('ledger_integrity', 'loan x', :at)"), {"at": "2026-05-01 00:00:00+00:00"}
        )
    with pytest.raises(AgrocreditError, match="ledger_integrity"), lender.write() as session:
        draw_on_loan(session, books["loan"], amount_minor=1, currency="CNY", stamp=lender.stamp())
    verify(lender.database, at=lender.stamp().at)
    with lender.write() as session:
        draw_on_loan(session, books["loan"], amount_minor=1, currency="CNY", stamp=lender.stamp())
