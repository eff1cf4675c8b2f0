"""Public yield data sets into the canonical labelled form: the table of data sets, and the one way through them.

``labels.parquet`` has a row a unit, crop and harvest year; ``series.parquet`` a row a unit and date, with the harvest
year it counts to; ``static.parquet`` a row a unit. Units stand last in a column's name or in its metadata.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.domain.summary import Summary
from pipelines.adapters.adapted import LABEL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agrocredit.domain.errors import Refusal
    from pipelines.adapters.adapted import Adapted, Source

__all__ = ["ADAPTERS", "LABEL_COLUMNS", "adapt"]

ADAPTERS = (
    "africarising_maize",
    "illinois_soybean_hls",
    "india_rice_districts",
    "national_fao",
    "oaf_maize_cropcuts",
    "ug_karamoja_2017",
    "us_winter_wheat",
)
"""Data sets that can be adapted; each is a file of ``pipelines/adapters``."""


def adapt(name: str, sources: Sequence[Path], *, out: Path) -> Summary:
    """Write the canonical form of a public data set from one or several folders of it; return what was counted.

    Parameters
    ----------
    name : str
        Which data set; one of `ADAPTERS`.
    sources : sequence of Path
        Its folders. Files are known by their columns; rows that stand twice count once, however they are split.
    out : Path
        Folder to write, replaced as a whole.

    Returns
    -------
    Summary
        Rows that were refused, each with its code, file and row, and the counts ``labels``, ``not_reported`` (a 0 that
        stands for missing), ``units``, ``regions``, ``crops``, ``series_rows``.

    Raises
    ------
    WrongUsageError
        ``adapter_unknown`` for a name that is not in the table.
    InputUnusableError
        ``labels_missing`` if no file holds yields, or none of them could be used; ``column_missing`` for a file that
        would but for some columns; ``file_missing``, ``file_invalid``, ``column_type_invalid``.
    """
    from agrocredit.store.folders import atomic_folder
    from agrocredit.store.lock import hold
    from pipelines.adapters.files import find_files
    from pipelines.adapters.label_checks import check_labels
    from pipelines.adapters.series_checks import one_row_a_unit
    from pipelines.adapters.write import write_frame, write_labels

    source = _source(name)
    found, refused = find_files(sources, source)
    adapted = source.read(found)
    labels, refused_labels, not_reported = check_labels(adapted.labels, source.rules)
    refused += [*adapted.refused, *refused_labels]
    if labels.empty:
        first = f"; first refusal: {refused[0].code}, {refused[0].detail}" if refused else ""
        raise InputUnusableError("labels_missing", f"{name}: no usable yield in {len(adapted.labels)} rows{first}")
    with hold(out), atomic_folder(out, kind="labels") as folder:
        write_labels(labels, folder / "labels.parquet", notes=source.rules.notes)
        write_frame(one_row_a_unit(adapted.static), folder / "static.parquet", units=adapted.units)
        series_rows = _write_series(adapted, folder / "series.parquet", refused)
    counts = {
        "labels": len(labels),
        "not_reported": not_reported,
        "units": labels["unit"].nunique(),
        "regions": labels["region"].nunique(),
        "crops": labels["crop"].nunique(),
        "series_rows": series_rows,
    }
    years = f"{labels['harvest_year'].min()}-{labels['harvest_year'].max()}"
    return Summary(
        counts=counts, refused=tuple(sorted(refused, key=_by_place)), facts={"years": years, "out": str(out)}
    )


def _source(name: str) -> Source:
    if name not in ADAPTERS:
        raise WrongUsageError("adapter_unknown", f"{name!r}, expected one of {', '.join(ADAPTERS)}")
    return cast("Source", importlib.import_module(f"pipelines.adapters.{name}").SOURCE)


def _write_series(adapted: Adapted, path: Path, refused: list[Refusal]) -> int:
    """Write what there is beside the labels, nothing where there is nothing; return the number of rows."""
    from pipelines.adapters.series_checks import check_series
    from pipelines.adapters.write import write_frame, write_parts

    if adapted.series_parts is not None:
        return write_parts(adapted.series_parts(refused), path)
    if adapted.series is None:
        return 0
    key = [column for column in ("unit", "year", "date", "step") if column in adapted.series]
    series, contradicting = check_series(adapted.series, key=key)
    refused += contradicting
    write_frame(series, path, units=adapted.units)
    return len(series)


def _by_place(refusal: Refusal) -> tuple[str, int, str]:
    return refusal.code, refusal.row or 0, refusal.detail
