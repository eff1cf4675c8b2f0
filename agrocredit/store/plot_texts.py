"""Identifiers and attributes of plots: texts as people write them, areas as numbers; the rest is refused.

A column of a table is looked at as a whole: plain printable texts are what they are. Only what is left, and what comes
as single values from JSON or a database, is looked at one by one.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agrocredit.domain.errors import RefusedError
from agrocredit.store.plot_source import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TEXT_CHARACTERS_MAX = 200
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PLAIN = "^[!-~]([ -~]*[!-~])?$"
"""Visible ASCII, no space around it."""


def identifiers(values: pa.ChunkedArray | Sequence[object]) -> tuple[pa.Array, dict[int, RefusedError]]:
    """Return clean identifiers, null where there is none, and refusals of the missing, unusable and not unique.

    Parameters
    ----------
    values : pyarrow.ChunkedArray or sequence, shape (n,)
        As the file has them.

    Returns
    -------
    ids : pyarrow.StringArray, shape (n,)
    faults : dict
        ``text_invalid``, ``id_missing`` or ``id_duplicate``, by position from 0.
    """
    ids, faults = texts(values, "id")
    for index in np.flatnonzero(np.asarray(ids.is_null())).tolist():
        missing = RefusedError("id_missing", "no id, expected a text or whole number that no other has")
        faults.setdefault(index, missing)
    if not rises(ids) and len(ids.unique().drop_null()) < len(ids) - ids.null_count:
        found = ids.drop_null().value_counts()
        often = found.filter(pc.greater(found.field("counts"), 1)).to_pylist()
        counts = {one["values"]: one["counts"] for one in often}
        for index in np.flatnonzero(np.asarray(pc.is_in(ids, pa.array(counts, pa.string())))).tolist():
            text = ids[index].as_py()
            detail = f"{counts[text]} plots have the id {shown(text)}, expected one"
            faults[index] = RefusedError("id_duplicate", detail)
    return ids, faults


def rises(texts: pa.Array) -> bool:
    """Return whether each text is greater than the one before: then none is there twice, and they are sorted."""
    return bool(pc.all(pc.less(texts[:-1], texts[1:]), skip_nulls=False, min_count=0).as_py())


def texts(values: pa.ChunkedArray | Sequence[object], name: str) -> tuple[pa.Array, dict[int, RefusedError]]:
    """Return texts without surrounding space, whole numbers as text, null for what is empty; refuse the rest.

    Parameters
    ----------
    values : pyarrow.ChunkedArray or sequence, shape (n,)
    name : str
        Of the column, for messages.

    Returns
    -------
    texts : pyarrow.StringArray, shape (n,)
    faults : dict
        ``text_invalid`` by position from 0.
    """
    faults: dict[int, RefusedError] = {}
    if isinstance(values, pa.ChunkedArray) and (pa.types.is_integer(values.type) or pa.types.is_null(values.type)):
        return values.cast(pa.string()).combine_chunks(), faults
    if isinstance(values, pa.ChunkedArray) and _is_text(values.type):
        column = values.cast(pa.string()).combine_chunks()
        if _is_without_space(column):
            return column, faults
        plain = pc.and_(pc.match_substring_regex(column, _PLAIN), _is_short(column))
        odd = np.flatnonzero(~np.asarray(plain.fill_null(fill_value=True)))
        if not odd.size:
            return column, faults
        found = column.to_pylist()
    else:
        found = values.to_pylist() if isinstance(values, pa.ChunkedArray) else list(values)
        odd = np.arange(len(found))
    for index in odd.tolist():
        try:
            found[index] = _text(found[index], name)
        except RefusedError as error:
            found[index], faults[index] = None, error
    return pa.array(found, pa.string()), faults


def areas(values: pa.ChunkedArray | Sequence[object]) -> tuple[NDArray[np.float64], dict[int, RefusedError]]:
    """Return declared areas in m2, NaN where not given; whether one is above 0 is the plot's own rule.

    Parameters
    ----------
    values : pyarrow.ChunkedArray or sequence, shape (n,)

    Returns
    -------
    areas_m2 : ndarray of float64, shape (n,)
    faults : dict
        ``declared_area_invalid`` by position from 0, for what is no number.
    """
    if isinstance(values, pa.ChunkedArray) and (pa.types.is_float64(values.type) or pa.types.is_null(values.type)):
        return values.cast(pa.float64()).to_numpy(), {}
    given = values.to_pylist() if isinstance(values, pa.ChunkedArray) else values
    found, faults = np.full(len(given), np.nan), {}
    for index, value in enumerate(given):
        try:
            found[index] = _area(value)
        except RefusedError as error:
            faults[index] = error
    return found, faults


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_without_space(column: pa.StringArray) -> bool:
    """Return whether all texts are short visible ASCII without a space: most columns are, and bytes tell it fastest."""
    if column.null_count or not len(column):
        return False
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    sizes = np.diff(ends)
    if not 0 < sizes.min() <= sizes.max() <= TEXT_CHARACTERS_MAX:
        return False
    content = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    return bool(ord("!") <= content.min() <= content.max() <= ord("~"))


def _is_short(column: pa.Array) -> pa.Array:
    return pc.less_equal(pc.utf8_length(column), TEXT_CHARACTERS_MAX)


def _text(value: object, name: str) -> str | None:
    """Return a text without surrounding space, a whole number as text, None for what is empty; refuse the rest."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise RefusedError("text_invalid", f"{name} is {shown(value)}, expected a text or a whole number")
    text = value.strip()
    if len(text) > TEXT_CHARACTERS_MAX or not (text.isprintable() or all(map(_is_harmless, text))):
        raise RefusedError(
            "text_invalid", f"{name} is {shown(value)}, expected up to {TEXT_CHARACTERS_MAX} visible characters"
        )
    return text or None


def _is_harmless(character: str) -> bool:
    """Say whether a character is neither control, half of a surrogate pair, nor a mark that turns the reading order."""
    return unicodedata.category(character) not in {"Cc", "Cs"} and character not in _DIRECTION_MARKS


def _area(value: object) -> float:
    """Return a declared area in m2, NaN where not given."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RefusedError("declared_area_invalid", f"declared_area_m2 is {shown(value)}, expected a number above 0")
    try:
        return float(value)
    except OverflowError:
        return float("inf")
