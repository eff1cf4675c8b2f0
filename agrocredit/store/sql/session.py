"""A transaction bound to one tenant: every statement made here names the tenant, on either database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Delete, Insert, RowMapping, Select, Update, bindparam, delete, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Executable, Table

_OWN = "own_tenant_id"


def prepared(table: Table, *columns: ColumnElement[Any] | Table) -> Select[Any]:
    """Return a query of one tenant's rows for `Session.ask`; all columns where none is named.

    Made once and asked often: to build a statement takes longer than SQLite takes to answer it.
    """
    return select(*(columns or (table,))).where(table.c.tenant_id == bindparam(_OWN))


@dataclass(frozen=True, slots=True)
class Session:
    """A connection inside a transaction that its caller owns. Nothing here commits."""

    connection: Connection
    tenant_id: str

    def select(self, table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
        """Return a query of the tenant's rows of a table; all columns where none is named."""
        return select(*(columns or (table,))).where(table.c.tenant_id == self.tenant_id)

    def insert(self, table: Table, **values: Any) -> Insert:  # noqa: ANN401  a column's value
        """Return the insertion of one row of the tenant."""
        return insert(table).values(tenant_id=self.tenant_id, **values)

    def update(self, table: Table) -> Update:
        """Return a change of the tenant's rows of a table."""
        return update(table).where(table.c.tenant_id == self.tenant_id)

    def delete(self, table: Table) -> Delete:
        """Return a deletion of the tenant's rows of a table."""
        return delete(table).where(table.c.tenant_id == self.tenant_id)

    def add(self, table: Table, **values: Any) -> None:  # noqa: ANN401  a column's value
        """Insert one row of the tenant."""
        self.connection.execute(_insertion(table), {**values, "tenant_id": self.tenant_id})

    def add_unless_there(self, table: Table, **values: Any) -> bool:  # noqa: ANN401  a column's value
        """Insert one row of the tenant unless its key is taken; say whether it was inserted.

        Under PostgreSQL this waits for a transaction that is inserting the same key, and then knows how that one ended.
        """
        dialect = postgresql if self.connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table).values(tenant_id=self.tenant_id, **values).on_conflict_do_nothing()
        return self.connection.execute(statement.returning(literal(1))).first() is not None

    def add_all(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows of the tenant in one go."""
        if rows:
            self.connection.execute(_insertion(table), [{**row, "tenant_id": self.tenant_id} for row in rows])

    def ask(self, query: Select[Any], **named: Any) -> list[RowMapping]:  # noqa: ANN401  a value to compare with
        """Return the rows of a `prepared` query of the tenant, its parameters by name."""
        return list(self.connection.execute(query, {**named, _OWN: self.tenant_id}).mappings())

    def rows(self, statement: Executable) -> list[RowMapping]:
        """Return the rows of a query, as mappings from column names."""
        return list(self.connection.execute(statement).mappings())

    def row(self, statement: Executable) -> RowMapping | None:
        """Return the first row of a query, or None."""
        return self.connection.execute(statement).mappings().first()

    def found(self, table: Table, row_id: str) -> RowMapping:
        """Return the tenant's row with this id.

        Raises
        ------
        RefusedError
            ``not_found``: the same for an unknown id and for another tenant's.
        """
        rows = self.ask(_by_id(table), row_id=row_id)
        if not rows:
            raise not_found(table)
        return rows[0]

    def changed(self, statement: Insert | Update | Delete) -> int:
        """Run a change and return how many rows it reached."""
        return self.connection.execute(statement).rowcount


@cache
def _insertion(table: Table) -> Insert:
    return insert(table)


@cache
def _by_id(table: Table) -> Select[Any]:
    return prepared(table).where(table.c.id == bindparam("row_id"))


def not_found(table: Table) -> RefusedError:
    """Return the one answer about a row that is not there for this tenant, whoever else may have it."""
    return RefusedError("not_found", f"no such {table.name.removesuffix('s')}, expected an id of your own")
