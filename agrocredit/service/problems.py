"""Problems: every error as RFC 9457 ``application/problem+json``, its status from one table.

Rooms raise errors with codes and know no HTTP; here a code becomes a status. Nothing leaves but the code, one line of
detail, the field and the trace id: no stack, no SQL, no path.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from agrocredit.domain.errors import AgrocreditError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_JSON = "application/problem+json"

_CODES_BY_STATUS: dict[int, tuple[str, ...]] = {
    400: ("json_invalid", "request_invalid", "idempotency_key_required"),
    401: ("token_invalid",),
    403: ("scope_missing", "tenant_mismatch"),
    404: ("not_found",),
    405: ("method_not_allowed",),
    408: ("request_timeout",),
    409: (
        "already_reversed",
        "decision_not_approved",
        "idempotency_in_progress",
        "idempotency_key_reused",
        "id_duplicate",
        "limit_exceeded",
        "limit_not_active",
        "loan_not_active",
        "loan_already_open",
        "loan_state_invalid",
        "not_reversible",
        "plot_already_pledged",
        "plot_missing",
        "retention_required",
    ),
    413: ("body_too_large",),
    415: ("media_type_unsupported",),
    422: (
        "amount_invalid",
        "axis_order_suspected",
        "case_ambiguous",
        "coordinate_invalid",
        "crop_unknown",
        "crs_missing",
        "crs_unsupported",
        "consent_invalid",
        "currency_mismatch",
        "currency_unknown",
        "date_out_of_range",
        "decision_invalid",
        "declared_area_invalid",
        "estimate_invalid",
        "field_invalid",
        "field_missing",
        "field_not_allowed",
        "geometry_invalid",
        "geometry_too_complex",
        "geometry_unsupported",
        "grade_invalid",
        "id_missing",
        "idempotency_key_invalid",
        "language_unknown",
        "overpayment",
        "personal_data_invalid",
        "policy_unknown",
        "parameter_invalid",
        "plot_too_large",
        "plot_too_narrow",
        "plot_too_small",
        "rate_invalid",
        "record_incomplete",
        "season_unknown",
        "tenure_share_invalid",
        "text_invalid",
    ),
    429: ("rate_limited",),
    500: ("internal_error",),
    503: (
        "estimate_unavailable",
        "key_unavailable",
        "ledger_integrity",
        "overloaded",
        "shutting_down",
        "snapshot_unavailable",
        "storage_busy",
        "storage_unavailable",
        "timeout",
    ),
}

STATUS: Mapping[str, int] = MappingProxyType(
    {code: status for status, codes in _CODES_BY_STATUS.items() for code in codes}
)
"""HTTP status of every code the service answers with."""

RETRY_SECONDS: Mapping[str, int] = MappingProxyType(
    {
        "idempotency_in_progress": 1,
        "overloaded": 1,
        "shutting_down": 1,
        "storage_busy": 1,
        "storage_unavailable": 1,
        "timeout": 1,
        "estimate_unavailable": 5,
    }
)
"""When to come again, for the codes where coming again helps."""


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A refusal by the service itself.

    Parameters
    ----------
    code : str
        One of `STATUS`.
    detail : str
        One line: what was found, what was expected.
    field : str, optional
        JSON pointer into the body, or the name of a parameter or header.
    headers : mapping, optional
        Further response headers.
    """

    def __init__(
        self, code: str, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code, detail)
        self.code, self.detail, self.field, self.headers = code, detail, field, dict(headers or {})


def problem_of(error: Exception) -> Problem:
    """Return what may be said of an error: its own code where the table has one, ``internal_error`` otherwise."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, AgrocreditError):
        field = getattr(error, "field", None)
        if error.code in STATUS:
            return Problem(error.code, error.detail, field=field)
        if isinstance(error, RefusedError):
            return Problem("field_invalid", f"{error.code}: {error.detail}", field=field)
    return Problem("internal_error", "the service failed to answer; the trace id finds it in the log")


def problem_body(problem: Problem, *, trace_id: str) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers of a problem.

    Parameters
    ----------
    problem : Problem
    trace_id : str
        Names this request in the log.
    """
    status = STATUS.get(problem.code, 500)
    body = {
        "type": f"urn:agrocredit:problem:{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": status,
        "code": problem.code,
        "detail": _printable(problem.detail),
        **({"field": _printable(problem.field)} if problem.field is not None else {}),
        "trace_id": trace_id,
    }
    headers = dict(problem.headers)
    if problem.code in RETRY_SECONDS:
        headers.setdefault("Retry-After", str(RETRY_SECONDS[problem.code]))
    if status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return status, orjson.dumps(body), headers


def _printable(text: str) -> str:
    """Return text that any JSON reader takes and no terminal obeys: halves of pairs and controls written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
