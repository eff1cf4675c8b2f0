"""The command line: the only place that knows everything. Heavy imports stand inside the commands, so that help is quick."""

from agrocredit.cli.app import main

__all__ = ["main"]
