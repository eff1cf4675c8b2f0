"""What people do, kept in SQL: plots, decisions, loans and the ledger, on SQLite or PostgreSQL with PostGIS.

``database`` opens one and gives transactions, ``schema`` brings it up to date, ``tables`` names what is in it. The
other modules are one noun each and take a `Session`; none of them commits.
"""

from __future__ import annotations

from agrocredit.store.sql.database import Database, open_database
from agrocredit.store.sql.schema import check_schema, upgrade
from agrocredit.store.sql.session import Session

__all__ = ["Database", "Session", "check_schema", "open_database", "upgrade"]
