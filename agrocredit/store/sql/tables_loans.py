"""Loans and the ledger. A movement is posted whole or not at all; its entries are one debit and one credit each.

That an entry has both sides makes the sum of all accounts zero, per tenant and currency, by structure. Movements and
entries are append-only: triggers refuse UPDATE and DELETE in both databases.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from agrocredit.domain.entry import AMOUNT_MAX_MINOR, Account, MovementKind
from agrocredit.domain.loan import RATE_MAX_PPM, LoanStatus
from agrocredit.store.sql.columns import (
    Instant,
    Minor,
    Sequence,
    belongs_to,
    currency_known,
    metadata,
    one_of,
    row_id,
    tenant_id,
)

loans = Table(
    "loans",
    metadata,
    tenant_id(),
    row_id(),
    Column("limit_id", Text, nullable=False),
    Column("farmer_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("rate_ppm", Integer, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("interest_through_on", Date, nullable=False),
    Column("interest_carry", BigInteger, nullable=False),
    Column("principal_minor", Minor, nullable=False, server_default="0"),
    Column("interest_minor", Minor, nullable=False, server_default="0"),
    Column("fees_minor", Minor, nullable=False, server_default="0"),
    Column("restructured_on", Date),
    Column("opened_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "id", "currency"),
    belongs_to("limits", "limit_id"),
    belongs_to("farmers", "farmer_id"),
    one_of("status", LoanStatus),
    currency_known(),
    CheckConstraint(f"rate_ppm >= 0 AND rate_ppm <= {RATE_MAX_PPM}", name="rate_known"),
    CheckConstraint("principal_minor >= 0 AND interest_minor >= 0 AND fees_minor >= 0", name="never_overpaid"),
    CheckConstraint(
        "status NOT IN ('applied', 'approved', 'closed', 'written_off')"
        " OR principal_minor + interest_minor + fees_minor = 0",
        name="nothing_owed_where_none_can_be",
    ),
    Index("ix_loans_limit", "tenant_id", "limit_id"),
    Index("ix_loans_farmer", "tenant_id", "farmer_id"),
    Index("ix_loans_interest", "status", "interest_through_on"),
)

movements = Table(
    "movements",
    metadata,
    tenant_id(),
    row_id(),
    Column("loan_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("business_on", Date, nullable=False),
    Column("reverses", Text),
    Column("actor", Text, nullable=False),  # id of the key, token or command that asked for it
    Column("posted_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "loan_id", "currency"], ["loans.tenant_id", "loans.id", "loans.currency"]),
    belongs_to("movements", "reverses"),
    one_of("kind", MovementKind),
    CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name="reversal_of_something"),
    Index("uq_movements_reverses", "tenant_id", "reverses", unique=True),
    Index(
        "uq_movements_interest_day",
        "tenant_id",
        "loan_id",
        "business_on",
        unique=True,
        sqlite_where=text("kind = 'interest'"),
        postgresql_where=text("kind = 'interest'"),
    ),
    Index("ix_movements_loan", "tenant_id", "loan_id"),
)

entries = Table(
    "entries",
    metadata,
    Column(
        "sequence", Sequence, Identity(always=True), primary_key=True
    ),  # order of insertion, counted by the database
    tenant_id(),
    Column("movement_id", Text, nullable=False),
    Column("line", SmallInteger, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount_minor", Minor, nullable=False),
    UniqueConstraint("tenant_id", "movement_id", "line"),
    belongs_to("movements", "movement_id"),
    one_of("debit", Account),
    one_of("credit", Account),
    CheckConstraint("debit <> credit", name="two_accounts"),
    CheckConstraint(f"amount_minor > 0 AND amount_minor <= {AMOUNT_MAX_MINOR}", name="amount_positive"),
    sqlite_autoincrement=True,
)
