"""Everything that is kept: atomic files and folders, locks, tables, plots, and the models and facts that ship along.

Whatever opens a file that is neither a scene nor weather stands here. Writes are atomic and deterministic: the same
inputs give the same bytes, and a reader never sees half an output.
"""
