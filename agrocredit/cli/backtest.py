"""``agrocredit backtest``: a policy replayed over past seasons with measured yields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from agrocredit.cli.answer import answer
from agrocredit.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from agrocredit.domain.summary import Summary

PLOT = Path("backtest.png")
WIDTH = 112


def backtest(
    policy: Annotated[str, typer.Option(help="Name of a policy that ships, or a TOML file.")],
    history: Annotated[Path, typer.Option(help="Folder in the canonical labelled form, see `data adapt`.")],
    prices: Annotated[
        Path | None,
        typer.Option(help="Farm-gate prices of past harvests: FAOSTAT's file of a country, or a plain table."),
    ] = None,
    area_ha: Annotated[
        list[float] | None, typer.Option(help="Size of a farm that stands for a unit; give several. [0.5, 1 and 2]")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Picture to write. [backtest.png; none with --json]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay a policy over past seasons, beside flat rules that lose the same share; simulated loans, real harvests."""
    from pipelines.backtest import AREAS_HA, BacktestRequest
    from pipelines.backtest import backtest as run

    request = BacktestRequest(
        policy=policy,
        history=history,
        prices=prices,
        areas_ha=tuple(area_ha) if area_ha else AREAS_HA,
        plot=plot or (None if as_json else PLOT),
    )
    answer(lambda progress: run(request, progress=progress), as_json=as_json, show=_shown_with(request.plot))


def _shown_with(plot: Path | None) -> Any:  # noqa: ANN401 - a callable on a summary
    def show(summary: Summary) -> None:
        from rich.console import Console

        console = Console(width=WIDTH, highlight=False, soft_wrap=False)
        facts, counts = summary.facts, summary.counts
        console.print(f"{facts['note']}")
        console.print(f"{facts['policy']} {facts['policy_version']}, prices: {facts['prices']}")
        console.print(", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items()))
        if facts["gain_at_equal_loss"] is None:
            return
        _show_policies(console, cast("Mapping[str, Mapping[str, Any]]", facts["policies"]), str(facts["currency"]))
        _show_gain(console, cast("Mapping[str, Any]", facts["gain_at_equal_loss"]), str(facts["policy"]))
        _show_fairness(console, cast("Mapping[str, Any]", facts["fairness"]), str(facts["currency"]))
        if plot:
            console.print(f"\npicture: {plot}")

    return show


def _show_policies(console: Console, policies: Mapping[str, Mapping[str, Any]], currency: str) -> None:
    from rich.table import Table

    from agrocredit.domain.money import minor_per_major

    table = Table(title=f"Rules at equal loss, credit in {currency}", title_justify="left")
    for name in ("rule", "farmers", "approved", "credit", "loss rate", "default", "predicted"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for name, row in policies.items():
        credit = f"{row['credit_minor'] / minor_per_major(currency):,.0f}"
        rates = [_percent(row[key], digits=2) for key in ("loss_rate", "realised_pd", "predicted_pd")]
        table.add_row(name.replace("_", " "), f"{row['farmers']:,}", f"{row['approved']:,}", credit, *rates)
    console.print(table)


def _show_gain(console: Console, gain: Mapping[str, Any], policy: str) -> None:
    for rule, found in gain["by_rule"].items():
        name = rule.replace("_", " ")
        if found["credit_share"] is None:
            console.print(f"{name}: loses more than {policy} at any scale that the smallest ticket allows")
            continue
        spans = [_span(found[f"{what}_low"], found[f"{what}_high"]) for what in ("credit", "farmers")]
        credit = f"{_percent(found['credit_share'], signed=True)} credit{spans[0]}"
        farmers = f"{_percent(found['farmers_share'], signed=True)} farmers{spans[1]}"
        console.print(f"{policy} over {name} at equal loss: {credit}, {farmers}")


def _show_fairness(console: Console, fairness: Mapping[str, Any], currency: str) -> None:
    from rich.table import Table

    from agrocredit.domain.money import minor_per_major

    table = Table(title=f"Fairness, limit in {currency}", title_justify="left")
    for name in ("group", "farmers", "approved", "ratio", "limit a ha", "ratio", "of qualified", "gap"):
        table.add_column(name, justify="left" if name == "group" else "right")
    for key in ("by_plot_size", "by_region"):
        rows = cast("Sequence[Mapping[str, Any]]", fairness[key])
        for row in rows:
            per_ha = row["limit_per_ha_minor"]
            table.add_row(
                row["group"],
                f"{row['farmers']:,}",
                _percent(row["approval_rate"]),
                _number(row["approval_ratio"]),
                "-" if per_ha is None else f"{per_ha / minor_per_major(currency):,.0f}",
                _number(row["limit_ratio"]),
                _percent(row["qualified_rate"]),
                _percent(row["qualified_gap"]),
            )
        table.add_section()
    console.print(table)
    below = fairness["below_ratio_min"]
    if below:
        console.print(f"approval below {fairness['ratio_min']} of the best group: {', '.join(below)}")
    console.print("by tenure: not in this data")


def _percent(value: float | None, *, digits: int = 1, signed: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.{digits}%}" if signed else f"{value:.{digits}%}"


def _span(low: float | None, high: float | None) -> str:
    return f" ({_percent(low, signed=True)} to {_percent(high, signed=True)})" if low is not None else ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
