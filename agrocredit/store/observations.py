"""The observations dataset: one folder with ``manifest.json`` and flat Parquet parts, published whole.

The parts lie flat beside the manifest and the manifest lists them with their hashes. Tools that take a pattern read
``OBS/*.parquet`` at once; ``pyarrow.dataset.dataset(OBS, exclude_invalid_files=True)`` and dask take the folder itself.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import OBSERVATION_KEYS, conform, index_columns, observations
from agrocredit.store.canonical_json import write_json
from agrocredit.store.folders import atomic_folder
from agrocredit.store.tables import read_parquet_table, write_parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MANIFEST = "manifest.json"
KIND = "observations"


def write_observations(parts: Iterable[pa.Table], folder: Path, *, manifest: Mapping[str, Any]) -> None:
    """Publish an observations dataset in one step; equal parts and manifest give equal bytes.

    Parameters
    ----------
    parts : iterable of pyarrow.Table
        Rows in their final order, one file a part; taken one by one, so that they need not fit in memory together.
        Every part has the columns of the first: `OBSERVATION_KEYS`, then one float column an index.
    folder : Path
        Final name; an earlier dataset there is replaced.
    manifest : mapping
        The run's record (recipe, grids, scenes, refused, counts); ``parts`` is added here: file, rows, sha256.

    Raises
    ------
    InputUnusableError
        ``output_not_ours``, ``output_unwritable``, or what `agrocredit.domain.tables.conform` raises.
    """
    with atomic_folder(folder, kind=KIND) as temporary:
        listed: list[dict[str, object]] = []
        schema: pa.Schema | None = None
        for number, part in enumerate(parts):
            schema = schema or _schema_of(part)
            path = temporary / f"part-{number:05d}.parquet"
            write_parquet(conform(part, schema, name=f"{KIND} part {number}"), path)
            listed.append({"file": path.name, "rows": part.num_rows, "sha256": _sha256(path)})
            pa.default_memory_pool().release_unused()  # else each part would add to what Arrow keeps
        write_json({**manifest, "parts": listed}, temporary / MANIFEST)


def read_observations(folder: Path) -> pa.Table:
    """Return the rows of an observations dataset, in the order of its parts.

    Parameters
    ----------
    folder : Path
        Folder with ``manifest.json``; where the manifest lists no parts, all ``*.parquet`` in order of name.

    Returns
    -------
    pyarrow.Table
        Columns of `OBSERVATION_KEYS`, then the index columns (float64), as `agrocredit.domain.tables.observations`.

    Raises
    ------
    InputUnusableError
        ``file_missing`` without folder or manifest; ``observations_invalid`` for a broken manifest, a missing part or
        one whose bytes changed; ``parquet_invalid``; what `agrocredit.domain.tables.conform` raises.
    """
    tables = list(read_parts(folder))
    return pa.concat_tables(tables) if tables else OBSERVATION_KEYS.empty_table()


def read_parts(folder: Path) -> Iterator[pa.Table]:
    """Yield the rows of an observations dataset part by part, with the columns of the first.

    Parameters
    ----------
    folder : Path
        As in `read_observations`, whose errors it raises.
    """
    schema: pa.Schema | None = None
    for path in _parts(folder, read_manifest(folder)):
        table = read_parquet_table(path, None, KIND)
        schema = schema or _schema_of(table)
        yield conform(table, schema, name=KIND)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an observations dataset; errors as in `read_observations`."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputUnusableError("file_missing", f"{KIND}: no file {path}")
    try:
        manifest = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputUnusableError("observations_invalid", f"{path} is not JSON ({error})") from error
    if not isinstance(manifest, dict):
        raise InputUnusableError(
            "observations_invalid", f"{path} holds a {type(manifest).__name__}, expected an object"
        )
    for name in ("scenes", "refused"):
        listed = manifest.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise InputUnusableError("observations_invalid", f"{path}: {name} is not a list of objects")
    return manifest


def _schema_of(table: pa.Table) -> pa.Schema:
    return observations(index_columns(table.column_names))


def _parts(folder: Path, manifest: dict[str, Any]) -> list[Path]:
    listed = manifest.get("parts")
    if listed is None:
        return sorted(folder.glob("*.parquet"))
    try:
        expected = {str(part["file"]): str(part["sha256"]) for part in listed}
    except (TypeError, KeyError) as error:
        raise InputUnusableError(
            "observations_invalid", f"{folder / MANIFEST}: parts are not a list of files"
        ) from error
    for name, sha256 in expected.items():
        _check_part(folder, name=name, sha256=sha256)
    return [folder / name for name in expected]


def _check_part(folder: Path, *, name: str, sha256: str) -> None:
    if "/" in name or not name.endswith(".parquet"):
        raise InputUnusableError(
            "observations_invalid", f"{folder / MANIFEST}: part {name!r} is not a Parquet file here"
        )
    if not (folder / name).is_file():
        raise InputUnusableError("observations_invalid", f"{folder}: part {name} of the manifest is missing")
    if _sha256(folder / name) != sha256:
        raise InputUnusableError("observations_invalid", f"{folder / name} is not the file that the manifest lists")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
