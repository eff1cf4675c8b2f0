"""What decides the numbers of an observations dataset, in one hash: code version, index formulas, masks, thresholds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from agrocredit import __version__
from agrocredit.domain.tables import VALID_FRACTION_MIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agrocredit.indices import IndexDefinition


def recipe_sha256(definitions: Sequence[IndexDefinition]) -> str:
    """Return the hash of a recipe; two datasets belong into one time series only if it is equal.

    Parameters
    ----------
    definitions : sequence of IndexDefinition
        Indices in the order of their columns.
    """
    from agrocredit.scenes.masks import SCL_CLEAR
    from agrocredit.store.canonical_json import json_bytes
    from agrocredit.zonal.layout import FORMAT

    recipe = {
        "code_version": __version__,
        "weights_format": FORMAT,
        "indices": [
            {"name": one.short_name, "formula": one.formula, "constants": dict(one.constants), "bands": list(one.bands)}
            for one in definitions
        ],
        "scl_clear": list(SCL_CLEAR),
        "valid_fraction_min": VALID_FRACTION_MIN,
    }
    return hashlib.sha256(json_bytes(recipe)).hexdigest()
