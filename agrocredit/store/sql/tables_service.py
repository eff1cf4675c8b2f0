"""What keeps the service honest: answers to repeated requests, the outbox of events, and a switch that stops money."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from agrocredit.store.sql.columns import Instant, Sequence, metadata, tenant_id

idempotency = Table(
    "idempotency",
    metadata,
    tenant_id(),
    Column("subject", Text, nullable=False),  # who holds the key or token
    Column("route", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("status", SmallInteger),
    Column("body", LargeBinary),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "subject", "route", "key"),
    CheckConstraint("(status IS NULL) = (body IS NULL)", name="answered_whole"),
    CheckConstraint("length(key) BETWEEN 1 AND 255", name="key_short"),
    Index("ix_idempotency_created", "created_at"),
)

events = Table(
    "events",
    metadata,
    Column("sequence", Sequence, Identity(always=True), primary_key=True),  # order of insertion, may have gaps
    Column("position", BigInteger),  # order in which readers see events: from 1, without a gap, given after the commit
    tenant_id(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # canonical JSON without personal data
    Column("recorded_at", Instant, nullable=False),
    Index("uq_events_position", "position", unique=True),
    Index("ix_events_tenant", "tenant_id", "position"),
    Index(
        "ix_events_unplaced",
        "sequence",
        sqlite_where=text("position IS NULL"),
        postgresql_where=text("position IS NULL"),
    ),
    sqlite_autoincrement=True,
)

tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("level", SmallInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "number"),
)
"""The Merkle tree over the events in their order: every complete subtree's hash, see `agrocredit.store.audit`."""

faults = Table(
    "faults",
    metadata,
    Column("code", Text, primary_key=True),
    Column("detail", Text, nullable=False),
    Column("found_at", Instant, nullable=False),
)
"""What `verify` found; while a row stands here, no money moves."""
