"""The first schema: tables as they are declared, and the guards of each database.

Until the first release this is the only migration, and it is edited with the tables; afterwards it is frozen.
"""

from __future__ import annotations

from alembic import op

from agrocredit.store.sql.guards import postgresql_guards, sqlite_guards
from agrocredit.store.sql.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    connection = op.get_bind()
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS postgis")
    metadata.create_all(connection)
    for statement in postgresql_guards() if postgresql else sqlite_guards():
        connection.exec_driver_sql(
            statement.replace("%", "%%") if postgresql else statement
        )  # the driver's placeholder
