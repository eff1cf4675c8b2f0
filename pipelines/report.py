"""Draws the report of a run folder: reads what is there, hands it to the report room, writes one HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError, WrongUsageError
from agrocredit.domain.summary import Summary
from pipelines.known_crops import known_crops
from pipelines.run_folder import RunFolder
from pipelines.run_record import read_run_record

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pyarrow as pa


def write_report(run: Path, *, out: Path) -> Summary:
    """Write the page of a run; steps that are not there yet are told as such on it.

    Parameters
    ----------
    run : Path
        Folder with ``plots.parquet`` and, as far as the run came, ``observations``, ``estimates.parquet``,
        ``decisions.parquet`` and ``run.json``.
    out : Path
        HTML file, self-contained.

    Raises
    ------
    InputUnusableError
        ``run_missing`` for a folder without plots; what the readers raise.
    """
    from agrocredit.report import render_report
    from agrocredit.store.atomic import write_text

    folder = RunFolder(run)
    if not folder.plots.is_file():
        raise InputUnusableError("run_missing", f"{run} holds no plots.parquet, expected the folder of a run")
    page = render_report(_inputs(folder))
    write_text(page, out)
    return Summary(counts={"bytes": len(page.encode())}, facts={"report": str(out)})


def _inputs(folder: RunFolder) -> Any:  # noqa: ANN401 - ReportInputs, imported below
    from agrocredit.report import ReportInputs
    from agrocredit.store.observations import read_manifest

    record = read_run_record(folder.path)
    observed = folder.observations.is_dir()
    estimates = folder.read_estimates() if folder.estimates.is_file() else None
    decisions = folder.read_decisions() if folder.decisions.is_file() else None
    return ReportInputs(
        title=record.title if record else folder.path.resolve().name,
        simulated=record.simulated if record else False,
        plots=_plots(folder, estimates),
        manifest=read_manifest(folder.observations) if observed else {},
        observations=folder.read_observations() if observed else None,
        estimates=estimates,
        decisions=decisions,
        tranches=folder.read_tranches() if folder.tranches.is_file() else None,
        notices=folder.read_notices() if folder.notices.is_file() else (),
        sentences=_sentence,
        refused=[refusal.as_dict() for refusal in record.refused] if record else (),
        crops=known_crops(),
        area_unit=_area_unit(decisions),
    )


def _plots(folder: RunFolder, estimates: pa.Table | None) -> gpd.GeoDataFrame:
    """Return the plots; one that states no crop bears the crop it was estimated for."""
    from agrocredit.store.plot_files import read_plots

    plots = read_plots(folder.plots).plots
    if estimates is None:
        return plots
    estimated = dict(zip(estimates["plot_id"].to_pylist(), estimates["crop"].to_pylist(), strict=True))
    return plots.assign(crop=plots["crop"].where(plots["crop"].notna(), plots["id"].map(estimated)))


def _sentence(code: str) -> str:
    """Return the credit room's sentence for a code, or nothing for the codes of other rooms."""
    from agrocredit.credit import explain

    try:
        return explain(code)
    except WrongUsageError:
        return ""


def _area_unit(decisions: pa.Table | None) -> str:
    """Return the unit in which the policy speaks of areas, ha where no policy that ships decided."""
    from agrocredit.credit import load_policy

    names = set(decisions["policy"].to_pylist()) if decisions is not None else set()
    try:
        units = {load_policy(name).area_unit for name in names}
    except InputUnusableError:
        return "ha"
    return units.pop() if len(units) == 1 else "ha"
