"""Where released models and facts lie: beside the code in a checkout, inside the package in an installed wheel.

The wheel's copy is made while it is built (``setup.py``), so nothing is kept twice in the source tree.
"""

from __future__ import annotations

from pathlib import Path

from agrocredit.domain.errors import InputUnusableError

_PACKAGE = Path(__file__).resolve().parents[1]


def data_path(*parts: str) -> Path:
    """Return the path of something under ``data/``: facts with sources, or the sample region's settings.

    Parameters
    ----------
    *parts : str
        Folder and file names below ``data``; none gives the folder itself.

    Raises
    ------
    InputUnusableError
        ``bundled_missing`` if this installation does not hold it.

    Examples
    --------
    >>> data_path("facts").name
    'facts'
    """
    return _find("data", parts, package=_PACKAGE)


def models_path(*parts: str) -> Path:
    """Return the path of something under ``models/``: a released model's folder or one of its files.

    Parameters
    ----------
    *parts : str
        Release and file names below ``models``; none gives the folder itself.

    Raises
    ------
    InputUnusableError
        ``bundled_missing`` if this installation does not hold it.
    """
    return _find("models", parts, package=_PACKAGE)


def _find(kind: str, parts: tuple[str, ...], *, package: Path) -> Path:
    root = _root(kind, package=package)
    path = root.joinpath(*parts)
    # A release's name may come from a user: it must not lead out of the bundled folder.
    if not path.resolve().is_relative_to(root.resolve()) or not path.exists():
        raise InputUnusableError("bundled_missing", f"no {kind}/{'/'.join(parts)} under {root}")
    return path


def _root(kind: str, *, package: Path) -> Path:
    """Return the folder of this kind: the wheel's copy first, because a checkout never has one."""
    bundled = package / "_bundled" / kind
    if bundled.is_dir():
        return bundled
    checkout = package.parent / kind
    if checkout.is_dir() and (package.parent / "pyproject.toml").is_file():
        return checkout
    raise InputUnusableError("bundled_missing", f"neither {bundled} nor {checkout} exists, expected one folder {kind}")
