"""The sample region's known yields beside what was seen of them, in the form that evaluation reads."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from pipelines.run_folder import RunFolder
    from pipelines.sample import SampleRegion


def write_labelled_series(run: RunFolder, sample: SampleRegion, *, out: Path) -> None:
    """Write labels, areas, history and weather of the sample with the run's observations as ``series.parquet``.

    Parameters
    ----------
    run : RunFolder
        A finished run over the sample.
    sample : SampleRegion
    out : Path
        Folder in the canonical labelled form; replaced whole.
    """
    import pyarrow.parquet as pq

    from agrocredit.store.folders import atomic_folder
    from agrocredit.store.tables import write_parquet

    units = pq.read_table(sample.labelled / "labels.parquet", columns=["unit", "harvest_year"])
    with atomic_folder(out, kind="labelled data") as folder:
        for name in ("labels.parquet", "static.parquet"):
            shutil.copyfile(sample.labelled / name, folder / name)
        shutil.copyfile(sample.history, folder / "history.csv")
        shutil.copyfile(sample.weather, folder / "weather.csv")
        write_parquet(_series(run.read_observations(), units), folder / "series.parquet")


def _series(observations: pa.Table, units: pa.Table) -> pa.Table:
    """Return the rows of labelled plots with the columns unit, year and date in place of the observation's keys."""
    import pyarrow as pa
    import pyarrow.compute as pc

    position = pc.index_in(observations["plot_id"], value_set=units["unit"].combine_chunks())
    rows = observations.filter(position.is_valid())
    keys = {
        "unit": rows["plot_id"],
        "year": units["harvest_year"].take(position.drop_null()),
        "date": rows["acquired_at"].cast(pa.timestamp("us")).cast(pa.date32()),
    }
    values = rows.drop_columns(["plot_id", "scene_id", "acquired_at"])
    return pa.table({**keys, **{name: values[name] for name in values.column_names}})
