"""Every invariant of the ledger as a query that finds what breaks it. None of them trusts a constraint.

Whoever can write to the database can also switch a trigger off, so each rule that a constraint keeps is asked again
here, over all rows; and the guards themselves are counted. A fault names the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from agrocredit.domain.entry import Account
from agrocredit.store.sql.guards import guard_names
from agrocredit.store.sql.tables import entries, idempotency, limits, loans, movements, tenants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_ACCOUNTS = ", ".join(f"'{account}'" for account in Account)
_CHECKS: tuple[tuple[str, str], ...] = (
    (
        "entry {} of tenant {} does not move a positive amount between two known accounts",
        (
            "SELECT sequence, tenant_id FROM entries WHERE amount_minor <= 0 OR debit = credit"  # noqa: S608  own words
            f" OR debit NOT IN ({_ACCOUNTS}) OR credit NOT IN ({_ACCOUNTS})"
        ),
    ),
    (
        "entry {} of tenant {} belongs to no movement",
        (
            "SELECT e.sequence, e.tenant_id FROM entries e LEFT JOIN movements m"
            " ON m.tenant_id = e.tenant_id AND m.id = e.movement_id WHERE m.id IS NULL"
        ),
    ),
    (
        "movement {} of tenant {} has no entry",
        (
            "SELECT m.id, m.tenant_id FROM movements m"
            " WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.tenant_id = m.tenant_id AND e.movement_id = m.id)"
        ),
    ),
    (
        "movement {} of tenant {} belongs to no loan in its currency",
        (
            "SELECT m.id, m.tenant_id FROM movements m LEFT JOIN loans l"
            " ON l.tenant_id = m.tenant_id AND l.id = m.loan_id AND l.currency = m.currency WHERE l.id IS NULL"
        ),
    ),
    (
        "loan {} of tenant {} does not owe what its entries say",
        """
        SELECT l.id, l.tenant_id FROM loans l LEFT JOIN (
          SELECT m.tenant_id, m.loan_id,
            sum(CASE WHEN e.debit = 'principal' THEN e.amount_minor
                     WHEN e.credit = 'principal' THEN -e.amount_minor ELSE 0 END) AS principal,
            sum(CASE WHEN e.debit = 'interest_receivable' THEN e.amount_minor
                     WHEN e.credit = 'interest_receivable' THEN -e.amount_minor ELSE 0 END) AS interest,
            sum(CASE WHEN e.debit = 'fees_receivable' THEN e.amount_minor
                     WHEN e.credit = 'fees_receivable' THEN -e.amount_minor ELSE 0 END) AS fees
          FROM movements m JOIN entries e ON e.tenant_id = m.tenant_id AND e.movement_id = m.id
          GROUP BY m.tenant_id, m.loan_id
        ) posted ON posted.tenant_id = l.tenant_id AND posted.loan_id = l.id
        WHERE l.principal_minor <> coalesce(posted.principal, 0) OR l.interest_minor <> coalesce(posted.interest, 0)
           OR l.fees_minor <> coalesce(posted.fees, 0)
        """,
    ),
    (
        "loan {} of tenant {} owes less than nothing, or something where its status allows nothing",
        (
            "SELECT id, tenant_id FROM loans WHERE principal_minor < 0 OR interest_minor < 0 OR fees_minor < 0"
            " OR (status IN ('applied', 'approved', 'closed', 'written_off')"
            " AND principal_minor + interest_minor + fees_minor <> 0)"
        ),
    ),
    (
        "loan {} of tenant {} has interest of a day that it has not come to",
        (
            "SELECT DISTINCT l.id, l.tenant_id FROM loans l JOIN movements m ON m.tenant_id = l.tenant_id"
            " AND m.loan_id = l.id WHERE m.kind = 'interest' AND m.business_on > l.interest_through_on"
        ),
    ),
    (
        "loan {} of tenant {} has two interest postings of one day",
        (
            "SELECT loan_id, tenant_id FROM movements WHERE kind = 'interest'"
            " GROUP BY tenant_id, loan_id, business_on HAVING count(*) > 1"
        ),
    ),
    (
        "movement {} of tenant {} is taken back more than once",
        (
            "SELECT reverses, tenant_id FROM movements WHERE reverses IS NOT NULL"
            " GROUP BY tenant_id, reverses HAVING count(*) > 1"
        ),
    ),
    (
        "reversal {} of tenant {} is not the mirror of what it takes back",
        """
        SELECT DISTINCT r.id, r.tenant_id FROM movements r LEFT JOIN movements o
          ON o.tenant_id = r.tenant_id AND o.id = r.reverses AND o.loan_id = r.loan_id AND o.currency = r.currency
        WHERE r.kind = 'reversal' AND (o.id IS NULL OR EXISTS (
          SELECT 1 FROM entries a WHERE a.tenant_id = r.tenant_id AND a.movement_id = o.id AND NOT EXISTS (
            SELECT 1 FROM entries b WHERE b.tenant_id = r.tenant_id AND b.movement_id = r.id AND b.line = a.line
              AND b.debit = a.credit AND b.credit = a.debit AND b.amount_minor = a.amount_minor))
          OR (SELECT count(*) FROM entries a WHERE a.tenant_id = r.tenant_id AND a.movement_id = o.id)
          <> (SELECT count(*) FROM entries b WHERE b.tenant_id = r.tenant_id AND b.movement_id = r.id))
        """,
    ),
    (
        "limit {} of tenant {} is not drawn by what its loans owe in principal, or drawn above it without an excess",
        """
        SELECT l.id, l.tenant_id FROM limits l LEFT JOIN (
          SELECT tenant_id, limit_id, sum(principal_minor) AS principal FROM loans GROUP BY tenant_id, limit_id
        ) owed ON owed.tenant_id = l.tenant_id AND owed.limit_id = l.id
        WHERE l.drawn_minor <> coalesce(owed.principal, 0)
           OR l.excess_minor <> CASE WHEN l.drawn_minor > l.limit_minor THEN l.drawn_minor - l.limit_minor ELSE 0 END
        """,
    ),
    (
        "loan {} of tenant {} is in another currency than its limit, or has none",
        (
            "SELECT l.id, l.tenant_id FROM loans l LEFT JOIN limits i"
            " ON i.tenant_id = l.tenant_id AND i.id = l.limit_id AND i.currency = l.currency WHERE i.id IS NULL"
        ),
    ),
    (
        "farmer {} of tenant {} has two limits in force",
        (
            "SELECT farmer_id, tenant_id FROM limits WHERE status <> 'closed'"
            " GROUP BY tenant_id, farmer_id HAVING count(*) > 1"
        ),
    ),
    (
        "a key of {} of tenant {} holds no answer",
        "SELECT subject, tenant_id FROM idempotency WHERE status IS NULL",
    ),
)


def ledger_faults(connection: Connection) -> Iterator[str]:
    """Yield a sentence a fault, naming the row; none where every invariant holds.

    Parameters
    ----------
    connection : Connection
        Over all tenants, at one moment.
    """
    for sentence, query in _CHECKS:
        for row in connection.execute(text(query)):
            yield sentence.format(*row)
    yield from _missing_guards(connection)


def row_counts(connection: Connection) -> dict[str, int]:
    """Return how many rows the check is about."""
    counted = (tenants, limits, loans, movements, entries, idempotency)
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for table in counted
    }


def _missing_guards(connection: Connection) -> Iterator[str]:
    postgresql = connection.dialect.name == "postgresql"
    query = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal"
        if postgresql
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    present = set(connection.execute(text(query)).scalars())
    for name in guard_names(postgresql=postgresql):
        if name not in present:
            yield f"trigger {name} is gone or switched off"
    if postgresql:
        open_tables = (
            "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid"
            " WHERE NOT (relrowsecurity AND relforcerowsecurity) GROUP BY relname"
        )
        for name in connection.execute(text(open_tables)).scalars():
            yield f"row security of {name} is switched off"
    else:
        for row in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there"
