"""The document says what the service does: generated requests with ids that exist, in every role, all checks on.

``AGROCREDIT_CONTRACT_CASES`` sets how many requests are generated an operation, role and mode (20 for a release).
"""

import copy
import os
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from agrocredit.service.route_table import ROUTES, Role

from .conftest import square

CASES = int(os.environ.get("AGROCREDIT_CONTRACT_CASES", "2"))
UNKNOWN = "nobody-knows"
VALUES = {
    "crop": ["winter_wheat", "maize"],
    "geometry": [square(114.2, 34.9), square(114.3, 34.9)],
    "track": [square(114.4, 34.9)["coordinates"][0]],
    "language": ["en", "zh"],
    "season": ["2024"],
    "policy": ["smallholder-grain-cn"],
    "name": ["Wanjiku Kamau", "李小龙"],
    "phone": ["+254 700 000000"],
    "national_id": ["A1234567"],
    "currency": ["CNY"],
    "expires_at": ["2030-01-01T00:00:00Z"],
}
"""What a field may hold, where its schema says less than the service knows."""

WHOLE = {"amount_minor": 1, "position": 1, "old_size": 1, "size": 3, "new_size": 3}


class Seeded:
    """The service, with its document put in place that names the ids there are."""

    def __init__(self, service, known):
        self.service, self.known = service, known
        self.document = seeded(service.get("/v1/openapi.json").json(), known)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/seeded.json":
            import orjson

            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": orjson.dumps(self.document)})
            return
        if scope["type"] == "http":  # its client starts and stops the app for each schema; ours lives on
            await self.service.app(scope, receive, send)
            return
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})


def seeded(document, known):
    """Return the document with enumerations for what a schema cannot say: which ids exist, what a field's shape is."""
    found = copy.deepcopy(document)
    values = {**{name: [value, UNKNOWN] for name, value in known.items()}, **VALUES}

    def name_ids(properties):
        for name, schema in properties.items():
            if name in values:
                schema.clear()
                schema.update({"enum": values[name]})
            if name in WHOLE:
                schema.clear()
                schema.update({"type": "integer", "minimum": WHOLE[name], "maximum": WHOLE[name]})

    for path in found["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                name_ids({parameter["name"]: parameter["schema"]})
    for name, schema in found["components"]["schemas"].items():
        if name.startswith("New") or name in {"Amount", "PersonBody", "Lookup"}:
            name_ids(schema.get("properties", {}))
    return found


@pytest.fixture(scope="module")
def known_service(sqlite_template, tmp_path_factory):
    import shutil

    from agrocredit.store.sql import open_database

    from .conftest import Service

    folder = tmp_path_factory.mktemp("contract")
    shutil.copy(sqlite_template, folder / "agrocredit.db")
    service = Service(open_database(f"sqlite:///{folder / 'agrocredit.db'}"), folder)
    service.add_tenant("bank")
    loan = service.loan(region_id="north")
    drawn = service.post(f"/v1/loans/{loan['id']}/draws", {"amount_minor": 100_000, "currency": "CNY"}, key="d").json()
    application = service.post("/v1/applications", {"farmer_id": "F1", "season": "2024"}).json()
    consent = {"purpose": "credit", "expires_at": "2030-01-01T00:00:00Z"}
    given = service.post("/v1/farmers/F1/consents", consent).json()
    service.publish()
    known = {
        "farmer_id": "F1",
        "loan_id": loan["id"],
        "movement_id": drawn["movement_id"],
        "application_id": application["id"],
        "decision_id": application["decision"]["id"],
        "plot_id": service.plot(estimated=False),
        "region_id": "north",
        "consent_id": given["consents"][0]["id"],
    }
    yield Seeded(service, known)
    service.platform.workers.close()
    service.database.close()


def operations(app, mode):
    """Fair requests name what exists; unfair ones break the document as it is, since another id is no fault of form."""
    path = "/seeded.json" if mode is GenerationMode.POSITIVE else "/v1/openapi.json"
    schema = schemathesis.openapi.from_asgi(path, app)
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.parametrize("role", Role)
def test_the_service_keeps_what_its_document_says(known_service, role, record_testsuite_property):
    statuses, failed = Counter(), []
    for mode in GenerationMode:
        for operation in operations(known_service, mode):
            failed += run(operation, mode, role=role, app=known_service, statuses=statuses)
    assert not failed, "\n\n".join(failed[:20])
    assert statuses.total() > len(ROUTES)
    record_testsuite_property(f"{role} cases", statuses.total())
    record_testsuite_property(f"{role} statuses", dict(sorted(statuses.items())))


def run(operation, mode, *, role, app, statuses):
    """Send generated requests of one operation; return what was wrong, one text an operation."""
    headers = {"Authorization": f"Bearer {app.service.credential(role.value)}"}
    sent = []

    @seed(7)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case):
        answer = case.call(headers=headers)
        statuses[answer.status_code] += 1
        sent.append((case.path_parameters, case.query, case.body, answer.text))
        case.validate_response(answer)

    try:
        send()
    except Unsatisfiable:
        return []  # nothing can be wrong in a request without a parameter
    except BaseExceptionGroup as group:
        return [f"{operation.label} {mode}: {error} {sent[-1:]}" for error in group.exceptions]
    except Exception as error:  # noqa: BLE001 - whatever is wrong is told with its operation
        return [f"{operation.label} {mode}: {type(error).__name__} {error} {sent[-1:]}"]
    return []
