"""How long `agrocredit verify` takes over many entries: books of draws and days of interest, made by SQL.

``python -m benchmarks.verify_books 1000000 [sqlite:///FILE | postgresql+psycopg://...]``; the database must be empty.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import text

from agrocredit.store.sql import Database, open_database, upgrade
from agrocredit.store.sql.integrity import ledger_faults, row_counts

ENTRIES_A_LOAN = 100
_KB_MB = 1024
_COUNT = "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
_FILL = """
INSERT INTO tenants (id, name, created_at) VALUES ('t', 't', {at});
{loans} INSERT INTO farmers (tenant_id, id, created_at) SELECT 't', 'f' || i, {at} FROM n;
{loans} INSERT INTO decisions (tenant_id, id, farmer_id, season, as_of, outcome, limit_minor, currency, policy,
  policy_version, answer, decision_sha256, decided_at)
  SELECT 't', 'd' || i, 'f' || i, 's', {on}, 'approved', 1000000, 'CNY', 'p', '1', '', '', {at} FROM n;
{loans} INSERT INTO limits (tenant_id, id, farmer_id, decision_id, currency, limit_minor, drawn_minor, expires_on)
  SELECT 't', 'i' || i, 'f' || i, 'd' || i, 'CNY', 1000000, 500000, {on} FROM n;
{loans} INSERT INTO loans (tenant_id, id, limit_id, farmer_id, currency, status, rate_ppm, due_on, last_on,
  interest_through_on, interest_carry, principal_minor, interest_minor, opened_at)
  SELECT 't', 'l' || i, 'i' || i, 'f' || i, 'CNY', 'active', 70000, {on}, {on}, {on}, 0, 500000, {days} * 96, {at}
  FROM n;
{rows} INSERT INTO movements (tenant_id, id, loan_id, kind, currency, business_on, actor, posted_at)
  SELECT 't', 'm' || i, 'l' || (i / {each}), CASE WHEN i % {each} = 0 THEN 'draw' ELSE 'interest' END, 'CNY',
  {day}, 'a', {at} FROM n;
{rows} INSERT INTO entries (tenant_id, movement_id, line, debit, credit, amount_minor)
  SELECT 't', 'm' || i, 1, CASE WHEN i % {each} = 0 THEN 'principal' ELSE 'interest_receivable' END,
  CASE WHEN i % {each} = 0 THEN 'cash' ELSE 'interest_income' END, CASE WHEN i % {each} = 0 THEN 500000 ELSE 96 END
  FROM n
"""


def fill(database: Database, *, entry_count: int) -> None:
    """Write books that add up."""
    if database.is_postgresql:
        words = {"at": "timestamptz '2026-05-01 00:00:00+00'", "on": "date '2027-05-01'"}
        day = f"date '2026-01-01' + CAST(i % {ENTRIES_A_LOAN} AS int)"
    else:
        words = {"at": "'2026-05-01 00:00:00'", "on": "'2027-05-01'"}
        day = f"date('2026-01-01', '+' || (i % {ENTRIES_A_LOAN}) || ' days')"
    filled = _FILL.format(
        loans=_COUNT.format(first=0, last=entry_count // ENTRIES_A_LOAN - 1),
        rows=_COUNT.format(first=0, last=entry_count - 1),
        each=ENTRIES_A_LOAN,
        days=ENTRIES_A_LOAN - 1,
        day=day,
        **words,
    )
    with database.engine.begin() as connection:
        if database.is_postgresql:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in filled.split(";"):
            connection.exec_driver_sql(statement.replace("%", "%%") if database.is_postgresql else statement)
        connection.execute(text("ANALYZE"))


def main() -> None:
    """Fill, check, and print the time each took."""
    entry_count = int(sys.argv[1])
    url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{Path(tempfile.mkdtemp()) / 'books.db'}"
    database = open_database(url)
    upgrade(database)
    fill(database, entry_count=entry_count)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    with database.inspect() as connection:
        counts = row_counts(connection)
        faults = Counter(fault.split()[0] for fault in ledger_faults(connection))
    print(f"{counts}\nfaults {dict(faults)}")
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KB_MB
    print(
        f"{time.perf_counter() - wall_s:.1f} s, of it {time.process_time() - cpu_s:.1f} s of CPU in this process,",
        end=" ",
    )
    print(f"which held {most_mb:.0f} MB at most")


if __name__ == "__main__":
    main()
