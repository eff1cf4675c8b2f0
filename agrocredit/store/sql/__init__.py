"""What people do, kept in SQL: plots, decisions, loans and the ledger, on SQLite or PostgreSQL with PostGIS."""
