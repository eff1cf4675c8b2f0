"""From a credential to a caller: API keys by their hash from the database, farmer tokens by their signature."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from agrocredit.service import farmer_tokens
from agrocredit.service.api_keys import key_hash, looks_like_key
from agrocredit.service.caller import Caller
from agrocredit.service.problems import Problem
from agrocredit.service.route_table import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agrocredit.service.rate_limits import RateLimit
    from agrocredit.service.secrets_file import Secrets
    from agrocredit.service.workers import Workers

KNOWN_SECONDS = 0.5
"""A revoked credential is refused after so long at most."""
_KNOWN_MAX = 10_000
_TENANT_HEADERS = (b"x-tenant", b"x-tenant-id", b"fineract-platform-tenantid")


class CredentialStore(Protocol):
    """What the database knows of credentials."""

    def caller_of_key(self, hashed: bytes) -> Caller | None:
        """Return whose key this is; None for an unknown or revoked one."""
        ...

    def token_in_force(self, token: farmer_tokens.FarmerToken) -> bool:
        """Say whether a token that this server signed still stands."""
        ...


class Callers:
    """Finds callers, remembering each credential for a moment."""

    def __init__(
        self,
        store: CredentialStore,
        *,
        secrets: Secrets,
        workers: Workers,
        guesses: RateLimit,
        clock: Callable[[], float],
        now_s: Callable[[], float],
    ) -> None:
        self._store, self._secrets, self._workers = store, secrets, workers
        self._guesses, self._clock, self._now_s = guesses, clock, now_s
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Caller | None]] = {}

    async def find(self, headers: Mapping[bytes, bytes], *, address: str) -> Caller:
        """Return who is calling.

        Parameters
        ----------
        headers : mapping
            Lower-case names.
        address : str
            Of the peer, as the socket says; forwarding headers are not believed.

        Raises
        ------
        Problem
            ``token_invalid``, ``tenant_mismatch`` or ``rate_limited``.
        """
        credential = _bearer(headers.get(b"authorization", b""))
        known = self._known.get(credential)
        if known is not None and self._clock() < known[1]:
            caller = known[0]
        else:
            caller = await self._look_up(credential, address=address)
        for name in _TENANT_HEADERS:
            claimed = headers.get(name)
            if claimed is not None and claimed != caller.tenant_id.encode():
                detail = "the credential is of another tenant than the header names"
                raise Problem("tenant_mismatch", detail, field=name.decode())
        return caller

    async def _look_up(self, credential: str, *, address: str) -> Caller:
        self._guesses.check(address)
        caller = await self._ask(credential)
        if caller is None:
            self._guesses.take(address)
            raise Problem(
                "token_invalid", "no key or token in force, expected Authorization: Bearer", field="Authorization"
            )
        return caller

    async def _ask(self, credential: str) -> Caller | None:
        """Return who has a credential; of many requests with one that is not remembered any more, the first asks."""
        asked = self._asked.get(credential)
        if asked is None:
            asked = self._asked[credential] = asyncio.create_task(self._stored(credential))
            asked.add_done_callback(lambda done: self._answered(credential, done))
        return await asyncio.shield(asked)  # one that gives up must not take the answer from the others

    def _answered(self, credential: str, done: asyncio.Task[Caller | None]) -> None:
        del self._asked[credential]
        if not done.cancelled():
            done.exception()  # asked for: whoever waited has it, and where nobody did any more, nobody need hear

    async def _stored(self, credential: str) -> Caller | None:
        if looks_like_key(credential):
            hashed = key_hash(credential, pepper=self._secrets.pepper)
            caller = await self._workers.run(lambda: self._store.caller_of_key(hashed), urgent=True)
        else:
            caller = await self._of_token(credential) if credential.count(".") == 2 else None
        if caller is not None:
            self._known[credential] = (caller, self._clock() + KNOWN_SECONDS)
            self._known.move_to_end(credential)
            if len(self._known) > _KNOWN_MAX:
                self._known.popitem(last=False)
        return caller

    async def _of_token(self, credential: str) -> Caller | None:
        try:
            token = farmer_tokens.read(credential, now_s=self._now_s(), signing_key=self._secrets.signing_key)
        except Problem:
            return None
        if not await self._workers.run(lambda: self._store.token_in_force(token), urgent=True):
            return None
        subject = f"farmer:{token.farmer_id}"
        return Caller(tenant_id=token.tenant_id, role=Role.FARMER, subject=subject, farmer_id=token.farmer_id)


def _bearer(header: bytes) -> str:
    kind, _, credential = header.partition(b" ")
    if kind.lower() != b"bearer":
        return ""
    return credential.strip().decode("latin-1")
