"""What the commands of the service share: where its database lies, and the secrets that go with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agrocredit.service.secrets_file import Secrets
    from agrocredit.store.sql import Database

EMBEDDED = "sqlite:///build/service/agrocredit.db"
"""The database of whoever names none."""
SNAPSHOTS = Path("build/service/snapshots")
ServiceDatabase = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="AGROCREDIT_DATABASE",
        help="sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME.",
    ),
]
Snapshots = Annotated[
    Path, typer.Option(envvar="AGROCREDIT_SNAPSHOTS", help="Folder of the limits published for look-ups.")
]
Tenant = Annotated[str, typer.Option(metavar="ID", help="The lender.")]


def ready_database(url: str) -> Database:
    """Return the database behind a URL with the schema of this version; one that is a file is made and brought there.

    Raises
    ------
    AgrocreditError
        If the database is no file and its schema is of another version: ``agrocredit db upgrade`` changes it.
    """
    from agrocredit.store.sql import check_schema, open_database, upgrade

    file = database_file(url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    database = open_database(url)
    if file is None:
        check_schema(database)
    else:
        upgrade(database)
    return database


def service_secrets(url: str) -> Secrets:
    """Return the secrets from the environment, or from the file beside a database that is a file."""
    from agrocredit.service.secrets_file import secrets_of

    file = database_file(url)
    return secrets_of(file=None if file is None else file.with_suffix(".secrets"))


def database_file(url: str) -> Path | None:
    """Return the file of an embedded database, None for a server's."""
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None
