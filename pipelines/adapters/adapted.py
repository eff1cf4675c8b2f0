"""The records that adapters exchange with the table of data sets: how files are known, and what came out of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from agrocredit.domain.errors import Refusal

LABEL_COLUMNS = ("unit", "region", "crop", "harvest_year", "yield_t_ha", "longitude", "latitude")
ORIGIN_COLUMNS = ("file", "row")
"""Where a row came from: name of its file and its number there, from 1. Never written, only named in refusals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRules:
    """What is known of a data set's yields before any is looked at."""

    zero_is_missing: bool
    """A yield of 0 stands for "not reported" and is left out, not refused."""
    placed: bool
    """Every row has a longitude and a latitude."""
    peers: Literal["own_years", "region_season"] | None
    """Whose median an entry error shows against: other years of the unit, or other units of region, crop and year."""
    peer_ratio_max: float = 8.0
    """An entry further above its peers' median has a slipped decimal point. Ours: about one and a half times the
    largest ratio in the published set, at least 5 because a good year after a drought is no error, at most 8 because a
    tenfold entry should not hide behind a bad year."""
    of_fields: bool = True
    """Yields of fields or averages of many; not of nations, whose few irrigated fields may hold green maize."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Metadata of the yield column: moisture basis and how it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """What an adapter made of its files; nothing is checked or deduplicated yet."""

    labels: pd.DataFrame
    """`LABEL_COLUMNS` and `ORIGIN_COLUMNS`, a row an entry, numbers still as found (not yet known to be numbers)."""
    static: pd.DataFrame
    """``unit`` and what does not change with the season."""
    series: pd.DataFrame | None = None
    """``unit, year, date``, variables and `ORIGIN_COLUMNS`; None for a set without any or with `series_parts`."""
    series_parts: Callable[[list[Refusal]], Iterator[pa.Table]] | None = None
    """Clean parts of a series too long for memory, in order; what they refuse is added to the list."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Unit of a column of series or static whose name does not end in it."""
    refused: Sequence[Refusal] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A public data set: its kinds of file and its adapter."""

    kinds: Mapping[str, frozenset[str]]
    """Columns that a file of each kind has at least; the first kind that fits a file names it."""
    label_kinds: tuple[str, ...]
    """Kinds that hold yields; one of them must be there."""
    rules: LabelRules
    read: Callable[[Mapping[str, Sequence[Path]]], Adapted]
