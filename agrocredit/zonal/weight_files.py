"""Keep coverage weights on disk: one safetensors file, written whole or not at all, mapped into memory when read.

The layout of the file is that of safetensors (https://huggingface.co/docs/safetensors): eight bytes with the length of
a JSON header, the header, then the arrays one after the other. The header also holds the grid, the key and a SHA-256
of the arrays.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file

from agrocredit.domain.errors import AgrocreditError, InputUnusableError
from agrocredit.domain.grid import Grid
from agrocredit.zonal.layout import FORMAT
from agrocredit.zonal.weights import ARRAYS, CoverageWeights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_ENTRY = "agrocredit"
_DTYPES = {"U16": "<u2", "U32": "<u4", "I32": "<i4", "I64": "<i8", "F64": "<f8"}


def save_weights(weights: CoverageWeights, path: Path) -> None:
    """Write the weights to a file; a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    weights : CoverageWeights
    path : Path
        Its folder must exist.
    """
    arrays = {name: getattr(weights, name) for name in ARRAYS}
    about = {"format": FORMAT, "grid": asdict(weights.grid), "key": weights.key, "sha256": _digest(arrays)}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        save_file(arrays, temporary, metadata={_ENTRY: json.dumps(about, sort_keys=True)})
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def load_weights(path: Path, *, verify: bool = True) -> CoverageWeights:
    """Return the weights of a file, mapped into memory read-only.

    Parameters
    ----------
    path : Path
    verify : bool
        Read everything once and compare the SHA-256. A worker may leave it out if the process that sent it has done so.

    Raises
    ------
    InputUnusableError
        ``weights_invalid`` if the file is absent, torn, changed, or of another format.
    """
    try:
        arrays, about = _mapped(path)
        if about["format"] != FORMAT:
            raise InputUnusableError("weights_invalid", f"{path} has format {about['format']}, expected {FORMAT}")
        if verify and _digest(arrays) != about["sha256"]:
            raise InputUnusableError("weights_invalid", f"{path} is not what was written: its SHA-256 differs")
        return CoverageWeights(grid=Grid(**about["grid"]), key=about["key"], **arrays)
    except OSError as error:
        raise InputUnusableError("weights_invalid", f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputUnusableError("weights_invalid", f"{path} is no file of coverage weights: {error}") from error


def kept_weights(key: str, *, folder: Path, build: Callable[[], CoverageWeights]) -> CoverageWeights:
    """Return the weights of a key from a folder; built and put there if it has none that are whole.

    Parameters
    ----------
    key : str
        Content hash, which is also the file's name, so that many runs may share a folder.
    folder : Path
        Made if absent.
    build : callable
        Returns the weights of this key.
    """
    path = folder / f"{key}.weights"
    try:
        kept = load_weights(path)
    except AgrocreditError:
        pass
    else:
        if kept.key == key:
            return kept
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(build(), path)
    return load_weights(path, verify=False)


def _mapped(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of a safetensors file as views of the mapped file, and the entry about them."""
    data = np.memmap(path, np.uint8, "r")
    start = 8 + int(data[:8].view("<u8")[0])
    if start > data.size:
        raise ValueError(f"a header of {start - 8} bytes in a file of {data.size}")
    header = json.loads(data[8:start].tobytes())
    about = json.loads(header["__metadata__"][_ENTRY])
    arrays = {}
    for name in ARRAYS:
        first, last = header[name]["data_offsets"]
        if not 0 <= first <= last <= data.size - start:
            raise ValueError(f"{name} lies at {first} to {last} of {data.size - start} bytes")
        arrays[name] = data[start + first : start + last].view(_DTYPES[header[name]["dtype"]])
    return arrays, about


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].size} ".encode())
        digest.update(arrays[name].data)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    """Make the system write a file or folder down."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
