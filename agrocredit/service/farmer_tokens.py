"""Farmer tokens: short-lived, signed by this server, for one farmer of one tenant.

One algorithm is accepted and the header may name nothing else: no key id, no key address, no other algorithm.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from agrocredit.service.problems import Problem

ISSUER = "agrocredit"
AUDIENCE = "agrocredit-v1"
_ALGORITHM = "HS256"
_HEADER = {"alg": _ALGORITHM, "typ": "JWT"}
_CLAIMS = ("iss", "aud", "sub", "tid", "jti", "iat", "nbf", "exp")
TOKEN_CHARACTERS_MAX = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmerToken:
    """What a valid token says."""

    tenant_id: str
    farmer_id: str
    token_id: str
    expires_at: datetime


def issue(*, tenant_id: str, farmer_id: str, seconds: int, now_s: float, signing_key: bytes) -> tuple[str, FarmerToken]:
    """Return a signed token and what it says.

    Parameters
    ----------
    tenant_id, farmer_id : str
    seconds : int
        Its life.
    now_s : float
        Seconds since 1970.
    signing_key : bytes
        32 bytes or more.
    """
    token_id = uuid.uuid4().hex
    issued_s = int(now_s)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": farmer_id,
        "tid": tenant_id,
        "jti": token_id,
        "iat": issued_s,
        "nbf": issued_s,
        "exp": issued_s + seconds,
    }
    text = jwt.encode(claims, signing_key, algorithm=_ALGORITHM)
    expires_at = datetime.fromtimestamp(issued_s + seconds, tz=UTC)
    return text, FarmerToken(tenant_id=tenant_id, farmer_id=farmer_id, token_id=token_id, expires_at=expires_at)


def read(text: str, *, now_s: float, signing_key: bytes) -> FarmerToken:
    """Return what a token says, if this server signed it and it is in force.

    Raises
    ------
    Problem
        ``token_invalid``; never with the reason in a form that helps to forge one.
    """
    try:
        if len(text) > TOKEN_CHARACTERS_MAX or jwt.get_unverified_header(text) != _HEADER:
            raise _invalid()
        # Times are checked below, against the caller's clock: the library reads its own.
        claims: dict[str, Any] = jwt.decode(
            text,
            signing_key,
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": list(_CLAIMS), "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, UnicodeError):
        raise _invalid() from None
    named = (claims["tid"], claims["sub"], claims["jti"])
    times = (claims["nbf"], claims["exp"])
    if set(claims) != set(_CLAIMS) or not all(isinstance(value, str) and value for value in named):
        raise _invalid()
    if not all(type(value) is int for value in times) or not times[0] <= now_s < times[1]:
        raise _invalid()
    return FarmerToken(
        tenant_id=named[0],
        farmer_id=named[1],
        token_id=named[2],
        expires_at=datetime.fromtimestamp(times[1], tz=UTC),
    )


def _invalid() -> Problem:
    return Problem("token_invalid", "the token is not one of this server, or not in force", field="Authorization")
