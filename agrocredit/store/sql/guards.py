"""What the databases refuse by themselves: changed ledgers, other tenants' rows, balances that no entries explain."""

from __future__ import annotations

import re

from agrocredit.store.sql.database import APP_ROLE, OVERSEER_ROLE
from agrocredit.store.sql.failures import BALANCES_CHECK
from agrocredit.store.sql.tables import APPEND_ONLY, TENANT_TABLES, events, metadata

_POSITION_ONLY = " AND ".join(
    f"OLD.{column.name} IS NOT DISTINCT FROM NEW.{column.name}" for column in events.c if column.name != "position"
)
_TRIGGER = re.compile(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+)")
_DELETABLE = ("observations", "estimates", "holdings", "idempotency")
"""What a lender's flows replace; the rest is kept."""


def sqlite_guards() -> list[str]:
    """Return the triggers of SQLite."""
    statements = []
    for table in APPEND_ONLY:
        name = table.name
        allowed = ""
        if table is events:
            unchanged = _POSITION_ONLY.replace("IS NOT DISTINCT FROM", "IS")
            allowed = f" WHEN NOT (OLD.position IS NULL AND NEW.position IS NOT NULL AND {unchanged})"
        refuse = f"BEGIN SELECT RAISE(ABORT, 'constraint: {name} is append-only'); END"
        statements += [
            f"CREATE TRIGGER {name}_keeps_rows BEFORE DELETE ON {name} {refuse}",
            f"CREATE TRIGGER {name}_keeps_values BEFORE UPDATE ON {name}{allowed} {refuse}",
        ]
    return statements


def postgresql_guards() -> list[str]:
    """Return roles, row security, append-only triggers and deferred checks of PostgreSQL, with the plots' geometry."""
    return [*_roles(), *_append_only(), *_row_security(), *_grants(), *_GEOMETRY, *_BALANCES]


def guard_names(*, postgresql: bool) -> list[str]:
    """Return the names of the triggers that must be there."""
    statements = postgresql_guards() if postgresql else sqlite_guards()
    return [match[1] for match in map(_TRIGGER.match, statements) if match]


_GEOMETRY = [
    (
        "ALTER TABLE plots ADD COLUMN geometry geometry(Geometry, 4326)"
        " GENERATED ALWAYS AS (ST_GeomFromWKB(wkb, 4326)) STORED"
    ),
    "CREATE INDEX ix_plots_geometry ON plots USING gist (geometry)",
]


def _roles() -> list[str]:
    create = (
        "DO $$ BEGIN CREATE ROLE {role} NOLOGIN NOBYPASSRLS;"
        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    roles = (APP_ROLE, OVERSEER_ROLE)
    return [create.format(role=role) for role in roles] + [f"GRANT {role} TO CURRENT_USER" for role in roles]


def _append_only() -> list[str]:
    statements = [
        (
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23514'; END $$"
        )
    ]
    for table in APPEND_ONLY:
        name = table.name
        given = f"OLD.position IS NULL AND NEW.position IS NOT NULL AND {_POSITION_ONLY}"
        allowed = f"WHEN (NOT ({given})) " if table is events else ""
        statements += [
            f"CREATE TRIGGER {name}_keeps_rows BEFORE DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            (
                f"CREATE TRIGGER {name}_keeps_values BEFORE UPDATE ON {name} FOR EACH ROW {allowed}"
                "EXECUTE FUNCTION refuse_change()"
            ),
            f"CREATE TRIGGER {name}_keeps_all BEFORE TRUNCATE ON {name} EXECUTE FUNCTION refuse_change()",
        ]
    return statements


def _row_security() -> list[str]:
    statements = []
    for table, column in [*((table.name, "tenant_id") for table in TENANT_TABLES), ("tenants", "id")]:
        own = f"{column} = current_setting('agrocredit.tenant', true)"
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own_rows ON {table} TO {APP_ROLE} USING ({own}) WITH CHECK ({own})",
            f"CREATE POLICY all_rows ON {table} TO {OVERSEER_ROLE} USING (true) WITH CHECK (true)",
        ]
    return statements


def _grants() -> list[str]:
    statements = [f"GRANT SELECT ON {table.name} TO {APP_ROLE}, {OVERSEER_ROLE}" for table in metadata.sorted_tables]
    for table in TENANT_TABLES:
        changes = "INSERT" if table in APPEND_ONLY else "INSERT, UPDATE"
        deletes = ", DELETE" if table.name in _DELETABLE else ""
        statements.append(f"GRANT {changes}{deletes} ON {table.name} TO {APP_ROLE}")
    return [
        *statements,
        f"GRANT SELECT ON alembic_version TO {APP_ROLE}, {OVERSEER_ROLE}",
        f"GRANT INSERT, UPDATE ON tenants, api_keys TO {OVERSEER_ROLE}",
        f"GRANT INSERT ON events, tree_nodes TO {OVERSEER_ROLE}",
        f"GRANT UPDATE (position) ON events TO {OVERSEER_ROLE}",
        f"GRANT INSERT, UPDATE, DELETE ON faults TO {OVERSEER_ROLE}",
        f"GRANT DELETE ON idempotency TO {OVERSEER_ROLE}",
    ]


def _balance(account: str) -> str:
    return (
        f"coalesce(sum(CASE WHEN debit = '{account}' THEN amount_minor"
        f" WHEN credit = '{account}' THEN -amount_minor END), 0)"
    )


_BALANCES = [
    # Names of our own accounts are put into this text, nothing of a user's.
    f"""CREATE FUNCTION check_loan(tenant text, loan text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  owed record;
  posted record;
BEGIN
  SELECT * INTO owed FROM loans WHERE tenant_id = tenant AND id = loan;
  SELECT {_balance("principal")} AS principal, {_balance("interest_receivable")} AS interest,
         {_balance("fees_receivable")} AS fees
    INTO posted FROM entries JOIN movements ON movements.tenant_id = entries.tenant_id AND movements.id = movement_id
    WHERE movements.tenant_id = tenant AND loan_id = loan;
  IF (owed.principal_minor, owed.interest_minor, owed.fees_minor)
     IS DISTINCT FROM (posted.principal, posted.interest, posted.fees) THEN
    RAISE EXCEPTION 'loan % is not the sum of its entries', loan
      USING ERRCODE = '23514', CONSTRAINT = '{BALANCES_CHECK}';
  END IF;
END $$""",  # noqa: S608
    """CREATE FUNCTION check_loan_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM check_loan(NEW.tenant_id, NEW.id); RETURN NULL; END $$""",
    """CREATE FUNCTION check_loan_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM check_loan(NEW.tenant_id, loan_id) FROM movements WHERE tenant_id = NEW.tenant_id AND id = NEW.movement_id;
  RETURN NULL;
END $$""",
    (
        f"CREATE CONSTRAINT TRIGGER {BALANCES_CHECK}"
        " AFTER INSERT OR UPDATE OF principal_minor, interest_minor, fees_minor ON loans"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_loan_changed()"
    ),
    (
        "CREATE CONSTRAINT TRIGGER entries_equal_loans AFTER INSERT ON entries"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_loan_posted()"
    ),
]
