"""Labelled harvests as a back-test reads them: checked row by row, of crops that the policy lends on, with sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agrocredit.domain.crop_facts import resolve_crop
from agrocredit.domain.errors import InputUnusableError
from pipelines.adapters.adapted import LABEL_COLUMNS, LabelRules
from pipelines.adapters.label_checks import check_labels
from pipelines.labelled_tables import labelled_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from agrocredit.domain.crop import Crop
    from agrocredit.domain.errors import Refusal

RULES = LabelRules(zero_is_missing=False, placed=False, peers="own_years", of_fields=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvests:
    """Measured yields to lend on."""

    labels: pd.DataFrame
    """``unit, region, crop, harvest_year, yield_t_ha, longitude, latitude``, crops by our names, one row a harvest."""
    counts: Mapping[str, int]
    """``labels`` read, and ``crop_not_in_policy``."""
    refused: tuple[Refusal, ...]
    area_m2: Mapping[str, float]
    """Size of a unit's field where it was measured."""


def read_harvests(folder: Path, *, lent_on: Collection[str], crops: Mapping[str, Crop]) -> Harvests:
    """Return the harvests of a folder in the canonical labelled form.

    Parameters
    ----------
    folder : Path
        Its ``labels.parquet`` is read and, for sizes, ``static.parquet`` where there is one.
    lent_on : collection of str
        Crops of the policy.
    crops : mapping of str to Crop
        By name.

    Raises
    ------
    InputUnusableError
        ``file_missing``, ``labels_unreadable``, ``column_missing``; ``labels_missing`` if no usable row is of a crop
        that the policy lends on.
    """
    found = labelled_table(folder / "labels.parquet", LABEL_COLUMNS).to_pandas()
    rows = found[list(LABEL_COLUMNS)].assign(file="labels.parquet", row=np.arange(1, len(found) + 1))
    kept, refused, _ = check_labels(rows, RULES)
    names = {name: resolve_crop(str(name), crops) for name in kept["crop"].unique()}
    kept["crop"] = [crop.name if (crop := names[name]) else name for name in kept["crop"]]
    wanted = kept[kept["crop"].isin(list(lent_on))]
    twice = wanted.duplicated(["unit", "crop", "harvest_year"], keep=False)
    if wanted.empty or twice.any():
        code, what = ("label_contradiction", "two names of one crop") if twice.any() else ("labels_missing", "none")
        detail = f"harvests of {', '.join(sorted(lent_on))}: {what}; crops found {sorted(names)[:12]}"
        raise InputUnusableError(code, f"{folder.name}: {detail}")
    return Harvests(
        labels=wanted.reset_index(drop=True),
        counts={"labels": len(found), "crop_not_in_policy": len(kept) - len(wanted)},
        refused=tuple(refused),
        area_m2=_areas(folder / "static.parquet"),
    )


def _areas(path: Path) -> dict[str, float]:
    """Return the areas of units that have one above 0."""
    if not path.is_file():
        return {}
    table = labelled_table(path, ("unit",)).to_pandas()
    if "area_m2" not in table:
        return {}
    areas = pd.to_numeric(table["area_m2"], errors="coerce")
    usable = np.isfinite(areas) & (areas > 0)
    return dict(zip(table.loc[usable, "unit"].astype(str), areas[usable].astype(float), strict=True))
