"""Finds a released model by name or folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agrocredit.yields import Release


@lru_cache(maxsize=8)
def named_release(name: str) -> Release:
    """Return a release that ships, by its name, or one in a folder of the user's.

    Raises
    ------
    InputUnusableError
        ``release_missing``, ``model_untrusted``, ``model_invalid`` or ``model_format``, naming the file.
    """
    from agrocredit.store.bundled import models_path
    from agrocredit.yields import load_release

    folder = Path(name)
    return load_release(folder if folder.is_dir() else models_path() / name)
