"""A look at a TIFF's directories before GDAL sees them: bounded, without decoding anything.

It refuses what would cost memory or time (a loop of directories, huge tags) and finds the commonest damage, a file cut
short, because every tile must lie within the file. Formats: TIFF 6.0 (Adobe, 1992) and BigTIFF (Maple Leaf, 2007).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DIRECTORIES_MAX = 64
"""A tile has 6 overviews, each with a mask perhaps."""
ENTRIES_MAX = 512
TAG_BYTES_MAX = 16_000_000
"""Offsets of a million tiles have 8 MB."""
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_OFFSETS, _COUNTS = {273, 324}, {279, 325}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How numbers are written in this file."""

    order: str
    big: bool

    def number(self, file: BinaryIO, size: int) -> int:
        code = {2: "H", 4: "I", 8: "Q"}[size]
        return int(struct.unpack(self.order + code, _exactly(file, size))[0])


def check_tiff(path: Path) -> None:
    """Check that a TIFF's directories are few, small and point inside the file.

    Raises
    ------
    RefusedError
        ``raster_too_large`` for a loop, too many directories or huge tags; ``asset_unreadable`` for a file cut short.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        layout, at = _header(file)
        seen: set[int] = set()
        while at:
            if at in seen or len(seen) >= DIRECTORIES_MAX:
                what = "a loop of directories" if at in seen else f"more than {DIRECTORIES_MAX} directories"
                raise RefusedError("raster_too_large", f"TIFF with {what}")
            seen.add(at)
            spans, at = _directory(file, layout, at=at, size=size)
            _check_spans(spans, size)


def tile_places(path: Path) -> tuple[NDArray[np.uint64], NDArray[np.uint64]] | None:
    """Return where the tiles of a TIFF's first image begin and how many bytes each has, row by row.

    Parameters
    ----------
    path : Path
        Of a file that `check_tiff` has passed.

    Returns
    -------
    tuple of ndarray, or None
        None where the first directory does not say so plainly.
    """
    with path.open("rb") as file:
        layout, at = _header(file)
        spans, _ = _directory(file, layout, at=at, size=path.stat().st_size)
    offsets, counts = spans.get("offsets"), spans.get("counts")
    return None if offsets is None or counts is None or offsets.shape != counts.shape else (offsets, counts)


def _header(file: BinaryIO) -> tuple[_Layout, int]:
    order = {b"II": "<", b"MM": ">"}.get(_exactly(file, 2))
    if order is None:
        raise RefusedError("asset_unreadable", "no TIFF header")
    magic = struct.unpack(order + "H", _exactly(file, 2))[0]
    layout = _Layout(order=order, big=magic == 43)
    if layout.big:
        _exactly(file, 4)
    return layout, layout.number(file, 8 if layout.big else 4)


def _directory(file: BinaryIO, layout: _Layout, *, at: int, size: int) -> tuple[dict[str, NDArray[np.uint64]], int]:
    """Check one directory; return where its tiles or strips lie, and where the next directory is, 0 for none."""
    file.seek(at)
    count = layout.number(file, 8 if layout.big else 2)
    if count > ENTRIES_MAX:
        raise RefusedError("raster_too_large", f"TIFF directory of {count} tags, expected at most {ENTRIES_MAX}")
    entry_bytes = 20 if layout.big else 12
    block = _exactly(file, count * entry_bytes)
    following = layout.number(file, 8 if layout.big else 4)
    spans: dict[str, NDArray[np.uint64]] = {}
    for start in range(0, len(block), entry_bytes):
        _check_entry(file, layout, block[start : start + entry_bytes], size=size, spans=spans)
    return spans, following


def _check_entry(
    file: BinaryIO, layout: _Layout, entry: bytes, *, size: int, spans: dict[str, NDArray[np.uint64]]
) -> None:
    tag, kind = struct.unpack(layout.order + "HH", entry[:4])
    wide = "Q" if layout.big else "I"
    values = struct.unpack(layout.order + wide, entry[4 : 12 if layout.big else 8])[0]
    inline = entry[12:] if layout.big else entry[8:]
    length = values * _TYPE_BYTES.get(kind, 1)
    if length > TAG_BYTES_MAX:
        raise RefusedError("raster_too_large", f"TIFF tag {tag} of {length} bytes, expected at most {TAG_BYTES_MAX}")
    if length <= len(inline):
        data = inline[:length]
    else:
        at = struct.unpack(layout.order + wide, inline)[0]
        if at + length > size:
            raise RefusedError(
                "asset_unreadable", f"TIFF tag {tag} ends at {at + length}, the file at {size}: cut short"
            )
        if tag not in _OFFSETS | _COUNTS:
            return
        file.seek(at)
        data = _exactly(file, length)
    if tag in _OFFSETS | _COUNTS and kind in {3, 4, 16}:
        numbers = np.frombuffer(data, dtype=f"{layout.order}u{_TYPE_BYTES[kind]}").astype(np.uint64)
        spans["offsets" if tag in _OFFSETS else "counts"] = numbers


def _check_spans(spans: dict[str, NDArray[np.uint64]], size: int) -> None:
    offsets, counts = spans.get("offsets"), spans.get("counts")
    if offsets is None or counts is None or offsets.shape != counts.shape:
        return  # GDAL decides about unusual layouts
    written = counts > 0  # a sparse file leaves tiles of missing values out
    end = int((offsets[written] + counts[written]).max(initial=0))
    if end > size:
        raise RefusedError("asset_unreadable", f"TIFF with tiles up to byte {end}, the file ends at {size}: cut short")


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise RefusedError("asset_unreadable", "TIFF ends within its header: cut short")
    return data
