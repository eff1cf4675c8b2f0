"""Farmers: an id, sealed personal fields under a key of their own, and what they consented to."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from agrocredit.store.sql.columns import Instant, belongs_to, metadata, row_id, tenant_id

farmers = Table(
    "farmers",
    metadata,
    tenant_id(),
    row_id(),
    Column("region_id", Text),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index("ix_farmers_region", "tenant_id", "region_id"),
)

persons = Table(
    "persons",
    metadata,
    tenant_id(),
    Column("farmer_id", Text, nullable=False),
    Column("master_key", Text),  # name of the master key that wraps the person's
    Column("wrapped_key", LargeBinary),  # destroyed when the person is forgotten
    Column("name_sealed", LargeBinary),
    Column("phone_sealed", LargeBinary),
    Column("national_id_sealed", LargeBinary),
    Column("phone_index", LargeBinary),  # keyed hash: equal phones are found without being read
    Column("national_id_index", LargeBinary),
    Column("erased_at", Instant),
    PrimaryKeyConstraint("tenant_id", "farmer_id"),
    belongs_to("farmers", "farmer_id"),
    CheckConstraint(
        "erased_at IS NULL OR (wrapped_key IS NULL AND phone_index IS NULL AND national_id_index IS NULL)",
        name="erased_whole",
    ),
    Index("ix_persons_phone", "tenant_id", "phone_index"),
    Index("ix_persons_national_id", "tenant_id", "national_id_index"),
)

consents = Table(
    "consents",
    metadata,
    tenant_id(),
    row_id(),
    Column("farmer_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    belongs_to("farmers", "farmer_id"),
    CheckConstraint("expires_at > given_at", name="expires_later"),
    Index("ix_consents_farmer", "tenant_id", "farmer_id", "purpose"),
)
