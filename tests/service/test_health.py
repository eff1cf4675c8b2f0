import asyncio

import httpx
import pytest

from .conftest import problem


def fetch(service, path, *, peer="127.0.0.1", headers=None):
    async def go():
        transport = httpx.ASGITransport(service.app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(go())


def test_a_process_with_its_database_is_live_and_ready(service):
    assert fetch(service, "/healthz").json() == {"status": "live"}
    assert fetch(service, "/readyz").json() == {"status": "ready"}


def test_a_process_that_was_asked_to_stop_is_live_and_not_ready(service):
    service.platform.stopping.set()
    assert fetch(service, "/healthz").status_code == 200
    problem(fetch(service, "/readyz"), 503, "shutting_down")


def test_without_a_database_it_is_not_ready_and_nothing_of_it_is_told(tmp_path):
    from agrocredit.store.sql import open_database

    from .conftest import Service

    service = Service(open_database(f"sqlite:///{tmp_path}/no/such/folder.db"), tmp_path)
    body = problem(fetch(service, "/readyz"), 503, "storage_unavailable")
    assert "folder" not in str(body)


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.1", {}, 404),
        ("testclient", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.1"}, 404),
    ],
)
def test_the_figures_are_for_this_machine_alone(guarded, peer, headers, status):
    answer = fetch(guarded, "/metrics", peer=peer, headers=headers)
    assert answer.status_code == status
    assert (b"agrocredit_http_requests_total" in answer.content) == (status == 200)


def test_with_a_token_the_figures_are_for_who_has_it(guarded):
    object.__setattr__(guarded.settings, "metrics_token", "scrape-me")
    try:
        assert fetch(guarded, "/metrics").status_code == 404
        assert fetch(guarded, "/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
        found = fetch(guarded, "/metrics", peer="192.0.2.1", headers={"Authorization": "Bearer scrape-me"})
        assert found.status_code == 200
    finally:
        object.__setattr__(guarded.settings, "metrics_token", "")


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/debug", "/v1", "/v0/plots", "/.env"])
def test_there_are_no_other_pages(guarded, path):
    problem(fetch(guarded, path), 404, "not_found")
