"""Applications, the decisions on them, and the limits that decisions give."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, LargeBinary, PrimaryKeyConstraint, Table, Text, text

from agrocredit.domain.decision import Outcome
from agrocredit.domain.loan import LimitStatus
from agrocredit.store.sql.columns import (
    Instant,
    Minor,
    belongs_to,
    currency_known,
    metadata,
    one_of,
    row_id,
    tenant_id,
)

applications = Table(
    "applications",
    metadata,
    tenant_id(),
    row_id(),
    Column("farmer_id", Text, nullable=False),
    Column("season", Text, nullable=False),
    Column("asked", Text, nullable=False),  # JSON: the request as it was checked
    Column("status", Text, nullable=False),
    Column("decision_id", Text),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    belongs_to("farmers", "farmer_id"),
    belongs_to("decisions", "decision_id"),
    one_of("status", ("evidence_pending", "decided")),
    CheckConstraint("(status = 'decided') = (decision_id IS NOT NULL)", name="decided_by_decision"),
    Index("ix_applications_farmer", "tenant_id", "farmer_id"),
    Index("ix_applications_status", "tenant_id", "status"),
)

decisions = Table(
    "decisions",
    metadata,
    tenant_id(),
    row_id(),
    Column("farmer_id", Text, nullable=False),
    Column("season", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("limit_minor", Minor, nullable=False),
    Column("currency", Text, nullable=False),
    Column("due_on", Date),
    Column("policy", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("answer", Text, nullable=False),  # JSON: caps, binding cap, reasons, schedule, as the applicant heard them
    Column("record", LargeBinary),  # canonical JSON of all inputs and the result: what replay reads
    Column("decision_sha256", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    belongs_to("farmers", "farmer_id"),
    one_of("outcome", Outcome),
    currency_known(),
    CheckConstraint("(outcome = 'approved') = (limit_minor > 0) AND limit_minor >= 0", name="approved_with_limit"),
    Index("ix_decisions_farmer", "tenant_id", "farmer_id", "season", "decided_at"),
)

limits = Table(
    "limits",
    metadata,
    tenant_id(),
    row_id(),
    Column("farmer_id", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("limit_minor", Minor, nullable=False),
    Column("drawn_minor", Minor, nullable=False, server_default="0"),
    Column("excess_minor", Minor, nullable=False, server_default="0"),  # only a cut or a payment taken back sets it
    Column("expires_on", Date, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    PrimaryKeyConstraint("tenant_id", "id"),
    belongs_to("farmers", "farmer_id"),
    belongs_to("decisions", "decision_id"),
    one_of("status", LimitStatus),
    currency_known(),
    CheckConstraint("limit_minor >= 0 AND drawn_minor >= 0 AND excess_minor >= 0", name="not_negative"),
    CheckConstraint("drawn_minor <= limit_minor + excess_minor", name="drawn_within_limit"),
    CheckConstraint("excess_minor = 0 OR drawn_minor = limit_minor + excess_minor", name="excess_is_drawn"),
    Index("uq_limits_decision", "tenant_id", "decision_id", unique=True),
    Index("ix_limits_farmer", "tenant_id", "farmer_id"),
    Index(  # a new decision replaces the limit of an earlier one; two at once would lend twice on one harvest
        "uq_limits_one_in_force",
        "tenant_id",
        "farmer_id",
        unique=True,
        sqlite_where=text("status <> 'closed'"),
        postgresql_where=text("status <> 'closed'"),
    ),
)
