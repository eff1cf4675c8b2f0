"""The log over HTTP, checked the way an outsider would: with hashes, a held head and a public key."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from agrocredit.service.audit import keep_sealing
from agrocredit.store.audit import SignedHead, consistent, included, leaf_hash
from agrocredit.store.sql.sealing import log_size
from agrocredit.store.sql.tables import events

from .conftest import problem


def audit(service, path="", **params):
    answer = service.get(f"/v1/audit{path}", role="regulator", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def hashes(texts):
    return [bytes.fromhex(text) for text in texts]


def test_entries_come_in_order_without_a_gap_from_any_place_on(service):
    service.loan()
    service.loan(tenant="rival", farmer_id="R1")
    whole, read, after = audit(service, limit=1000)["entries"], [], 0
    while page := audit(service, after=after, limit=3)["entries"]:
        read += page
        after = page[-1]["position"]
    assert read == whole
    assert [entry["position"] for entry in whole] == list(range(1, len(whole) + 1))
    assert {json.loads(entry["entry"])["tenant_id"] for entry in whole} == {"bank", "rival"}


def test_every_entry_is_proven_under_a_signed_head(service):
    service.loan()
    head = SignedHead(**audit(service, "/head"))
    assert head.is_genuine()
    assert not replace(head, size=head.size + 1).is_genuine()
    for entry in audit(service, limit=1000)["entries"]:
        proven = audit(service, "/inclusion", position=entry["position"], size=head.size)
        leaf = leaf_hash(entry["entry"].encode())
        assert leaf.hex() == entry["leaf_sha256"] == proven["leaf_sha256"]
        claim = {"index": entry["position"] - 1, "size": head.size, "root": bytes.fromhex(head.root)}
        assert included(leaf, proof=hashes(proven["proof"]), **claim)


def test_a_later_head_is_proven_to_continue_an_earlier_one(service):
    service.loan()
    old = audit(service, "/head")
    service.loan(farmer_id="F2")
    new = audit(service, "/head")
    assert new["size"] > old["size"]
    proven = audit(service, "/consistency", old_size=old["size"], new_size=new["size"])
    assert consistent(
        old=old["size"],
        old_root=bytes.fromhex(old["root"]),
        new=new["size"],
        new_root=bytes.fromhex(new["root"]),
        proof=hashes(proven["proof"]),
    )


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("inclusion", {"position": 0, "size": 1}),
        ("inclusion", {"position": 2, "size": 1}),
        ("inclusion", {"position": 1, "size": 10**9}),
        ("inclusion", {"position": 1}),
        ("consistency", {"old_size": 2, "new_size": 1}),
        ("consistency", {"old_size": 1, "new_size": 10**18}),
    ],
)
def test_a_proof_of_what_is_not_there_is_refused(service, path, params):
    service.loan()
    audit(service)
    answer = service.get(f"/v1/audit/{path}", role="regulator", params=params)
    assert answer.status_code == 422
    assert answer.json()["code"] in {"parameter_invalid", "field_missing"}


@pytest.mark.parametrize("role", ["lender", "agent", "analyst", "farmer"])
@pytest.mark.parametrize("path", ["", "/head", "/inclusion", "/consistency"])
def test_only_the_regulator_reads_the_log(service, role, path):
    problem(service.get(f"/v1/audit{path}", role=role), 403, "scope_missing")


def test_a_living_service_seals_by_itself(service):
    service.loan()

    async def live():
        sealing = asyncio.create_task(keep_sealing(service.platform, pause_s=0.01))
        for _ in range(500):
            await asyncio.sleep(0.01)
            with service.database.oversee(read_only=True) as connection:
                waiting = connection.execute(select(events.c.sequence).where(events.c.position.is_(None))).all()
            if not waiting:
                break
        sealing.cancel()
        return waiting

    assert asyncio.run(live()) == []
    with service.database.oversee(read_only=True) as connection:
        assert log_size(connection) > 0
