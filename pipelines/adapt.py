"""Public yield data sets into the canonical labelled form: ``labels.parquet``, a row a unit, crop and harvest year."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.domain.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

LABEL_COLUMNS = ("unit", "region", "crop", "harvest_year", "yield_t_ha", "longitude", "latitude")

_FAO_KEYS = ("Entity", "Code", "Year")
_FAO_CROP = re.compile(r"(?P<crop>.+) \(tonnes per hectare\)")


def adapt(name: str, sources: Sequence[Path], *, out: Path) -> Summary:
    """Write ``labels.parquet`` from one or several folders of a public data set; return what was counted.

    Parameters
    ----------
    name : str
        Which data set; the names of `ADAPTERS`.
    sources : sequence of Path
        Its folders. Every file of the right kind in them joins in; rows that stand twice count once.
    out : Path
        Folder to write, replaced as a whole.

    Raises
    ------
    WrongUsageError
        ``adapter_unknown`` for a name that is not in the table.
    InputUnusableError
        ``labels_missing`` if no folder holds a file of that kind; ``column_missing`` for one without its keys.
    """
    from agrocredit.store.folders import atomic_folder
    from agrocredit.store.lock import hold
    from agrocredit.store.tables import write_parquet

    if name not in ADAPTERS:
        raise WrongUsageError("adapter_unknown", f"{name!r}, expected one of {', '.join(ADAPTERS)}")
    labels = ADAPTERS[name](sources)
    labels = labels.drop_duplicates().sort_values(["region", "unit", "crop", "harvest_year"], ignore_index=True)
    with hold(out), atomic_folder(out, kind="labels") as folder:
        write_parquet(_as_table(labels), folder / "labels.parquet")
    counts = {"labels": len(labels), "regions": labels["region"].nunique(), "crops": labels["crop"].nunique()}
    years = f"{labels['harvest_year'].min()}-{labels['harvest_year'].max()}"
    return Summary(counts=counts, facts={"years": years, "out": str(out)})


def _as_table(labels: pd.DataFrame) -> object:
    import pyarrow as pa

    return pa.Table.from_pandas(labels[list(LABEL_COLUMNS)], preserve_index=False)


def _national_fao(sources: Sequence[Path]) -> pd.DataFrame:
    """Return national yields as published by Our World in Data from FAOSTAT; a 0 there means not reported."""
    import pandas as pd

    tables = [_fao_table(path) for path in _files(sources, "*.csv")]
    wide = pd.concat(tables, ignore_index=True)
    long = wide.melt(id_vars=list(_FAO_KEYS), var_name="crop", value_name="yield_t_ha")
    long = long[long["yield_t_ha"].fillna(0) > 0]
    region = long["Code"].where(long["Code"].notna() & (long["Code"] != ""), long["Entity"])
    return pd.DataFrame(
        {
            "unit": region,
            "region": region,
            "crop": long["crop"].map(_fao_crop_name),
            "harvest_year": long["Year"].astype("int32"),
            "yield_t_ha": long["yield_t_ha"].astype("float64"),
            "longitude": float("nan"),
            "latitude": float("nan"),
        }
    )


def _fao_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_csv(path)
    missing = [key for key in _FAO_KEYS if key not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns[:6]))
        raise InputUnusableError("column_missing", f"{path.name}: no column {', '.join(missing)}; found {found}")
    return table[[*_FAO_KEYS, *(column for column in table.columns if _FAO_CROP.fullmatch(column))]]


def _fao_crop_name(column: str) -> str:
    match = _FAO_CROP.fullmatch(column)
    assert match is not None, column  # noqa: S101 - _fao_table let only such columns through
    return match["crop"].lower().replace(" ", "_")


def _files(sources: Sequence[Path], pattern: str) -> list[Path]:
    files = sorted(path for source in sources for path in source.glob(pattern))
    if not files:
        places = ", ".join(str(source) for source in sources)
        raise InputUnusableError("labels_missing", f"no {pattern} file in {places}")
    return files


ADAPTERS: dict[str, Callable[[Sequence[Path]], pd.DataFrame]] = {"national_fao": _national_fao}
"""Data sets that can be adapted, by the name of their folder."""
