"""Credentials in the database, as `callers` asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.service.caller import Caller
from agrocredit.service.route_table import Role
from agrocredit.store.sql.credentials import key_in_force, token_in_force

if TYPE_CHECKING:
    from agrocredit.service.farmer_tokens import FarmerToken
    from agrocredit.store.sql.database import Database


class CredentialStore:
    """Looks keys up over all tenants, since a key says whose it is; tokens within theirs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def caller_of_key(self, hashed: bytes) -> Caller | None:
        """Return whose key this is; None for an unknown or revoked one."""
        with self._database.oversee(read_only=True) as connection:
            row = key_in_force(connection, hashed)
        return None if row is None else Caller(tenant_id=row["tenant_id"], role=Role(row["role"]), subject=row["id"])

    def token_in_force(self, token: FarmerToken) -> bool:
        """Say whether a token that this server signed still stands."""
        with self._database.read(token.tenant_id) as session:
            return token_in_force(session, token.token_id, farmer_id=token.farmer_id)
