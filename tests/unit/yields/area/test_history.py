from __future__ import annotations

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError


def test_joining_histories_keeps_the_first_ones_rows_and_adds_what_is_new(a_history):
    joined = a_history({"A1": {2000: 1.0, 2001: 2.0}}).joined(a_history({"A1": {2001: 9.0, 2002: 3.0}}))
    assert joined.harvest_years.tolist() == [2000, 2001, 2002]
    assert joined.yields_t_ha.tolist() == [1.0, 2.0, 3.0]


def test_a_history_can_be_cut_before_at_and_around_a_year(a_history):
    history = a_history({"A1": {2000: 1.0, 2001: 2.0, 2002: 3.0}})
    assert history.before(2001).harvest_years.tolist() == [2000]
    assert history.until(2001).harvest_years.tolist() == [2000, 2001]
    assert history.without(2001).harvest_years.tolist() == [2000, 2002]


def test_a_yield_that_is_no_number_is_no_history(a_history):
    with pytest.raises(InputUnusableError, match="history_invalid"):
        a_history({"A1": {2000: np.nan}})
