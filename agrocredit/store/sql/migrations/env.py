"""Alembic's entry: runs the migrations on the connection that `schema.upgrade` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from agrocredit.store.sql.columns import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
