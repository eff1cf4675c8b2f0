from __future__ import annotations

import io
import re

import boto3
import pytest
from moto.server import ThreadedMotoServer

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes import find_scenes, open_scene
from agrocredit.scenes.fetch import FetchLimits
from agrocredit.scenes.hrefs import Location
from agrocredit.scenes.object_store import ObjectStoreFetcher


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="scenes")
    yield client
    for entry in client.list_objects_v2(Bucket="scenes").get("Contents", []):
        client.delete_object(Bucket="scenes", Key=entry["Key"])
    client.delete_bucket(Bucket="scenes")


def test_a_catalogue_in_a_bucket_is_found_and_opened(bucket, maker, season, tmp_path):
    maker.scene()
    maker.write()
    for path in sorted(maker.folder.rglob("*")):
        if path.is_file():
            bucket.upload_file(str(path), "scenes", f"stac/{path.relative_to(maker.folder)}")
    found = find_scenes("s3://scenes/stac/items.json", bands=("red",), **season)
    assert len(found.scenes) == 1
    with open_scene(found.scenes[0], cache=tmp_path / "cache", bands=("red", "nir")) as opened:
        assert opened.bands == ("red", "nir")
        assert opened.reflectance.check == "confirmed"
        assert opened.read_window("red", 0, 4, 0, 4).shape == (4, 4)


@pytest.mark.usefixtures("bucket")
def test_an_absent_object_is_unreadable():
    with pytest.raises(RefusedError, match=r"asset_unreadable: s3://scenes/none\.tif") as raised:
        ObjectStoreFetcher(limits=FetchLimits(attempts_max=1)).fetch(
            Location(kind="s3", href="s3://scenes/none.tif", named=True), io.BytesIO()
        )
    assert not re.search(r" in [\d.]+\w?s", raised.value.detail)  # equal runs tell equal stories


def test_an_object_beyond_the_size_limit_is_not_taken(bucket):
    bucket.put_object(Bucket="scenes", Key="big", Body=b"x" * 1000)
    target = io.BytesIO()
    with pytest.raises(RefusedError, match="1000 bytes"):
        ObjectStoreFetcher(limits=FetchLimits(size_bytes_max=999)).fetch(
            Location(kind="s3", href="s3://scenes/big", named=True), target
        )
    assert target.getvalue() == b""
