"""Finds a released model by name or folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agrocredit.yields import Release
    from agrocredit.yields.area.release import AreaRelease


@lru_cache(maxsize=8)
def named_release(name: str) -> Release:
    """Return a release that ships, by its name, or one in a folder of the user's.

    Raises
    ------
    InputUnusableError
        ``release_missing``, ``model_untrusted``, ``model_invalid`` or ``model_format``, naming the file.
    """
    from agrocredit.yields import load_release

    return load_release(release_folder(name))


@lru_cache(maxsize=8)
def named_area_release(name: str) -> AreaRelease:
    """Return a release of areas that ships, by its name, or one in a folder of the user's.

    Raises
    ------
    InputUnusableError
        As `named_release`.
    """
    from agrocredit.yields.area.release import load_area_release

    return load_area_release(release_folder(name))


def release_folder(name: str) -> Path:
    """Return the folder of a release that ships, by its name, or a folder of the user's.

    Parameters
    ----------
    name : str
        A folder that is there counts before a name.
    """
    from agrocredit.store.bundled import models_path

    folder = Path(name)
    return folder if folder.is_dir() else models_path() / name
