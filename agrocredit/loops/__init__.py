"""Loops over arrays as machine code that is kept on disk: the floor under the rooms that work on pixels.

``Loop(text, name)`` and ``Loop.of_file(path, name)`` -> a function written in Python, compiled for the types it is
called with; ``assembled(text, arguments=...)`` -> a function in LLVM's own language.
"""

from agrocredit.loops.assembly import assembled
from agrocredit.loops.loop import Loop

__all__ = ["Loop", "assembled"]
