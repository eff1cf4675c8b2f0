import base64
import json

import jwt
import pytest

from agrocredit.service.farmer_tokens import AUDIENCE, ISSUER, issue, read
from agrocredit.service.problems import Problem

KEY = b"k" * 32
NOW_S = 1_700_000_000.5


def token(**changes):
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "F1",
        "tid": "bank",
        "jti": "j",
        "iat": 1_700_000_000,
        "nbf": 1_700_000_000,
        "exp": 1_700_000_900,
    }
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not ...}


def signed(claims, *, key=KEY, algorithm="HS256", headers=None):
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_what_was_issued_reads_back():
    text, made = issue(tenant_id="bank", farmer_id="F1", seconds=900, now_s=NOW_S, signing_key=KEY)
    assert read(text, now_s=NOW_S + 899, signing_key=KEY) == made
    assert (made.tenant_id, made.farmer_id) == ("bank", "F1")


def test_a_fair_token_is_read_so_that_the_forged_ones_fail_for_their_own_reason():
    assert read(signed(token()), now_s=NOW_S, signing_key=KEY).farmer_id == "F1"


FORGED = {
    "no algorithm": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(token())}.",
    "no algorithm, in capitals": f"{part({'alg': 'NONE', 'typ': 'JWT'})}.{part(token())}.",
    "another algorithm of the same key": signed(token(), algorithm="HS512", key=b"k" * 64),
    "another key": signed(token(), key=b"x" * 32),
    "a key id that is a path": signed(token(), headers={"kid": "../../dev/null"}),
    "a key address": signed(token(), headers={"jku": "http://10.0.0.1/keys"}),
    "a key inside": signed(token(), headers={"jwk": {"kty": "oct", "k": "a2s"}}),
    "expired": signed(token(exp=1_700_000_000)),
    "not yet valid": signed(token(nbf=1_700_000_001)),
    "another audience": signed(token(aud="other")),
    "a list of audiences with ours": signed(token(aud=["other", "another"])),
    "another issuer": signed(token(iss="other")),
    "no expiry": signed(token(exp=...)),
    "expiry as text": signed(token(exp="1700000900")),
    "no tenant": signed(token(tid=...)),
    "an empty tenant": signed(token(tid="")),
    "a tenant that is a list": signed(token(tid=["bank"])),
    "a claim more": signed(token(role="lender")),
    "not a token": "a.b.c",
    "empty parts": "..",
    "very long": signed(token(sub="F" * 4_000)),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_no_token(text):
    with pytest.raises(Problem) as caught:
        read(text, now_s=NOW_S, signing_key=KEY)
    assert caught.value.code == "token_invalid"


def test_every_single_flipped_character_of_the_signature_is_noticed():
    text = signed(token())
    head, _, signature = text.rpartition(".")
    for at in range(len(signature) - 1):  # the last one holds bits that do not count
        other = "A" if signature[at] != "A" else "B"
        with pytest.raises(Problem):
            read(f"{head}.{signature[:at]}{other}{signature[at + 1 :]}", now_s=NOW_S, signing_key=KEY)
