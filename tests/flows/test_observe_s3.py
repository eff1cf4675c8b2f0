"""A catalogue and its rasters in an object store: the same bytes as from disk, also through a storm of SlowDown."""

import http.client
import json
import random
import socket
import threading
import time
from collections import Counter
from datetime import date
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from moto.server import ThreadedMotoServer

from agrocredit.domain.errors import InputUnusableError
from agrocredit.scenes import fetch, opening
from pipelines.observe import ObserveRequest, observe

SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)
STORM_SEED = 11


class Storm(BaseHTTPRequestHandler):
    """Passes GET and HEAD on to the store; before an object is given it is refused once or more with 503."""

    protocol_version = "HTTP/1.1"
    store: tuple[str, int]
    refusals: Counter
    asked: Counter
    lock: threading.Lock

    def do_GET(self):
        """Answer SlowDown for a while, then what the store says."""
        with self.lock:
            times = self.asked[self.path]
            self.asked[self.path] += 1
            slow = times < random.Random(f"{STORM_SEED}{self.path}").randint(1, 3)  # noqa: S311 - no secret
            self.refusals[self.path] += slow
        if slow:
            self._send(503, SLOW_DOWN, {"content-type": "application/xml"})
            return
        onward = http.client.HTTPConnection(*self.store, timeout=10)
        onward.request("GET", self.path, headers={key: value for key, value in self.headers.items() if key != "Host"})
        answer = onward.getresponse()
        kept = {key: value for key, value in answer.getheaders() if key.lower() in {"etag", "last-modified"}}
        self._send(answer.status, answer.read(), kept)

    def _send(self, status, body, headers):
        self.send_response(status)
        for key, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def store():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def storm(store):
    handler = type(
        "OneStorm",
        (Storm,),
        {"store": store, "refusals": Counter(), "asked": Counter(), "lock": threading.Lock()},
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def bucket(store, monkeypatch):
    """A bucket, and the environment in which every S3 tool finds it."""
    endpoint = f"http://{store[0]}:{store[1]}"
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="scenes")
    yield client
    for entry in client.list_objects_v2(Bucket="scenes").get("Contents", []):
        client.delete_object(Bucket="scenes", Key=entry["Key"])
    client.delete_bucket(Bucket="scenes")


@pytest.fixture
def season(catalogue, bucket, tmp_path, field_of, write_plots):
    """Two scenes on disk and in the bucket, with the same items; returns the paths of both catalogues and the plots."""
    catalogue.add("s1", "2022-05-10").add("s2", "2022-05-15", counts={"B08": 4_000})
    local = catalogue.write()
    items = json.loads(local.read_text())
    for item in items["features"]:
        for name, asset in item["assets"].items():
            key = f"{item['id']}/{name}.tif"
            bucket.upload_file(str(catalogue.folder / key), "scenes", key)
            asset["href"] = f"s3://scenes/{key}"
    remote = tmp_path / "remote" / "items.json"
    remote.parent.mkdir()
    remote.write_text(json.dumps(items))
    bucket.upload_file(str(local), "scenes", "items.json")
    plots = write_plots(tmp_path / "plots.geojson", field_of("a", 4, 4, 8, 8), field_of("c", 30, 30, 8, 8))
    return local, remote, plots


def observed(scenes, plots, out, **changes):
    fields = {"scenes": str(scenes), "plots": plots, "start": date(2022, 5, 1), "end": date(2022, 7, 1), "out": out}
    return observe(ObserveRequest(**{**fields, **changes}))


def everything(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_from_a_bucket_come_the_same_bytes_as_from_disk(season, tmp_path):
    local, remote, plots = season
    observed(local, plots, tmp_path / "disk")
    observed(remote, plots, tmp_path / "bucket", allow_roots=("s3://scenes",), cache=tmp_path / "cache")
    observed("s3://scenes/items.json", plots, tmp_path / "all", cache=tmp_path / "cache")
    assert everything(tmp_path / "bucket") == everything(tmp_path / "disk")
    assert everything(tmp_path / "all") == everything(tmp_path / "disk")


def test_a_storm_of_slow_down_ends_in_the_same_bytes(season, storm, tmp_path, monkeypatch):
    local, remote, plots = season
    observed(local, plots, tmp_path / "disk")
    handler, endpoint = storm
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    observed(remote, plots, tmp_path / "storm", allow_roots=("s3://scenes",), cache=tmp_path / "cache")
    assert everything(tmp_path / "storm") == everything(tmp_path / "disk")
    assert len(handler.refusals) == 14
    assert min(handler.refusals.values()) >= 1
    assert all(handler.asked[path] == times + 1 for path, times in handler.refusals.items()), "one GET an object"
    assert max(handler.refusals.values()) >= 2


@pytest.fixture
def silent_endpoint():
    """A socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("way", ["refuses", "hangs"])
def test_a_dead_endpoint_is_unreadable_within_its_deadline_and_never_a_value(
    season, tmp_path, monkeypatch, silent_endpoint, way
):
    _, remote, plots = season
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9" if way == "refuses" else silent_endpoint)
    limits = fetch.FetchLimits(deadline_s=20.0, read_timeout_s=0.2, attempts_max=2)
    monkeypatch.setattr(opening, "RemoteFetcher", partial(fetch.RemoteFetcher, limits=limits))
    started = time.monotonic()
    with pytest.raises(InputUnusableError, match=r"no_usable_scene.*asset_unreadable"):
        observed(remote, plots, tmp_path / "obs", allow_roots=("s3://scenes",), indices=("NDVI",))
    assert time.monotonic() - started < limits.deadline_s, "eight assets together, with two short attempts each"
    assert not (tmp_path / "obs").exists()


def test_objects_that_are_gone_cost_their_scene_alone(season, bucket, tmp_path):
    local, remote, plots = season
    for name in ("B04", "SCL"):
        bucket.delete_object(Bucket="scenes", Key=f"s1/{name}.tif")
    summary = observed(remote, plots, tmp_path / "bucket", allow_roots=("s3://scenes",))
    assert {(one.code, one.scene_id, one.asset) for one in summary.refused} == {
        ("asset_unreadable", "s1", "B04"),
        ("asset_unreadable", "s1", "SCL"),
    }
    items = json.loads(local.read_text())
    items["features"] = [item for item in items["features"] if item["id"] == "s2"]
    local.write_text(json.dumps(items))
    observed(local, plots, tmp_path / "disk")
    part = "part-00000.parquet"
    assert (tmp_path / "bucket" / part).read_bytes() == (tmp_path / "disk" / part).read_bytes()
