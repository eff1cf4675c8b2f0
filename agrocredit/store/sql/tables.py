"""Every table of the store by name, and which of them belong to lenders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.store.sql.columns import metadata
from agrocredit.store.sql.tables_decisions import applications, decisions, limits
from agrocredit.store.sql.tables_estimates import estimates, observations
from agrocredit.store.sql.tables_farmers import consents, farmers, persons
from agrocredit.store.sql.tables_loans import entries, loans, movements
from agrocredit.store.sql.tables_plots import holdings, pledges, plots
from agrocredit.store.sql.tables_service import events, faults, idempotency, tree_nodes
from agrocredit.store.sql.tables_tenants import api_keys, farmer_tokens, tenants

if TYPE_CHECKING:
    from sqlalchemy import Table

__all__ = [
    "APPEND_ONLY",
    "TENANT_TABLES",
    "api_keys",
    "applications",
    "consents",
    "decisions",
    "entries",
    "estimates",
    "events",
    "farmer_tokens",
    "farmers",
    "faults",
    "holdings",
    "idempotency",
    "limits",
    "loans",
    "metadata",
    "movements",
    "observations",
    "persons",
    "pledges",
    "plots",
    "tenants",
    "tree_nodes",
]

TENANT_TABLES: tuple[Table, ...] = tuple(table for table in metadata.sorted_tables if "tenant_id" in table.c)
"""Tables of which a lender sees only its own rows."""
APPEND_ONLY: tuple[Table, ...] = (movements, entries, events, tree_nodes)
"""Tables whose rows are never changed or deleted; an event is given its position once."""
