"""A run's plots, looks, estimates and decisions into the service's store, and the limits as a snapshot for look-ups.

Every decision is made again from the run's tables on the way in: what is stored is a record that replays, and a run
whose decisions do not come out the same is refused before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.summary import Summary
from pipelines.progress import Progress, silent
from pipelines.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import geopandas as gpd
    import pyarrow as pa

    from agrocredit.store.sql import Database

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """What to publish, for whom."""

    run: Path
    """Run folder, as `region` or `demo` leaves it."""
    tenant_id: str
    snapshots: Path
    """Folder of the look-ups."""
    holdings: Path | None = None
    """The holdings that the run was decided with, if it was."""
    policy: str | None = None
    """Policy file, where it is not one that ships."""
    looks: bool = True
    """Publish what was seen as well: most of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    plots: gpd.GeoDataFrame
    holdings: pa.Table | None
    estimates: pa.Table
    records: list[dict[str, Any]]


def publish(request: PublishRequest, *, database: Database, now: datetime, progress: Progress = silent) -> Summary:
    """Publish a run; doing it again changes nothing.

    Parameters
    ----------
    request : PublishRequest
    database : Database
        With the schema of this version.
    now : datetime
    progress : Progress

    Raises
    ------
    InputUnusableError
        ``decision_differs``, ``plot_changed``, ``policies_mixed``, or what the readers of the run raise.
    RefusedError
        ``not_found`` if there is no such tenant.
    """
    from agrocredit.service.published import snapshot_path
    from agrocredit.store.limit_snapshot import write_snapshot
    from agrocredit.store.sql.credentials import tenant_of
    from agrocredit.store.sql.publishing import newest_decisions
    from pipelines.publish_rows import snapshot_row

    with database.oversee(read_only=True) as connection:
        tenant_of(connection, request.tenant_id)
    run = _read(request)
    _write_plots(run, request, database=database, now=now, progress=progress)
    added = _write_decisions(run, request, database=database, now=now, progress=progress)
    if request.looks:
        _write_looks(run, request, database=database, progress=progress)
    with database.read(request.tenant_id) as session:
        limits = [snapshot_row(dict(decision)) for decision in newest_decisions(session)]
    write_snapshot(limits, snapshot_path(request.snapshots, request.tenant_id))
    counts = {
        "plots": len(run.plots),
        "estimates": run.estimates.num_rows,
        "decisions": len(run.records),
        "decisions_new": added,
        "limits": len(limits),
    }
    days = sorted({record["as_of"] for record in run.records})
    return Summary(counts=counts, facts={"tenant": request.tenant_id, "as_of": days[-1] if days else None})


def _read(request: PublishRequest) -> _Run:
    """Read a run and make its decisions again."""
    from agrocredit.credit import decision_records, record_sha256
    from agrocredit.store.plot_files import read_plots
    from pipelines.assess import AssessRequest, read_case_tables

    folder = RunFolder(request.run)
    decisions = folder.read_decisions()
    made = {(row["policy"], row["as_of"]) for row in decisions.select(["policy", "as_of"]).to_pylist()}
    if len(made) != 1:
        detail = f"{request.run}: decisions under {len(made)} policies and days, expected one of each"
        raise InputUnusableError("policies_mixed", detail)
    name, as_of = made.pop()
    asked = AssessRequest(
        estimates=folder.estimates,
        plots=folder.plots,
        policy=request.policy or name,
        as_of=as_of,
        out=folder.decisions,
        holdings=request.holdings,
    )
    tables = read_case_tables(asked)
    records = list(decision_records(tables.cases))
    if [record_sha256(record) for record in records] != decisions["decision_sha256"].to_pylist():
        detail = (
            f"{request.run}: its decisions do not come out the same from its tables; expected the policy and holdings "
            "they were made with"
        )
        raise InputUnusableError("decision_differs", detail)
    return _Run(
        plots=read_plots(folder.plots).plots,
        holdings=tables.cases.holdings,
        estimates=tables.cases.estimates,
        records=records,
    )


def _write_plots(run: _Run, request: PublishRequest, *, database: Database, now: datetime, progress: Progress) -> None:
    from agrocredit.service.evidence import estimate_values
    from agrocredit.store.sql.publishing import publish_estimates, publish_holdings, publish_plots
    from pipelines.publish_rows import holding_rows, plot_rows

    by_plot: dict[str, list[dict[str, Any]]] = {}
    for row in run.estimates.to_pylist():
        by_plot.setdefault(row["plot_id"], []).append(estimate_values(row))
    seasons_of = {plot_id: sorted({row["season"] for row in rows}) for plot_id, rows in by_plot.items()}
    season_of = {plot_id: seasons[-1] for plot_id, seasons in seasons_of.items()}
    for start in range(0, len(run.plots), ROWS_AT_ONCE):
        rows = plot_rows(run.plots.iloc[start : start + ROWS_AT_ONCE], season_of=season_of, now=now)
        with database.write(request.tenant_id) as session:
            publish_plots(session, rows, now=now)
            publish_holdings(session, holding_rows(rows, run.holdings, seasons_of=seasons_of), now=now)
            publish_estimates(session, [found for row in rows for found in by_plot.get(row["id"], ())])
        progress("plots", start + len(rows), len(run.plots))


def _write_decisions(
    run: _Run, request: PublishRequest, *, database: Database, now: datetime, progress: Progress
) -> int:
    from agrocredit.credit import canonical_json, record_sha256
    from agrocredit.store.sql.decision_queries import decision_row
    from agrocredit.store.sql.ids import new_id
    from agrocredit.store.sql.publishing import publish_decisions

    added = 0
    for start, records in _batches(run.records):
        rows = [
            decision_row(
                new_id("decision"),
                record=record,
                record_bytes=canonical_json(record),
                sha256=record_sha256(record),
                now=now,
            )
            for record in records
        ]
        with database.write(request.tenant_id) as session:
            added += publish_decisions(session, rows, now=now)
        progress("decisions", start + len(records), len(run.records))
    return added


def _write_looks(run: _Run, request: PublishRequest, *, database: Database, progress: Progress) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    from agrocredit.store.sql.publishing import publish_observations
    from pipelines.publish_rows import observation_rows

    table = RunFolder(request.run).read_observations()
    for start, plot_ids in _batches(run.plots["id"].tolist()):
        rows = table.filter(pc.is_in(table["plot_id"], value_set=pa.array(plot_ids)))
        with database.write(request.tenant_id) as session:
            publish_observations(session, list(observation_rows(rows)), plot_ids=plot_ids)
        progress("looks", start + len(plot_ids), len(run.plots))


def _batches(items: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    for start in range(0, len(items), ROWS_AT_ONCE):
        yield start, items[start : start + ROWS_AT_ONCE]
