from __future__ import annotations

import subprocess
import sys

import pytest

from agrocredit import store


@pytest.mark.parametrize("name", store.__all__)
def test_every_public_name_loads_and_is_explained(name):
    found = getattr(store, name)
    assert not isinstance(found, type(store))
    assert found.__doc__


def test_the_public_names_are_those_that_load():
    assert set(store.__all__) == set(store._MODULES)
    with pytest.raises(AttributeError, match="absent"):
        _ = store.absent


def test_finding_a_model_loads_no_geometry_library():
    code = "import sys; from agrocredit import store; store.models_path(); print('shapely' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "False\n"
