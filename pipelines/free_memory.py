"""Hands memory that was freed back to the system."""

from __future__ import annotations

import ctypes


def give_back_free_memory() -> None:
    """Let the system have what Arrow and the C library keep for later, where they can.

    What reading and weighing plots frees lies between what stays: both would keep it, with a million plots more than
    all that is used.
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
