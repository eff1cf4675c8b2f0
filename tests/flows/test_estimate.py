"""What an estimate needs of its observations is said before anything is computed."""

import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError
from pipelines import estimate
from pipelines.releases import named_release


def test_observations_without_any_index_of_the_release_are_unusable():
    release = named_release("winter-wheat-simulated-1")
    assert estimate._indices(release, pd.DataFrame(columns=["plot_id", "ndvi", "ndwi"])) == ["ndvi"]
    with pytest.raises(InputUnusableError, match=r"index_missing: .* without ndvi, .*winter-wheat"):
        estimate._indices(release, pd.DataFrame(columns=["plot_id", "ndwi"]))
