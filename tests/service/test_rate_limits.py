import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.service import rate_limits
from agrocredit.service.problems import Problem
from agrocredit.service.rate_limits import RateLimit


class Clock:
    def __init__(self):
        self.s = 1_000.0

    def __call__(self):
        return self.s


def allowed(limit, subject, times):
    passed = 0
    for _ in range(times):
        with contextlib.suppress(Problem):
            limit.take(subject)
            passed += 1
    return passed


def test_a_burst_passes_and_then_the_rate():
    clock = Clock()
    limit = RateLimit(per_s=2, burst=5, clock=clock)
    assert allowed(limit, "a", 20) == 5
    clock.s += 1.0
    assert allowed(limit, "a", 20) == 2


def test_one_subject_does_not_pay_for_another():
    limit = RateLimit(per_s=1, burst=3, clock=Clock())
    assert allowed(limit, "a", 10) == 3
    assert allowed(limit, "b", 10) == 3


def test_the_wait_that_is_told_is_enough_and_never_zero():
    clock = Clock()
    limit = RateLimit(per_s=0.1, burst=1, clock=clock)
    limit.take("a")
    with pytest.raises(Problem, match="rate_limited") as caught:
        limit.take("a")
    clock.s += int(caught.value.headers["Retry-After"])
    limit.take("a")


@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_more_pass_than_rate_and_reserve_allow(pauses):
    clock = Clock()
    limit = RateLimit(per_s=4, burst=6, clock=clock)
    passed = 0
    for pause in pauses:
        clock.s += pause
        passed += allowed(limit, "a", 1)
    assert passed <= 6 + 4 * sum(pauses) + 1e-6


def test_checking_takes_nothing():
    limit = RateLimit(per_s=1, burst=1, clock=Clock())
    for _ in range(5):
        limit.check("a")
    assert allowed(limit, "a", 2) == 1


def test_memory_is_bounded_however_many_come(monkeypatch):
    monkeypatch.setattr(rate_limits, "_BUCKETS_MAX", 50)
    limit = RateLimit(per_s=1, burst=1, clock=Clock())
    for subject in range(500):
        limit.take(subject)
    assert len(limit._buckets) == 50


def test_who_is_busy_is_not_forgotten_for_newcomers(monkeypatch):
    monkeypatch.setattr(rate_limits, "_BUCKETS_MAX", 50)
    limit = RateLimit(per_s=0.001, burst=500, clock=Clock())
    for subject in range(499):
        limit.take("busy")
        limit.take(subject)
    assert allowed(limit, "busy", 5) == 1
