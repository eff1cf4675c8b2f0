"""How values stand in both databases: money in whole minor units, instants in UTC, ids as text, tenants everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKeyConstraint, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator

from agrocredit.domain.money import MINOR_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table. Names of constraints are the same in both databases, since errors are told apart by them."""

Minor = BigInteger
"""Money: integer minor units. SQLite keeps ``NUMERIC(18,2)`` as a float and loses cents."""

Sequence = BigInteger().with_variant(Integer, "sqlite")
"""A number the database counts up; SQLite counts only what it knows as INTEGER."""


class Instant(TypeDecorator[datetime]):
    """An instant, always with its zone in Python; SQLite keeps it as text in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the instant in UTC; one without a zone is our own mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"instant {value} has no zone"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the instant with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def tenant_id() -> Column[str]:
    """Return the column that row security looks at; the first of every key of a lender's table."""
    return Column("tenant_id", Text, nullable=False)


def row_id() -> Column[str]:
    """Return the column of a row's own id, unique within its tenant."""
    return Column("id", Text, nullable=False)


def belongs_to(table: str, column: str) -> ForeignKeyConstraint:
    """Return a reference to another row of the same tenant; across tenants there is none."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"])


def one_of(column: str, values: Iterable[Any]) -> CheckConstraint:
    """Return the check that a column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def currency_known() -> CheckConstraint:
    """Return the check that a currency has a known minor unit."""
    return one_of("currency", MINOR_DIGITS)
