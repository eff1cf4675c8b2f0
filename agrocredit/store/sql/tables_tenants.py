"""Lenders on the platform, the keys of their systems, and the tokens those systems asked for on a farmer's behalf."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from agrocredit.store.sql.columns import Instant, belongs_to, metadata, one_of, row_id, tenant_id

KEY_ROLES = ("lender", "agent", "analyst", "regulator")

tenants = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),  # business dates are counted in it
    Column("allocation", Text, nullable=False, server_default="fees,interest,principal"),  # what a payment meets first
    Column("created_at", Instant, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    tenant_id(),
    row_id(),
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("secret_hash", LargeBinary, nullable=False),  # of the key; the key itself is shown once and kept nowhere
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    one_of("role", KEY_ROLES),
    Index("uq_api_keys_secret_hash", "secret_hash", unique=True),
)

farmer_tokens = Table(
    "farmer_tokens",
    metadata,
    tenant_id(),
    row_id(),
    Column("farmer_id", Text, nullable=False),
    Column("issued_by", Text, nullable=False),  # the key whose holder asked for it
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    belongs_to("farmers", "farmer_id"),
)
