from __future__ import annotations

import contextlib
import io
import time

import pytest

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.fetch import FetchLimits
from agrocredit.scenes.hrefs import Access, check_url
from agrocredit.scenes.https import HttpsFetcher

QUICK = FetchLimits(backoff_s=0.0, read_timeout_s=2.0, attempts_max=4)


def fetch(url, *roots, limits=QUICK, **parts):
    access = Access(root="/nowhere", allow_roots=roots)
    target = io.BytesIO()
    HttpsFetcher(access=access, limits=limits, **parts).fetch(check_url(url, access=access), target)
    return target.getvalue()


def refused(*args, **kwargs):
    with pytest.raises(RefusedError) as raised:
        fetch(*args, **kwargs)
    return raised.value


def test_an_allowed_host_serves_its_bytes(site):
    site.answers["/B04.tif"] = (200, {}, b"pixels" * 100_000)
    assert fetch(site.url + "/B04.tif", site.url) == b"pixels" * 100_000


def test_plain_http_is_refused_without_a_request(site):
    assert refused(site.url + "/B04.tif").code == "href_not_allowed"
    assert site.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "2130706433", "0x7f.1"])
def test_a_host_inside_is_refused_however_it_is_written(site, host):
    port = site.url.rsplit(":", 1)[1]
    assert refused(f"https://{host}:{port}/B04.tif").code == "href_not_allowed"
    assert site.asked == []


def test_a_name_that_points_inside_is_refused():
    error = refused("https://innocent.example/B04.tif", resolve=lambda _host, _port: ("8.8.8.8", "127.0.0.1"))
    assert error.code == "href_not_allowed"
    assert "127.0.0.1" in error.detail


def test_the_connection_goes_to_the_address_that_was_checked(site):
    answers = iter([("127.0.0.1",), ("10.0.0.1",)])
    root = site.url.replace("127.0.0.1", "innocent.example")
    site.answers["/a"] = (200, {}, b"x")
    assert fetch(root + "/a", root, resolve=lambda _host, _port: next(answers)) == b"x"
    assert next(answers) == ("10.0.0.1",)  # the name was asked once


@pytest.mark.parametrize(
    "target",
    ["https://127.0.0.1/secret", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "s3://bucket/a", ""],
)
def test_a_redirect_is_checked_like_an_href(site, target):
    site.answers["/a"] = (302, {"location": target}, b"")
    error = refused(site.url + "/a", site.url)
    assert error.code == "href_not_allowed"
    assert set(site.asked) == {"/a"}


def test_an_allowed_redirect_is_followed_and_a_circle_is_left(site):
    site.answers["/a"] = (302, {"location": "/b"}, b"")
    site.answers["/b"] = (200, {}, b"there")
    site.answers["/round"] = (302, {"location": "/round"}, b"")
    assert fetch(site.url + "/a", site.url) == b"there"
    assert "more than 5 redirects" in refused(site.url + "/round", site.url).detail


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_passing_fault_is_tried_again_and_no_half_answer_stays(site, status):
    site.answers["/a"] = [(status, {"retry-after": "0"}, b"error page"), (200, {}, b"pixels")]
    assert fetch(site.url + "/a", site.url) == b"pixels"


def test_a_line_cut_in_the_middle_is_tried_again(site):
    site.answers["/a"] = [(200, {"content-length": "100", "connection": "close"}, b"pix"), (200, {}, b"pixels")]
    site.answers["/never"] = (200, {"content-length": "100", "connection": "close"}, b"pix")
    assert fetch(site.url + "/a", site.url, limits=FetchLimits(backoff_s=0.0, read_timeout_s=0.3)) == b"pixels"
    error = refused(site.url + "/never", site.url, limits=FetchLimits(backoff_s=0, read_timeout_s=0.3, attempts_max=2))
    assert error.code == "asset_unreadable"
    assert "2 attempts" in error.detail


@pytest.mark.parametrize("status", [401, 403, 410])
def test_a_refusal_of_the_server_is_final(site, status):
    site.answers["/a"] = (status, {}, b"")
    assert refused(site.url + "/a", site.url).code == "asset_unreadable"
    assert len(site.asked) == 1


def test_attempts_and_time_are_bounded_and_backoff_grows(site):
    site.answers["/a"] = (503, {}, b"")
    pauses: list[float] = []
    error = refused(site.url + "/a", site.url, limits=FetchLimits(attempts_max=4, backoff_s=1.0), sleep=pauses.append)
    assert error.code == "asset_unreadable"
    assert len(site.asked) == 4
    assert len(pauses) == 3
    assert pauses[0] <= 1 <= pauses[2] <= 4
    clock = iter(range(0, 10_000, 600))
    refused(site.url + "/a", site.url, sleep=pauses.append, monotonic=lambda: next(clock))
    assert len(site.asked) < 8


def test_a_body_without_end_is_cut(site):
    site.answers["/a"] = (200, {}, b"x" * 5000)
    error = refused(site.url + "/a", site.url, limits=FetchLimits(size_bytes_max=4999))
    assert error.code == "asset_unreadable"
    assert "4999" in error.detail
    assert len(site.asked) == 1


def test_a_server_that_drips_meets_the_deadline(site):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(40):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.05)

    site.answers["/a"] = drip
    begun = time.monotonic()
    error = refused(site.url + "/a", site.url, limits=FetchLimits(deadline_s=0.3, backoff_s=0.2))
    assert error.code == "asset_unreadable"
    assert "deadline" in error.detail
    assert time.monotonic() - begun < 1.5
