"""Published limits: one file a lender, read in place, swapped whole.

A look-up must cost next to nothing and ask no database, so the file holds ready answers beside columns, found through
a table of hashes; it is mapped, not read, and shared by all processes. A new one takes its place by a rename: whoever
reads sees the old one or the new one, never a mixture.

Layout: magic, header length, header (JSON: words, column offsets), then columns of one type each.
"""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.atomic import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC = b"AGCLIM1\n"
_HEADER = struct.Struct("<8sQ")
_ALIGN = 64
_SLOTS_A_ROW = 2
WORD_COLUMNS = ("season", "as_of", "outcome", "currency", "binding_cap", "due_on", "policy", "policy_version")
"""Text columns; few distinct words each, so a row holds their numbers."""


def snapshot_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the file of some published limits; the same rows in any order give the same bytes.

    Parameters
    ----------
    rows : sequence of mappings
        ``farmer_id``, ``limit_minor``, `WORD_COLUMNS` (text or None), and ``answer``: the bytes a look-up gives back.

    Raises
    ------
    InputUnusableError
        ``id_duplicated``.
    """
    rows = sorted(rows, key=lambda row: row["farmer_id"])
    ids = [row["farmer_id"].encode() for row in rows]
    if len(set(ids)) < len(ids):
        raise InputUnusableError("id_duplicated", "a farmer stands twice among the limits, expected the newest alone")
    words = sorted({row[name] for row in rows for name in WORD_COLUMNS if row[name] is not None})
    number = {word: at for at, word in enumerate(words, start=1)}
    ends = np.cumsum([0, *(len(row["answer"]) for row in rows)])
    columns: dict[str, NDArray[Any]] = {
        "slots": _slots(ids),
        "ids": np.array(ids, dtype=f"S{max(map(len, ids), default=1)}"),
        "limit_minor": np.array([row["limit_minor"] for row in rows], dtype="<i8"),
        **{name: np.array([number.get(row[name], 0) for row in rows], dtype="<u4") for name in WORD_COLUMNS},
        "answer_ends": ends.astype("<u8"),
        "answers": np.frombuffer(b"".join(row["answer"] for row in rows), dtype="u1"),
    }
    return _file(columns, words)


def write_snapshot(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Put a snapshot in place of the one at `path`, atomically; rows as in `snapshot_bytes`."""
    write_bytes(snapshot_bytes(rows), path)


@dataclass(frozen=True, slots=True)
class LimitSnapshot:
    """A mapped snapshot."""

    size: int
    slots: NDArray[np.uint32]
    """Row of each slot, counted from 1; 0 for an empty one."""
    ids: NDArray[np.bytes_]
    words: NDArray[np.object_]
    """Word by number; None at 0."""
    limit_minor: NDArray[np.int64]
    word_columns: Mapping[str, NDArray[np.uint32]]
    answer_ends: NDArray[np.uint64]
    answers: memoryview

    def answer(self, farmer_id: str) -> bytes | None:
        """Return the ready answer about one farmer, None for one who is not in the snapshot."""
        wanted = farmer_id.encode()
        mask = len(self.slots) - 1
        slot = zlib.crc32(wanted) & mask
        while row := self.slots.item(slot):
            if self.ids.item(row - 1) == wanted:
                return bytes(self.answers[self.answer_ends.item(row - 1) : self.answer_ends.item(row)])
            slot = (slot + 1) & mask
        return None

    def columns(self, farmer_ids: Sequence[str]) -> dict[str, list[Any]]:
        """Return the columns of many farmers in their order, None throughout for those who are not in the snapshot."""
        if not self.size:
            return {name: [None] * len(farmer_ids) for name in ("limit_minor", *self.word_columns)}
        at, absent = self._rows(farmer_ids)
        limits: list[Any] = self.limit_minor[at].tolist()
        for position in absent.tolist():
            limits[position] = None
        found = {"limit_minor": limits}
        for name, column in self.word_columns.items():
            numbers = column[at]
            numbers[absent] = 0
            found[name] = self.words.take(numbers).tolist()
        return found

    def _rows(self, farmer_ids: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the row of each id, any row for one that has none, and the places of those."""
        # One byte wider than any id here, so that a longer one, cut to this width, is equal to none.
        width = f"S{self.ids.dtype.itemsize + 1}"
        try:
            keys = np.array(farmer_ids, dtype=width)
        except UnicodeEncodeError:  # NumPy takes ASCII only, at half the price
            keys = np.array([*map(str.encode, farmer_ids)], dtype=width)
        # The rows are sorted by id: for many at once cheaper than a hash each.
        at = np.minimum(np.searchsorted(self.ids, keys.astype(self.ids.dtype)), self.size - 1)
        return at, np.flatnonzero(self.ids[at] != keys)


def open_snapshot(path: Path) -> LimitSnapshot:
    """Return the snapshot at a path, mapped.

    Raises
    ------
    InputUnusableError
        ``snapshot_invalid``.
    FileNotFoundError
        If nothing is published there.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _mapped(mapped)
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise InputUnusableError("snapshot_invalid", f"{path.name} is no snapshot of limits") from error


def _mapped(mapped: mmap.mmap) -> LimitSnapshot:
    magic, length = _HEADER.unpack_from(mapped)
    if magic != _MAGIC:
        raise ValueError(magic)
    header = json.loads(mapped[_HEADER.size : _HEADER.size + length])
    column: dict[str, NDArray[Any]] = {
        name: np.frombuffer(mapped, dtype=kind, count=count, offset=offset)
        for name, (kind, count, offset) in header["columns"].items()
    }
    return LimitSnapshot(
        size=len(column["limit_minor"]),
        slots=column["slots"],
        ids=column["ids"],
        words=np.array([None, *header["words"]], dtype=object),
        limit_minor=column["limit_minor"],
        word_columns={name: column[name] for name in WORD_COLUMNS},
        answer_ends=column["answer_ends"],
        answers=column["answers"].data,
    )


def _slots(ids: Sequence[bytes]) -> NDArray[np.uint32]:
    """Return the table of hashes: open addressing, at most half full."""
    count = 1 << max(1, (_SLOTS_A_ROW * len(ids)).bit_length())
    slots = [0] * count
    for row, one in enumerate(ids, start=1):
        slot = zlib.crc32(one) & (count - 1)
        while slots[slot]:
            slot = (slot + 1) & (count - 1)
        slots[slot] = row
    return np.array(slots, dtype="<u4")


def _file(columns: Mapping[str, NDArray[Any]], words: Sequence[str]) -> bytes:
    """Return the columns behind their header; the offsets in it depend on its own length, so it is padded."""
    table: dict[str, tuple[str, int, int]] = {}
    parts: list[bytes] = []
    at = 0
    for name, column in columns.items():
        table[name] = (column.dtype.str, len(column), at)
        data = column.tobytes()
        parts += [data, b"\0" * (-len(data) % _ALIGN)]
        at += len(data) + len(parts[-1])
    room = len(_header(table, words, start=10**15))
    start = _HEADER.size + room + -(_HEADER.size + room) % _ALIGN
    header = _header(table, words, start=start).ljust(start - _HEADER.size)
    return b"".join([_HEADER.pack(_MAGIC, len(header)), header, *parts])


def _header(table: Mapping[str, tuple[str, int, int]], words: Sequence[str], *, start: int) -> bytes:
    placed = {name: (kind, count, offset + start) for name, (kind, count, offset) in table.items()}
    return json.dumps({"columns": placed, "words": words}, separators=(",", ":")).encode()
