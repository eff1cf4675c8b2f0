"""The log for those who check it: entries as they were hashed, signed heads, and proofs that need no trust in us."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from agrocredit.service.fields import Answer
from agrocredit.service.platform import PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.audit import consistency_proof, inclusion_proof, leaf_hash, root
from agrocredit.store.sql.audit_entry import entry_bytes
from agrocredit.store.sql.failures import StorageError
from agrocredit.store.sql.sealing import log_size, node_lookup, seal, signed_head
from agrocredit.store.sql.tables import events

if TYPE_CHECKING:
    from agrocredit.service.platform import Platform

router = APIRouter(route_class=StrictRoute, tags=["audit"])
ENTRIES_MAX = 1_000
_COUNT_MAX = 2**53
Count = Annotated[int, Query(ge=1, le=_COUNT_MAX)]


class Entry(Answer):
    """One entry of the log."""

    position: int
    entry: str
    """Canonical JSON: the very text that was hashed."""
    leaf_sha256: str
    """SHA-256 of a zero byte and the entry."""


class Entries(Answer):
    """Entries behind a place, and the place to go on from."""

    entries: list[Entry]
    next_after: int


class Head(Answer):
    """A signed statement of size and root, to be kept where we cannot reach it."""

    log: str
    size: int
    root: str
    signed_at: str
    public_key: str
    signature: str


class Inclusion(Answer):
    """The hashes that lead from an entry to the root of a log of this size, lowest first (RFC 9162, 2.1.3)."""

    position: int
    size: int
    leaf_sha256: str
    root: str
    proof: list[str]


class Consistency(Answer):
    """The hashes that show that a log of the new size begins with one of the old size (RFC 9162, 2.1.4)."""

    old_size: int
    old_root: str
    new_size: int
    new_root: str
    proof: list[str]


@router.get("/v1/audit")
async def list_entries(
    platform: PlatformDep,
    after: Annotated[int, Query(ge=0, le=_COUNT_MAX, description="the last position the reader has")] = 0,
    limit: Annotated[int, Query(ge=1, le=ENTRIES_MAX)] = 100,
) -> Entries:
    """Read the log behind a position; an empty list means that all of it is read."""

    def work() -> Entries:
        seal(platform.database)
        query = select(events).where(events.c.position > after).order_by(events.c.position).limit(limit)
        with platform.database.oversee(read_only=True) as connection:
            rows = list(connection.execute(query).mappings())
        found = [_entry(row["position"], entry_bytes(row, position=row["position"])) for row in rows]
        return Entries(entries=found, next_after=found[-1].position if found else after)

    return await platform.workers.run(work)


@router.get("/v1/audit/head")
async def read_head(platform: PlatformDep) -> Head:
    """Sign the log as it stands. Whoever keeps this can prove any later change of what it covers."""

    def work() -> Head:
        seal(platform.database)
        signed = signed_head(platform.database, key=platform.secrets.head_key(), at=platform.now())
        return Head.model_validate(signed, from_attributes=True)

    return await platform.workers.run(work)


@router.get("/v1/audit/inclusion")
async def prove_inclusion(platform: PlatformDep, position: Count, size: Count) -> Inclusion:
    """Prove that an entry is in the log as it stood at a size."""

    def work() -> Inclusion:
        with platform.database.oversee(read_only=True) as connection:
            _check_order(position, size, log_size(connection))
            node = node_lookup(connection)
            return Inclusion(
                position=position,
                size=size,
                leaf_sha256=node(0, position - 1).hex(),
                root=root(size, node=node).hex(),
                proof=_hex(inclusion_proof(position - 1, size, node=node)),
            )

    return await platform.workers.run(work)


@router.get("/v1/audit/consistency")
async def prove_consistency(platform: PlatformDep, old_size: Count, new_size: Count) -> Consistency:
    """Prove that the log has only grown from one size to another."""

    def work() -> Consistency:
        with platform.database.oversee(read_only=True) as connection:
            _check_order(old_size, new_size, log_size(connection))
            node = node_lookup(connection)
            return Consistency(
                old_size=old_size,
                old_root=root(old_size, node=node).hex(),
                new_size=new_size,
                new_root=root(new_size, node=node).hex(),
                proof=_hex(consistency_proof(old_size, new_size, node=node)),
            )

    return await platform.workers.run(work)


async def keep_sealing(platform: Platform, *, pause_s: float = 1.0) -> None:
    """Seal what is committed, again and again, so that nothing stands outside the tree for long.

    A database that is away is not waited for: the next turn finds what this one could not seal.
    """
    while True:
        with suppress(StorageError, Problem):
            await platform.workers.run(lambda: seal(platform.database))
        await asyncio.sleep(pause_s)


def _check_order(lower: int, upper: int, size: int) -> None:
    if not lower <= upper <= size:
        raise Problem("parameter_invalid", f"{lower} and {upper} do not follow one another in a log of {size} entries")


def _entry(position: int, entry: bytes) -> Entry:
    return Entry(position=position, entry=entry.decode(), leaf_sha256=leaf_hash(entry).hex())


def _hex(hashes: list[bytes]) -> list[str]:
    return [value.hex() for value in hashes]
