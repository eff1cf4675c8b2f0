from __future__ import annotations

import pytest

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.cache import bring, forget
from agrocredit.scenes.fetch import FakeFetcher
from agrocredit.scenes.hrefs import Location

PLACE = Location(kind="http", href="https://example.com/B04.tif", named=False)


def test_a_copy_is_fetched_once_until_it_is_forgotten(tmp_path):
    fetcher = FakeFetcher({PLACE.href: b"pixels"})
    first, second = (bring(PLACE, folder=tmp_path / "cache", fetcher=fetcher) for _ in range(2))
    assert first == second
    assert first.read_bytes() == b"pixels"
    assert len(fetcher.asked) == 1
    forget(PLACE, folder=tmp_path / "cache")
    bring(PLACE, folder=tmp_path / "cache", fetcher=fetcher)
    assert len(fetcher.asked) == 2


def test_a_failed_fetch_leaves_nothing(tmp_path):
    class Breaking:
        def fetch(self, _location, target):
            target.write(b"half a fi")
            raise RefusedError("asset_unreadable", "the line went dead")

    with pytest.raises(RefusedError, match="line went dead"):
        bring(PLACE, folder=tmp_path, fetcher=Breaking())
    assert list(tmp_path.iterdir()) == [tmp_path / "catalog"]


def test_two_hrefs_never_share_a_copy(tmp_path):
    other = Location(kind="http", href=PLACE.href + "?v=2", named=False)
    fetcher = FakeFetcher({PLACE.href: b"one", other.href: b"two"})
    assert bring(PLACE, folder=tmp_path, fetcher=fetcher) != bring(other, folder=tmp_path, fetcher=fetcher)
