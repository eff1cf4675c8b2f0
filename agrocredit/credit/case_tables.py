"""The tables that decisions of a region rest on, in one record: every question of the room starts from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pyarrow as pa

    from agrocredit.credit.policy import CreditPolicy
    from agrocredit.credit.terms import PolicyInForce
    from agrocredit.domain.crop import Crop


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTables:
    """What is known of a region's farmers on one day, and the policy that decides."""

    estimates: pa.Table
    """`agrocredit.domain.tables.ESTIMATES`: yields in t/ha. Estimates of later days than `as_of` are refused."""
    plots: Any
    """A pyarrow table or a (geo)pandas frame with ``plot_id``, ``area_m2`` (geodesic), ``latitude_deg``; optional
    ``declared_area_m2`` and ``farmer_id``. A plot without a farmer is its own farmer, named by the ``plot_id``."""
    policy: CreditPolicy
    """From `load_policy`; its terms of `as_of` decide."""
    crops: Mapping[str, Crop]
    """Calendars by crop name."""
    as_of: date
    """Day of the decision."""
    holdings: pa.Table | None = None
    """`agrocredit.domain.tables.HOLDINGS`: who farms a plot, with what share and grade of evidence. A plot that no
    holding names is held by its ``farmer_id`` alone, drawn only (grade C)."""
    finances: pa.Table | None = None
    """`agrocredit.domain.tables.FINANCES`, minor units. Left out: the lender has nothing on record and zeros count.
    Given: a farmer who is not in it, or only in part, is referred."""
    previous: pa.Table | None = None
    """`agrocredit.domain.tables.DECISIONS` of an earlier day: the limits in force, which are raised at once and cut
    only after two clear looks, see `in_force`."""

    def terms(self) -> PolicyInForce:
        """Return the policy as it stands on the day of the decision.

        Raises
        ------
        InputUnusableError
            ``policy_not_in_force``.
        """
        return self.policy.on(self.as_of)
