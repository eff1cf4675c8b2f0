"""Alembic's migrations, shipped with the package: one file a change of the schema, never edited once released."""
