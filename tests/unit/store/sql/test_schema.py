import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from agrocredit.domain.errors import AgrocreditError
from agrocredit.store.sql import check_schema, open_database, upgrade
from agrocredit.store.sql.tables import TENANT_TABLES, metadata


def test_upgrading_twice_changes_nothing(database):
    assert upgrade(database) == ("0001", "0001")
    check_schema(database)


@pytest.mark.filterwarnings("ignore:Did not recognize type 'geometry'")
def test_the_migrations_make_the_tables_that_are_declared(database):
    ours = {table.name for table in metadata.sorted_tables}

    def include(thing, name, kind, _reflected, _other):
        table = name if kind == "table" else thing.table.name
        return table in ours and name not in {"geometry", "ix_plots_geometry"}

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": include, "compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_a_login_needs_the_two_roles_and_nothing_more(cluster, postgresql_url):
    cluster.execute("DROP ROLE IF EXISTS clerk")
    cluster.execute("CREATE ROLE clerk LOGIN NOINHERIT IN ROLE agrocredit_app, agrocredit_overseer")
    database = open_database(postgresql_url.replace("postgres@", "clerk@"))
    check_schema(database)
    with database.oversee() as connection:
        connection.execute(text("INSERT INTO tenants (id, name, created_at) VALUES ('a', 'a', now())"))
    with database.write("a") as session:
        session.connection.execute(text("INSERT INTO farmers (tenant_id, id, created_at) VALUES ('a', 'f', now())"))
    with pytest.raises(ProgrammingError, match="permission denied"), database.engine.connect() as connection:
        connection.execute(text("SELECT * FROM farmers"))
    database.close()


def test_an_empty_database_is_refused_with_what_to_do(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(
        AgrocreditError, match="storage_unavailable: schema none, expected 0001: run agrocredit db upgrade"
    ):
        check_schema(database)


def test_row_security_is_forced_on_every_table_of_a_lender(postgresql):
    query = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    with postgresql.engine.connect() as connection:
        forced = set(connection.execute(query).scalars())
    assert forced >= {table.name for table in TENANT_TABLES} | {"tenants"}


def test_a_transaction_takes_a_role_that_neither_owns_nor_passes_row_security(postgresql):
    query = text("SELECT rolsuper OR rolbypassrls OR rolcanlogin FROM pg_roles WHERE rolname = current_user")
    owned = text(
        "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    )
    with postgresql.write("lender") as session, postgresql.oversee() as connection:
        for each in (session.connection, connection):
            assert each.execute(query).scalar() is False
            assert each.execute(owned).scalar() == 0
