"""Runs a flow and answers: data on stdout, messages and progress on stderr, and the documented exit codes."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

from agrocredit.domain.errors import AgrocreditError, InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agrocredit.domain.summary import Summary
    from pipelines.progress import Progress

REFUSED_LINES_MAX = 20


def answer(
    run: Callable[[Progress], Summary],
    *,
    as_json: bool,
    show: Callable[[Summary], None] | None = None,
    refused_lines_max: int | None = REFUSED_LINES_MAX,
) -> NoReturn:
    """Run a flow under a progress bar, print what it did and exit with its code.

    Parameters
    ----------
    run : callable
        Takes a progress callback, returns the summary.
    as_json : bool
        Print the summary as one JSON object instead of text.
    show : callable, optional
        Prints the summary for people; the default lists the counts.
    refused_lines_max : int or None
        So many refusals are printed on stderr; None prints all.
    """
    try:
        with _bars() as progress:
            summary = run(progress)
    except AgrocreditError as error:
        _fail(error, as_json=as_json)
    except OSError as error:
        _fail(InputUnusableError("io_failed", f"{error.filename or ''} {error.strerror or error}"), as_json=as_json)
    except Exception as error:
        if os.environ.get("AGROCREDIT_DEBUG"):
            raise
        detail = f"{type(error).__name__}: {error}; run again with AGROCREDIT_DEBUG=1 for the whole story"
        _fail(InputUnusableError("internal_error", detail), as_json=as_json)
    if as_json:
        typer.echo(as_json_text(summary.as_dict()))
    else:
        (show or show_counts)(summary)
    _show_refused(summary, lines_max=len(summary.refused) if refused_lines_max is None else refused_lines_max)
    raise typer.Exit(summary.exit_code)


def as_json_text(answer: object) -> str:
    """Return strict JSON: readable, keys in their given order, no NaN."""
    return json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False)


def show_counts(summary: Summary) -> None:
    """Print counts and facts, one a line."""
    pairs = {**summary.counts, **summary.facts}
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        typer.echo(f"{name.replace('_', ' '):<{width}}  {_told(value)}")


def _told(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key} {part}" for key, part in value.items()) or "none"


def _show_refused(summary: Summary, *, lines_max: int) -> None:
    for refusal in summary.refused[:lines_max]:
        fields = refusal.as_dict()
        named = " ".join(f"{key}={value}" for key, value in fields.items() if key not in {"code", "detail"})
        typer.echo(f"refused {refusal.code}: {named} {refusal.detail}", err=True)
    if len(summary.refused) > lines_max:
        typer.echo(f"refused: {len(summary.refused) - lines_max} more, see --json or the report", err=True)
    for check in summary.failed_checks:
        typer.echo(f"failed: {check}", err=True)


def _fail(error: AgrocreditError, *, as_json: bool) -> NoReturn:
    typer.echo(str(error), err=True)
    if as_json:
        typer.echo(as_json_text({"error": {"code": error.code, "detail": error.detail}}))
    raise typer.Exit(error.exit_code)


@contextmanager
def _bars() -> Iterator[Progress]:
    """Yield a callback that draws one bar a stage on stderr, and nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _stage, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, object] = {}

        def step(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield step
