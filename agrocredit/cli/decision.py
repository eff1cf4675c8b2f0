"""``agrocredit decision``: one decision as a record, and the same answer again from it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import IdField, Json, Plots, iso_date

decision_app = typer.Typer(help="Decisions: replayable records.", no_args_is_help=True)


@decision_app.command()
def record(
    farmer: Annotated[str, typer.Argument(help="Farmer, as in the decisions table.")],
    season: Annotated[str, typer.Option(help="Season, as in the decisions table.")],
    estimates: Annotated[Path, typer.Option(help="Parquet file written by estimate.")],
    plots: Plots,
    policy: Annotated[str, typer.Option(help="Name of a policy that ships, or a TOML file.")],
    as_of: Annotated[date, typer.Option(parser=iso_date, metavar="DATE", help="Day of the decision.")],
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    holdings: Annotated[Path | None, typer.Option(help="Who farms which plot: CSV or Parquet.")] = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Write everything that one decision rests on, and its result, as one JSON file."""
    from pipelines.assess import AssessRequest
    from pipelines.decision_records import write_decision_record

    request = AssessRequest(
        estimates=estimates, plots=plots, policy=policy, as_of=as_of, out=out, holdings=holdings, id_field=id_field
    )
    answer(lambda _: write_decision_record(request, farmer_id=farmer, season=season), as_json=as_json)


@decision_app.command()
def replay(
    record: Annotated[Path, typer.Argument(metavar="FILE", help="Decision record (JSON).")],
    policy: Annotated[str | None, typer.Option(help="Policy file, where it is not one that ships.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute a decision from its record; the same bytes, or the input that is missing."""
    from pipelines.decision_records import replay_decision

    answer(lambda _: replay_decision(record, policy=policy), as_json=as_json)
