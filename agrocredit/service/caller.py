"""Who is calling: the tenant, the role and the subject that a credential stands for; nothing a header says besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.service.problems import Problem
from agrocredit.service.route_table import Role

if TYPE_CHECKING:
    from agrocredit.service.route_table import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One credential's holder."""

    tenant_id: str
    role: Role
    subject: str
    """The key's id, or the token's farmer: what idempotency keys and rates are counted by."""
    farmer_id: str | None = None
    """The one farmer that a farmer's token is for."""

    def __post_init__(self) -> None:
        if (self.role is Role.FARMER) != (self.farmer_id is not None):
            msg = f"a {self.role} with farmer {self.farmer_id}"
            raise ValueError(msg)

    def may(self, route: Route) -> None:
        """Raise ``scope_missing`` unless the caller's role holds the route's scope."""
        if self.role not in route.roles:
            raise Problem("scope_missing", f"role {self.role} does not hold scope {route.scope}")

    def owns(self, farmer_id: str | None) -> bool:
        """Say whether the caller may see what belongs to a farmer; a farmer sees only their own."""
        return self.farmer_id is None or self.farmer_id == farmer_id
