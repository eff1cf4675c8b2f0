"""Errors with a stable code, and refusals: errors that are an answer about one input instead of the end of the run."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import IntEnum

_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
DETAIL_LENGTH_MAX = 1_000
"""Characters: a detail repeats what was found, and what was found may be a whole file."""
_KEPT_AT_END = 200


class ExitCode(IntEnum):
    """What a command's exit status says (contract, see ``docs/reference/commands.md``)."""

    DONE = 0
    """All inputs were used."""
    SOME_REFUSED = 1
    """Done, but some inputs were refused or a check failed; the report says which and why."""
    WRONG_USAGE = 2
    """The command line itself is wrong."""
    RUN_IN_PROGRESS = 3
    """Another run holds this output."""
    INPUT_UNUSABLE = 4
    """Nothing usable came in; nothing was written."""


def one_line(text: str) -> str:
    r"""Return a text as one line of printable characters, cut in its middle where it is long.

    What a user's file holds ends in logs and on terminals: a control character there would rule them.

    >>> one_line("no column\n \x1b[2J found")
    'no column \\x1b[2J found'
    """
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode() for character in line
        )
    if len(line) <= DETAIL_LENGTH_MAX:
        return line
    return f"{line[: DETAIL_LENGTH_MAX - _KEPT_AT_END - 5]} ... {line[-_KEPT_AT_END:]}"


class AgrocreditError(Exception):
    """An error that ends a command: one clear line with a stable code.

    Parameters
    ----------
    code : str
        Stable snake_case code, part of the contract.
    detail : str
        One line that names the thing, what was found and what was expected.
    """

    exit_code = ExitCode.INPUT_UNUSABLE

    def __init__(self, code: str, detail: str) -> None:
        if not _CODE.fullmatch(code):
            msg = f"error code {code!r} is not snake_case"
            raise ValueError(msg)
        super().__init__(code, detail)
        self.code = code
        self.detail = one_line(detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class InputUnusableError(AgrocreditError):
    """Nothing of an input can be used; nothing was written (exit 4)."""


class WrongUsageError(AgrocreditError):
    """The caller asked for something that does not exist (exit 2)."""

    exit_code = ExitCode.WRONG_USAGE


class RunInProgressError(AgrocreditError):
    """Another run holds this output (exit 3)."""

    exit_code = ExitCode.RUN_IN_PROGRESS

    def __init__(self, detail: str) -> None:
        super().__init__("run_in_progress", detail)

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.detail,)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Refusal:
    """One refused input, with what it names: a plot, a scene's asset, or a row. Stands in manifests and reports."""

    code: str
    """Stable snake_case code."""
    detail: str
    """One line: what was found and what was expected."""
    plot_id: str | None = None
    scene_id: str | None = None
    asset: str | None = None
    row: int | None = None
    """Of the table without its heading, counted from 1."""

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            msg = f"refusal code {self.code!r} is not snake_case"
            raise ValueError(msg)
        object.__setattr__(self, "detail", one_line(self.detail))

    def as_dict(self) -> dict[str, str | int]:
        """Return the record without its empty fields, as it stands in JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class RefusedError(AgrocreditError):
    """Raised deep in a room about one input; the flow turns it into a `Refusal` and goes on."""

    def refusal(
        self,
        *,
        plot_id: str | None = None,
        scene_id: str | None = None,
        asset: str | None = None,
        row: int | None = None,
    ) -> Refusal:
        """Return this error as a record about the named input."""
        return Refusal(code=self.code, detail=self.detail, plot_id=plot_id, scene_id=scene_id, asset=asset, row=row)
