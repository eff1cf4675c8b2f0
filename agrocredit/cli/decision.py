"""``agrocredit decision``: one decision as a record, and the same answer again from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.books import ready
from agrocredit.cli.options import DecidedOn, Estimates, Finances, Holdings, IdField, Json, Plots, Policy, Previous
from agrocredit.cli.service_options import EMBEDDED, ServiceDatabase

if TYPE_CHECKING:
    from agrocredit.domain.summary import Summary
    from pipelines.progress import Progress

decision_app = typer.Typer(help="Decisions: replayable records.", no_args_is_help=True)


@decision_app.command()
def record(
    farmer: Annotated[str, typer.Argument(help="Farmer, as in the decisions table.")],
    season: Annotated[str, typer.Option(help="Season, as in the decisions table.")],
    estimates: Estimates,
    plots: Plots,
    policy: Policy,
    as_of: DecidedOn,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    holdings: Holdings = None,
    finances: Finances = None,
    previous: Previous = None,
    id_field: IdField = None,
    as_json: Json = False,
) -> None:
    """Write everything that one decision rests on, and its result, as one JSON file."""
    from pipelines.assess import AssessRequest
    from pipelines.decision_records import write_decision_record

    request = AssessRequest(
        estimates=estimates,
        plots=plots,
        policy=policy,
        as_of=as_of,
        out=out,
        holdings=holdings,
        finances=finances,
        previous=previous,
        id_field=id_field,
    )
    answer(lambda _: write_decision_record(request, farmer_id=farmer, season=season), as_json=as_json)


@decision_app.command()
def explain(
    record: Annotated[Path, typer.Argument(metavar="FILE", help="Decision record (JSON).")],
    language: Annotated[str, typer.Option(help="en, hi, sw or zh.")] = "en",
    policy: Annotated[str | None, typer.Option(help="Policy file, where it is not one that ships.")] = None,
    as_json: Json = False,
) -> None:
    """Say a decision in plain sentences: what happened, why, what would have changed it; the notice of a cut."""
    from pipelines.decision_records import explain_decision

    answer(
        lambda _: explain_decision(record, policy=policy, language=language),
        as_json=as_json,
        show=lambda summary: typer.echo("\n".join(cast("list[str]", summary.facts["sentences"]))),
    )


@decision_app.command()
def replay(
    record: Annotated[str, typer.Argument(metavar="ID|FILE", help="Decision of the service, or a record (JSON).")],
    policy: Annotated[str | None, typer.Option(help="Policy file, where it is not one that ships.")] = None,
    database: ServiceDatabase = EMBEDDED,
    as_json: Json = False,
) -> None:
    """Recompute a decision from its record; the same bytes, or the input that is missing."""

    def work(_: Progress) -> Summary:
        from pipelines.decision_records import replay_decision, replay_kept_decision

        if not record.startswith("decision_") or Path(record).exists():
            return replay_decision(Path(record), policy=policy)
        return replay_kept_decision(record, database=ready(database), policy=policy)

    answer(work, as_json=as_json)
