"""The one declaration of every route: who may call it, under which scope, how large a body, and whether it moves money.

The app is built from code and checked against this table by a test; a route that stands in only one of the two fails.
The gate reads nothing else to decide who comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_KIB = 1_024


class Role(StrEnum):
    """Who calls."""

    LENDER = "lender"
    """A lender's own system."""
    AGENT = "agent"
    """A field agent: registers plots and applies for farmers, moves no money."""
    ANALYST = "analyst"
    """Sees regions, nobody in them."""
    REGULATOR = "regulator"
    """Reads and checks, writes nothing."""
    FARMER = "farmer"
    """One farmer with a short-lived token; sees and moves only what is theirs."""


KEY_ROLES = (Role.LENDER, Role.AGENT, Role.ANALYST, Role.REGULATOR)
"""Roles an API key can have; a farmer comes with a token that a lender's system asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation."""

    method: str
    path: str
    """Template with ``{names}`` of one segment each."""
    scope: str
    """What it lets one do, ``noun:verb``; empty for a public route."""
    roles: frozenset[Role] = frozenset()
    """Roles that hold the scope; empty for a public route."""
    body_bytes_max: int = 0
    """Largest body; 0 for none."""
    idempotent: bool = False
    """Moves money: needs an ``Idempotency-Key``."""
    query: frozenset[str] = frozenset()
    """Parameters it takes; any other is refused."""

    @property
    def public(self) -> bool:
        """Whether it is open to callers without a credential."""
        return not self.scope


_EVERYBODY_OF_A_FARM = frozenset({Role.LENDER, Role.AGENT, Role.FARMER})
_READERS_OF_A_FARM = _EVERYBODY_OF_A_FARM | {Role.REGULATOR}
_BORROWER = frozenset({Role.LENDER, Role.FARMER})
_BORROWER_AND_REGULATOR = _BORROWER | {Role.REGULATOR}


def _get(path: str, scope: str, roles: frozenset[Role], *, query: tuple[str, ...] = ()) -> Route:
    return Route(method="GET", path=path, scope=scope, roles=roles, query=frozenset(query))


def _post(path: str, scope: str, roles: frozenset[Role], *, kib: int, idempotent: bool = False) -> Route:
    return Route(method="POST", path=path, scope=scope, roles=roles, body_bytes_max=kib * _KIB, idempotent=idempotent)


def _put(path: str, scope: str, roles: frozenset[Role], *, kib: int) -> Route:
    return Route(method="PUT", path=path, scope=scope, roles=roles, body_bytes_max=kib * _KIB)


def _delete(path: str, scope: str, roles: frozenset[Role]) -> Route:
    return Route(method="DELETE", path=path, scope=scope, roles=roles)


ROUTES: tuple[Route, ...] = (
    Route(method="GET", path="/healthz", scope=""),
    Route(method="GET", path="/readyz", scope=""),
    Route(method="GET", path="/metrics", scope=""),
    Route(method="GET", path="/v1/openapi.json", scope=""),
    _post("/v1/plots", "plots:write", _EVERYBODY_OF_A_FARM, kib=256),
    _get("/v1/plots/{plot_id}", "plots:read", _READERS_OF_A_FARM),
    _get("/v1/plots/{plot_id}/observations", "plots:read", _READERS_OF_A_FARM),
    _get("/v1/plots/{plot_id}/estimate", "plots:read", _READERS_OF_A_FARM),
    _get("/v1/farmers/{farmer_id}/limit", "limits:read", _EVERYBODY_OF_A_FARM),
    _put("/v1/farmers/{farmer_id}/person", "persons:write", _EVERYBODY_OF_A_FARM, kib=4),
    _get("/v1/farmers/{farmer_id}/person", "persons:read", _BORROWER),
    _delete("/v1/farmers/{farmer_id}/person", "persons:erase", _BORROWER),
    _post("/v1/farmers/{farmer_id}/consents", "consents:write", _EVERYBODY_OF_A_FARM, kib=4),
    _get("/v1/farmers/{farmer_id}/consents", "consents:read", _READERS_OF_A_FARM),
    _delete("/v1/farmers/{farmer_id}/consents/{consent_id}", "consents:write", _EVERYBODY_OF_A_FARM),
    _post("/v1/limits/lookup", "limits:list", frozenset({Role.LENDER}), kib=256),
    _post("/v1/applications", "applications:write", _EVERYBODY_OF_A_FARM, kib=16),
    _get("/v1/applications/{application_id}", "applications:read", _READERS_OF_A_FARM),
    _get("/v1/decisions/{decision_id}", "decisions:read", _READERS_OF_A_FARM),
    _get("/v1/decisions/{decision_id}/explanation", "decisions:read", _READERS_OF_A_FARM, query=("language",)),
    _get("/v1/decisions/{decision_id}/replay", "decisions:replay", frozenset({Role.LENDER, Role.REGULATOR})),
    _get("/v1/decisions/{decision_id}/fineract-loan-application", "decisions:export", frozenset({Role.LENDER})),
    _post("/v1/loans", "loans:open", _BORROWER, kib=4, idempotent=True),
    _get("/v1/loans/{loan_id}", "loans:read", _BORROWER_AND_REGULATOR),
    _post("/v1/loans/{loan_id}/draws", "loans:move", _BORROWER, kib=4, idempotent=True),
    _post("/v1/loans/{loan_id}/repayments", "loans:move", _BORROWER, kib=4, idempotent=True),
    _post("/v1/loans/{loan_id}/reversals", "loans:reverse", frozenset({Role.LENDER}), kib=4, idempotent=True),
    _get(
        "/v1/regions/{region_id}/summary",
        "regions:read",
        frozenset({Role.ANALYST, Role.LENDER, Role.REGULATOR}),
        query=("season",),
    ),
    _get("/v1/events", "events:read", frozenset({Role.REGULATOR}), query=("after", "limit")),
    _get("/v1/audit", "audit:read", frozenset({Role.REGULATOR}), query=("after", "limit")),
    _get("/v1/audit/head", "audit:read", frozenset({Role.REGULATOR})),
    _get("/v1/audit/inclusion", "audit:read", frozenset({Role.REGULATOR}), query=("position", "size")),
    _get("/v1/audit/consistency", "audit:read", frozenset({Role.REGULATOR}), query=("old_size", "new_size")),
    _post("/v1/farmer-tokens", "farmer-tokens:write", frozenset({Role.LENDER}), kib=4),
)
"""Every operation there is."""
