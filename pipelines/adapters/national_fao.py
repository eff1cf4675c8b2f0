"""National yields as published by Our World in Data from FAOSTAT, t/ha of fresh weight; 0 means not reported."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.adapters.adapted import Adapted, LabelRules, Source
from pipelines.adapters.files import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_KEYS = ("Entity", "Code", "Year")
_CROP = re.compile(r"(?P<crop>.+) \(tonnes per hectare\)")


def _read(files: Mapping[str, Sequence[Path]]) -> Adapted:
    wide = read_rows(files["yields"], text=("Entity", "Code"))
    crops = {column: match["crop"] for column in wide.columns if (match := _CROP.fullmatch(column))}
    long = wide.melt(id_vars=[*_KEYS, "file", "row"], value_vars=list(crops), var_name="crop", value_name="yield_t_ha")
    long["yield_t_ha"] = long["yield_t_ha"].fillna(0.0)
    # Continents and other groups of countries have no code; their name stands for them.
    entity = long["Code"].where(long["Code"].notna(), long["Entity"])
    labels = pd.DataFrame(
        {
            "unit": entity,
            "region": entity,
            "crop": long["crop"].map(lambda column: crops[column].lower().replace(" ", "_")),
            "harvest_year": long["Year"],
            "yield_t_ha": long["yield_t_ha"],
            "longitude": float("nan"),
            "latitude": float("nan"),
            "file": long["file"],
            "row": long["row"],
        }
    )
    static = pd.DataFrame({"unit": entity, "name": long["Entity"]}).dropna()
    return Adapted(labels=labels, static=static)


SOURCE = Source(
    kinds={"yields": frozenset(_KEYS)},
    label_kinds=("yields",),
    rules=LabelRules(
        zero_is_missing=True,
        placed=False,
        peers=None,
        of_fields=False,
        notes={"moisture_basis": "fresh weight as reported to FAO"},
    ),
    read=_read,
)
"""``national_fao``. Decades of growth make a late yield tenfold an early one, so no peers are asked."""
