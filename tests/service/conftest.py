"""The real app on a real database, with two lenders that have farmers, plots, estimates and keys of every role."""

import asyncio
import io
import itertools
import shutil
from datetime import UTC, date, datetime, timedelta
from functools import cache

import httpx
import pytest

from agrocredit.credit import load_policy
from agrocredit.service.access_log import AccessLog
from agrocredit.service.api_keys import key_hash, new_key
from agrocredit.service.app import create_app
from agrocredit.service.farmer_tokens import issue
from agrocredit.service.platform import Platform
from agrocredit.service.published import PublishedLimits, snapshot_path
from agrocredit.service.secrets_file import Secrets
from agrocredit.service.settings import Settings
from agrocredit.service.workers import Workers
from agrocredit.store.limit_snapshot import write_snapshot
from agrocredit.store.personal import KeyRing
from agrocredit.store.sql import open_database
from agrocredit.store.sql.credentials import add_key, add_tenant, add_token
from agrocredit.store.sql.plot_queries import ensure_farmer
from agrocredit.store.sql.publishing import newest_decisions, publish_estimates
from pipelines.known_crops import known_crops
from pipelines.publish_rows import snapshot_row

BUSINESS_ON = date(2024, 6, 5)
NOW = datetime(2024, 6, 5, 4, tzinfo=UTC)
SECRETS = Secrets(pepper=b"p" * 32, signing_key=b"s" * 32, head_seed=b"h" * 32, data_keys=KeyRing({"test": b"d" * 32}))
QUANTILES_T_HA = (3.0, 3.5, 4.2, 5.1, 6.0, 6.9, 7.4)
SIDE_DEG = 0.001
_COUNT = itertools.count()


def square(lon, lat, side_deg=SIDE_DEG):
    """Return a GeoJSON square of about a hectare with this south-western corner."""
    east, north = lon + side_deg, lat + side_deg
    return {"type": "Polygon", "coordinates": [[[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]]]}


def somewhere():
    """Return a square that no other test drew, in the wheat belt of the sample's policy."""
    number = next(_COUNT)
    return square(114.0 + number % 500 * 0.003, 34.0 + number // 500 * 0.003)


@cache
def _policy():
    return load_policy("smallholder-grain-cn")


class Service:
    """A running service and its callers."""

    def __init__(self, database, folder, *, settings=None, estimator=None):
        self.database, self.lines = database, io.BytesIO()
        self.settings = settings or Settings(
            key_requests_burst=10**6, tenant_requests_burst=10**6, guesses_per_minute=10**6, snapshots=folder
        )
        self.clock_s, self.ticks = 0.0, itertools.count()
        self.policy = _policy()
        self.platform = Platform(
            database=database,
            settings=self.settings,
            secrets=SECRETS,
            workers=Workers(threads=4, waiting_max=200),
            published=PublishedLimits(folder, clock=lambda: self.clock_s),
            policies={self.policy.name: self.policy},
            crops=known_crops(),
            now=self._now,
            business_date=BUSINESS_ON,
            estimator=estimator,
        )
        self.app = create_app(self.platform, log=AccessLog(self.lines), clock=lambda: self.clock_s)
        self.keys = {}

    def _now(self):
        """Each look at the clock is later than the one before."""
        return NOW + timedelta(milliseconds=next(self.ticks))

    def add_tenant(self, tenant_id):
        with self.database.oversee() as connection:
            add_tenant(connection, tenant_id, name=tenant_id, time_zone="Asia/Shanghai", now=NOW)
            for role in ("lender", "agent", "analyst", "regulator"):
                key = new_key()
                hashed = key_hash(key, pepper=SECRETS.pepper)
                key_id = add_key(connection, tenant_id, role=role, label="", secret_hash=hashed, now=NOW)
                self.keys[tenant_id, role] = (key, key_id)

    def farmer_token(self, farmer_id, *, tenant="bank"):
        text, token = issue(
            tenant_id=tenant,
            farmer_id=farmer_id,
            seconds=900,
            now_s=NOW.timestamp(),
            signing_key=SECRETS.signing_key,
        )
        with self.database.write(tenant) as session:
            ensure_farmer(session, farmer_id, region_id=None, now=NOW)
            add_token(
                session,
                token.token_id,
                farmer_id=farmer_id,
                issued_by=self.keys[tenant, "lender"][1],
                expires_at=token.expires_at,
            )
        return text

    def credential(self, role, *, tenant="bank", farmer_id="F1"):
        return self.farmer_token(farmer_id, tenant=tenant) if role == "farmer" else self.keys[tenant, role][0]

    def call(self, method, path, *, role="lender", tenant="bank", farmer_id="F1", key=None, bearer=None, **rest):
        bearer = bearer or self.credential(role, tenant=tenant, farmer_id=farmer_id)
        headers = {"Authorization": f"Bearer {bearer}", **rest.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        return asyncio.run(self._call(method, path, headers=headers, **rest))

    async def _call(self, method, path, **rest):
        transport = httpx.ASGITransport(self.app, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **rest)

    def get(self, path, **rest):
        return self.call("GET", path, **rest)

    def post(self, path, body, **rest):
        return self.call("POST", path, json=body, **rest)

    def plot(self, *, tenant="bank", farmer_id="F1", geometry=None, estimated=True, **fields):
        """Register a plot, let a flow estimate it, and return its id."""
        body = {"farmer_id": farmer_id, "crop": "winter_wheat", "season": "2024", **fields}
        answer = self.post("/v1/plots", {**body, "geometry": geometry or somewhere()}, tenant=tenant)
        assert answer.status_code == 201, answer.text
        plot_id = answer.json()["id"]
        if estimated:
            self.estimate(plot_id, tenant=tenant)
        return plot_id

    def estimate(self, plot_id, *, tenant="bank", quantiles=QUANTILES_T_HA):
        names = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
        row = {
            "plot_id": plot_id,
            "crop": "winter_wheat",
            "harvest_year": 2024,
            "as_of": BUSINESS_ON,
            "season": "2024",
            "status": "estimated",
            "reason": None,
            **dict(zip(names, quantiles, strict=True)),
            "clear_observations": 12,
            "release": "test",
            "evidence_sha256": "0" * 64,
        }
        with self.database.write(tenant) as session:
            publish_estimates(session, [row])

    def decision(self, *, tenant="bank", farmer_id="F1", **plot):
        """Register an estimated plot and return the decision on its farmer."""
        self.plot(tenant=tenant, farmer_id=farmer_id, **plot)
        answer = self.post("/v1/applications", {"farmer_id": farmer_id, "season": "2024"}, tenant=tenant)
        assert answer.status_code == 201, answer.text
        return answer.json()["decision"]

    def loan(self, *, tenant="bank", farmer_id="F1", **plot):
        """Return an open loan of a farmer."""
        decision = self.decision(tenant=tenant, farmer_id=farmer_id, **plot)
        assert decision["outcome"] == "approved", decision
        answer = self.post(
            "/v1/loans", {"decision_id": decision["id"]}, tenant=tenant, key=f"open {farmer_id}".replace(" ", "-")
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def publish(self, *, tenant="bank"):
        with self.database.read(tenant) as session:
            rows = [snapshot_row(dict(row)) for row in newest_decisions(session)]
        write_snapshot(rows, snapshot_path(self.settings.snapshots, tenant))
        self.clock_s += 2.0


@pytest.fixture
def service(database, tmp_path):
    made = Service(database, tmp_path / "snapshots")
    (tmp_path / "snapshots").mkdir()
    made.add_tenant("bank")
    made.add_tenant("rival")
    yield made
    made.platform.workers.close()


@pytest.fixture(scope="session")
def guarded(sqlite_template, tmp_path_factory):
    """One service for all requests that are refused and change nothing."""
    folder = tmp_path_factory.mktemp("guarded")
    shutil.copy(sqlite_template, folder / "agrocredit.db")
    database = open_database(f"sqlite:///{folder / 'agrocredit.db'}")
    made = Service(database, folder)
    made.add_tenant("bank")
    made.add_tenant("rival")
    yield made
    made.platform.workers.close()
    database.close()


def problem(answer, status, code):
    """Check that an answer is this problem and return its body."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]
    return answer.json()
