"""From the framework's complaints to problems: the first one, by code, place and value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agrocredit.service.problems import STATUS, Problem
from agrocredit.service.strict_json import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {"extra_forbidden": "field_not_allowed", "missing": "field_missing"}
_NEVER_SHOWN = frozenset({"extra_forbidden", "personal_data_invalid"})
"""Complaints about values that may be a person's: what stands in a field we do not know may be anything."""
_SHOWN_CHARACTERS = 60


def problem_of_errors(errors: Sequence[Any]) -> Problem:
    """Return the problem of a request that its model refused.

    Parameters
    ----------
    errors : sequence of dict
        As pydantic lists them.
    """
    error = min(errors, key=_rank)
    place = tuple(error["loc"])
    in_body = bool(place) and place[0] == "body"
    kind = str(error["type"])
    code = kind if kind in STATUS else _CODES.get(kind, "field_invalid" if in_body else "parameter_invalid")
    field = "".join(f"/{escaped(str(part))}" for part in place[1:]) if in_body else str(place[-1])
    shown = "" if kind in _NEVER_SHOWN else _shown(error.get("input"))
    return Problem(code, f"{shown}{error['msg']}", field=field)


def _rank(error: Any) -> int:  # noqa: ANN401 - pydantic's own record
    """Complain first of what should not be there: a caller who sets a limit or a tenant must hear of that."""
    return 0 if error["type"] == "extra_forbidden" else 1


def _shown(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    text = repr(value)
    return f"found {text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + '...'}; "
