"""``agrocredit verify``, ``close-day`` and ``db upgrade``: the care of a service's database."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json, iso_date
from agrocredit.cli.service_options import ServiceDatabase

if TYPE_CHECKING:
    from datetime import datetime

    from agrocredit.domain.summary import Summary
    from agrocredit.store.sql import Database

db_app = typer.Typer(help="The service's database.", no_args_is_help=True)


@db_app.command()
def upgrade(database: ServiceDatabase, as_json: Json = False) -> None:
    """Bring the database to the schema of this version; several at once do it once."""
    answer(lambda _: _upgraded(database), as_json=as_json)


def verify(
    database: ServiceDatabase,
    against: Annotated[Path | None, typer.Option(help="Signed head of the log that was kept outside.")] = None,
    head: Annotated[Path | None, typer.Option(help="Where to write a signed head, if all is well.")] = None,
    as_json: Json = False,
) -> None:
    """Check every invariant of ledger and log; while a fault stands, no money moves."""
    answer(lambda _: _verified(database, against=against, head=head), as_json=as_json)


def close_day(
    database: ServiceDatabase,
    on: Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="Business date that has ended.")],
    as_json: Json = False,
) -> None:
    """Post interest through a business date and move loans on; any number of times."""
    answer(lambda _: _closed(database, on), as_json=as_json)


def _upgraded(url: str) -> Summary:
    from agrocredit.domain.summary import Summary
    from agrocredit.store.sql import open_database, upgrade

    database = open_database(url)
    before, after = upgrade(database)
    return Summary(counts={"changed": int(before != after)}, facts={"before": before, "after": after})


def _verified(url: str, *, against: Path | None, head: Path | None) -> Summary:
    from agrocredit.service.lending.verify import verify as verified
    from agrocredit.store.audit import read_head

    database, at = ready(url), now()
    summary = verified(database, at=at, against=None if against is None else read_head(against))
    if head is not None and not summary.failed_checks:
        from agrocredit.cli.service_options import service_secrets
        from agrocredit.store.atomic import write_bytes
        from agrocredit.store.sql.sealing import signed_head

        write_bytes(signed_head(database, key=service_secrets(url).head_key(), at=at).as_json(), head)
    return summary


def _closed(url: str, on: date) -> Summary:
    from dataclasses import asdict

    from agrocredit.domain.summary import Summary
    from agrocredit.service.lending.close_day import close_day as closed

    return Summary(counts=asdict(closed(ready(url), on=on, at=now())))


def ready(url: str) -> Database:
    """Return a database whose schema is this version's."""
    from agrocredit.store.sql import check_schema, open_database

    database = open_database(url)
    check_schema(database)
    return database


def now() -> datetime:
    """Return the instant; commands are the only place here that reads a clock."""
    from datetime import UTC, datetime

    return datetime.now(tz=UTC)
