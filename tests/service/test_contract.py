"""The document says what the service does: generated requests with ids that exist, in every role, all checks on.

``AGROCREDIT_CONTRACT_CASES`` sets how many requests are generated an operation, role and mode (60 for a release). Each
role asks what it may ask, and ids exist, so that requests reach what lies behind the gate; who may not, and which ids
are not there for whom, is tried by `test_gate` and `test_isolation`, whole.
"""

import copy
import logging
import os
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from agrocredit.service.route_table import ROUTES, Role

from .conftest import square

LOG = logging.getLogger(__name__)
CASES = int(os.environ.get("AGROCREDIT_CONTRACT_CASES", "2"))
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

WITHOUT_ESTIMATES = "F2"
"""The farmer for whom plots are drawn here."""
WHOLE = {"amount_minor": 1, "position": 1, "old_size": 1, "size": 3, "new_size": 3}


class Seeded:
    """The service, with its document put in place that names the ids there are."""

    def __init__(self, service, known):
        self.service, self.known = service, known
        document = service.get("/v1/openapi.json").json()
        self.documents = {
            "/fair.json": seeded(document, known),
            "/unfair.json": for_who_is_known(document),
        }

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] in self.documents:
            import orjson

            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": orjson.dumps(self.documents[scope["path"]])})
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
    values = {**{name: [value] for name, value in known.items()}, **VALUES}

    def name_ids(properties):
        if "farmer_ids" in properties:
            properties["farmer_ids"]["items"] = {"enum": values["farmer_id"]}
        for name, schema in properties.items():
            if name in values:
                schema.clear()
                schema.update({"enum": values[name]})
            if name in WHOLE:
                schema.clear()
                schema.update({"type": "integer", "minimum": WHOLE[name], "maximum": WHOLE[name]})

    for operation in operations_of(found):
        for parameter in operation.get("parameters", ()):
            name_ids({parameter["name"]: parameter["schema"]})
    schemas = found["components"]["schemas"]
    for name, schema in schemas.items():
        if name.startswith("New") or name in {"Amount", "PersonBody", "Lookup"}:
            name_ids(schema.get("properties", {}))
    schemas["NewPlot"]["properties"]["farmer_id"] = {"enum": [WITHOUT_ESTIMATES]}  # else nobody is decided on any more
    return found


def for_who_is_known(document):
    """Return the document without a word on credentials: who breaks that rule gets no farther, and breaks no other."""
    found = copy.deepcopy(document)
    for operation in operations_of(found):
        operation.pop("security", None)
    return found


def operations_of(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


@pytest.fixture(scope="module")
def known_service(sqlite_template, tmp_path_factory):
    import shutil

    from agrocredit.store.sql import open_database

    from .conftest import Service

    folder = tmp_path_factory.mktemp("contract")
    shutil.copy(sqlite_template, folder / "agrocredit.db")
    service = Service(open_database(f"sqlite:///{folder / 'agrocredit.db'}"), folder)
    service.add_tenant("bank")
    plot_id = service.plot(region_id="north")
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
        "plot_id": plot_id,
        "region_id": "north",
        "consent_id": given["consents"][0]["id"],
    }
    yield Seeded(service, known)
    service.platform.workers.close()
    service.database.close()


def operations(app, mode, role):
    """Return what a role may ask.

    Fair requests name what exists; unfair ones break the document as it is, since another id is no fault of form.
    """
    path = "/fair.json" if mode is GenerationMode.POSITIVE else "/unfair.json"
    found = [result.ok() for result in schemathesis.openapi.from_asgi(path, app).get_all_operations()]
    may = {(route.method, route.path) for route in ROUTES if route.public or role in route.roles}
    return [operation for operation in found if (operation.method.upper(), operation.path) in may]


def cases(operation, mode):
    """Return how many requests to make: few that can break nothing but an id, which is then just another one."""
    more = operation.body or operation.query
    return CASES if mode is GenerationMode.POSITIVE or more else max(1, CASES // 10)


@pytest.mark.parametrize("role", Role)
def test_the_service_keeps_what_its_document_says(known_service, role, record_testsuite_property):
    statuses, failed = Counter(), []
    for mode in GenerationMode:
        for operation in operations(known_service, mode, role):
            failed += run(operation, mode, role=role, app=known_service, statuses=statuses)
    assert not failed, "\n\n".join(failed[:20])
    LOG.info("%s: %d requests, %s", role.value, statuses.total(), dict(sorted(statuses.items())))
    turned_away = sum(statuses[status] for status in (401, 403, 404))
    assert turned_away < 0.2 * statuses.total(), statuses
    record_testsuite_property(f"{role} cases", statuses.total())
    record_testsuite_property(f"{role} statuses", dict(sorted(statuses.items())))


def run(operation, mode, *, role, app, statuses):
    """Send generated requests of one operation; return what was wrong, one text an operation."""
    headers = {"Authorization": f"Bearer {app.service.credential(role.value)}"}
    sent = []

    @seed(7)
    @settings(
        max_examples=cases(operation, mode),
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
