"""Finds the files of a data set by the columns they hold, whatever they are called, and reads them with row numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from agrocredit.domain.errors import InputUnusableError, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.adapters.adapted import Source

READABLE = (".csv", ".parquet", ".geojson")


def find_files(sources: Sequence[Path], source: Source) -> tuple[dict[str, list[Path]], list[Refusal]]:
    """Return the files of each kind, and a refusal for every readable file that is of none.

    Parameters
    ----------
    sources : sequence of Path
        Folders, searched through; a file stands for itself.
    source : Source

    Raises
    ------
    InputUnusableError
        ``file_missing`` for a folder that is not there, ``labels_missing`` if no file holds yields, ``column_missing``
        if one would but for some columns.
    """
    found: dict[str, list[Path]] = {kind: [] for kind in source.kinds}
    refused: list[Refusal] = []
    for path in _candidates(sources):
        columns = column_names(path)
        kind = next((kind for kind, required in source.kinds.items() if required <= columns), None)
        if kind is None:
            refused.append(Refusal(code="column_missing", detail=_nearest(path, columns, source)))
        else:
            found[kind].append(path)
    if not any(found[kind] for kind in source.label_kinds):
        if refused:
            raise InputUnusableError("column_missing", refused[0].detail)
        places = ", ".join(map(str, sources))
        raise InputUnusableError("labels_missing", f"no {', '.join(READABLE)} file with yields in {places}")
    return found, refused


def column_names(path: Path) -> frozenset[str]:
    """Return the names of a file's columns, reading little of it.

    Raises
    ------
    InputUnusableError
        ``file_invalid`` with the cause.
    """
    try:
        if path.suffix == ".parquet":
            return frozenset(pq.read_schema(path).names)
        if path.suffix == ".geojson":
            features = _features(path)
            return frozenset(features[0]["properties"]) | {"geometry"} if features else frozenset()
        return frozenset(pd.read_csv(path, nrows=0).columns)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise InputUnusableError("file_invalid", f"{path.name}: {error}") from error


def read_rows(paths: Sequence[Path], *, text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return all rows of some files with their ``file`` name and ``row`` number from 1.

    Parameters
    ----------
    paths : sequence of Path
    text : tuple of str
        Columns that are names although they may look like numbers.

    Raises
    ------
    InputUnusableError
        ``file_invalid`` with the cause.
    """
    parts = []
    for path in paths:
        try:
            table = _read(path, text)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise InputUnusableError("file_invalid", f"{path.name}: {error}") from error
        origin = pd.DataFrame({"file": path.name, "row": range(1, len(table) + 1)}, index=table.index)
        parts.append(pd.concat([table, origin], axis=1))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def refuse_row(code: str, row: Any, detail: str) -> Refusal:  # noqa: ANN401 - a named tuple of whatever columns
    """Return the refusal of one row, given as by ``itertuples`` with its ``file`` and ``row``."""
    return Refusal(code=code, detail=f"{row.file}: {detail}", row=int(row.row))


def _read(path: Path, text: tuple[str, ...]) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".geojson":
        features = _features(path)
        geometries = [json.dumps(feature["geometry"]) for feature in features]
        return pd.DataFrame([feature["properties"] for feature in features]).assign(geometry=geometries)
    # Only an empty field is missing: "NA" is also a country and "None" a name.
    return pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=[""], low_memory=False)


def _features(path: Path) -> list[dict[str, dict[str, object]]]:
    found: list[dict[str, dict[str, object]]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    return found


def _candidates(sources: Sequence[Path]) -> list[Path]:
    files: set[Path] = set()
    for source in sources:
        if not source.exists():
            raise InputUnusableError("file_missing", f"no folder {source}")
        inside = [source] if source.is_file() else source.rglob("*")
        files |= {path for path in inside if path.suffix in READABLE and path.is_file()}
    return sorted(files)


def _nearest(path: Path, columns: frozenset[str], source: Source) -> str:
    """Return what the file lacks of the kind it is most like."""
    lacking = min((sorted(required - columns) for required in source.kinds.values()), key=len)
    return f"{path.name}: no column {', '.join(lacking)}; found {', '.join(sorted(columns)[:6])}"
