"""The command line: the only place that knows everything. Heavy imports stand inside commands: help is quick."""

from agrocredit.cli.app import main

__all__ = ["main"]
