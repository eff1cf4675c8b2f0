"""What a report is drawn from, checked at the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pyarrow as pa

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import conform
from agrocredit.domain.units import area_from_m2

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from agrocredit.domain.crop import Crop

Table: TypeAlias = pd.DataFrame | pa.Table
Sentences: TypeAlias = Callable[[str], str] | Mapping[str, str]

PLOT_COLUMNS = ("id", "area_m2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInputs:
    """The tables of one run and the words to tell them with. Absent tables mean that the run stopped before them."""

    title: str
    """What the page calls the run."""
    simulated: bool
    """True puts a banner on the page that says so."""
    plots: GeoDataFrame
    """Columns id, geometry (EPSG:4326) and area_m2; optional farmer_id, crop, declared_area_m2."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """``manifest.json`` of the observations."""
    observations: Table | None = None
    """Columns of the contract, with `index` among the index columns."""
    estimates: Table | None = None
    decisions: Table | None = None
    tranches: Table | None = None
    """Parts of the limits: ``farmer_id, amount_minor, currency, because, waits_until``."""
    notices: Sequence[Mapping[str, Any]] = ()
    """What farmers whose limit was cut are told: ``farmer_id``, ``season`` and ``sentences``."""
    holdings: Table | None = None
    """Columns farmer_id and plot_id; without it the plots' own farmer_id counts."""
    sentences: Sentences = field(default_factory=dict)
    """A reason code as a plain sentence; a code without one is shown as its words."""
    refused: Sequence[Mapping[str, Any]] = ()
    """Refusals of the run, as they stand in JSON; those of the manifest are added."""
    crops: Mapping[str, Crop] = field(default_factory=dict)
    """Crops by name, for their labels and the moisture at which a yield is stated."""
    area_unit: str = "ha"
    """Unit in which areas are shown: one of `agrocredit.domain.units.AreaUnit`."""
    index: str = "ndvi"
    """The index column that the curves show."""
    clear_fraction_min: float = 0.5
    """Share of a plot that must be seen for a look to count as clear on the curves, above 0 to 1."""
    gap_days_min: int = 20
    """Days without a clear look from which a gap is shaded."""

    def __post_init__(self) -> None:
        _check_plots(self.plots)
        area_from_m2(1.0, self.area_unit)
        if not 0 < self.clear_fraction_min <= 1:
            raise InputUnusableError(
                "valid_fraction_invalid", f"clear_fraction_min is {self.clear_fraction_min}, expected above 0 to 1"
            )
        if self.gap_days_min < 1:
            raise InputUnusableError("gap_days_invalid", f"gap_days_min is {self.gap_days_min}, expected 1 or more")

    def sentence(self, code: str) -> str:
        """Return the sentence for a reason code, or the code's own words where there is none."""
        text = self.sentences.get(code, "") if isinstance(self.sentences, Mapping) else self.sentences(code)
        return text or code.replace("_", " ").capitalize() + "."


def _check_plots(plots: GeoDataFrame) -> None:
    missing = [column for column in PLOT_COLUMNS if column not in plots.columns]
    if missing:
        raise InputUnusableError(
            "column_missing", f"plots: no column {', '.join(missing)}; found {', '.join(map(str, plots.columns))}"
        )
    if plots.crs is None or not plots.crs.equals("EPSG:4326", ignore_axis_order=True):
        raise InputUnusableError("crs_unsupported", f"plots in {plots.crs}, expected EPSG:4326")
    twice = plots["id"][plots["id"].duplicated()]
    if len(twice):
        raise InputUnusableError("id_duplicate", f"plots: id {twice.iloc[0]!r} stands more than once")


def checked_frame(table: Table | None, schema: pa.Schema, *, name: str) -> pd.DataFrame | None:
    """Return the rows of a table with the schema's columns, or None where there are no rows.

    Parameters
    ----------
    table : DataFrame, pyarrow Table or None
    schema : pyarrow Schema
        From `agrocredit.domain.tables`; other columns are left out.
    name : str
        What errors call the table.

    Raises
    ------
    InputUnusableError
        ``column_missing``, ``column_type_invalid`` or ``value_missing``, naming the table and column.
    """
    if table is None or len(table) == 0:
        return None
    if isinstance(table, pd.DataFrame):
        table = _arrow(table[[column for column in schema.names if column in table.columns]], name)
    frame: pd.DataFrame = conform(table, schema, name=name).to_pandas()
    return frame


def _arrow(frame: pd.DataFrame, name: str) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputUnusableError("column_type_invalid", f"{name}: {' '.join(map(str, error.args))}") from error
