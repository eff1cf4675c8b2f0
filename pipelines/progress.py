"""How a flow tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with a stage's name, what is done of it and how much there is."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """Note that `done` of `total` pieces of `stage` are finished."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Listen to nothing: the default of every flow."""
