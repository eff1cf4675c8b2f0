"""Reading a release's folder without trusting it, whatever its kind: formats first, then checksums, then numbers."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")

MANIFEST: Final = "model.toml"
WEIGHTS: Final = "weights.safetensors"
FILES: Final = ("calibration.json", "card.md", "scores.json", WEIGHTS)
"""Every file that a release of any kind holds beside its manifest."""

SCHEMA_VERSION: Final = 1
PLOTS: Final = "plot_season"
"""The kind of a release whose manifest states none."""

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
HEADER_BYTES_MAX: Final = 64 * 1024
"""A dozen small tensors need under 2 kB of header."""

_CODE_FORMATS = (b"\x80", b"PK\x03\x04", b"\x1f\x8b", b"(", b"c__")
"""First bytes of pickles (protocols 2 to 5, then 0) and of the archives that torch and joblib put them in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseForm:
    """What a folder must be for one of the loaders to read it."""

    kind: str
    versions: Mapping[str, int]
    """Of what the release was made under, by the manifest's names."""
    files: tuple[str, ...] = FILES


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFolder:
    """A folder whose bytes are those that its manifest names."""

    folder: Path
    document: Mapping[str, Any]
    """The manifest."""
    files: Mapping[str, bytes]
    sha256: str
    """Of the manifest, and through it of every file."""

    def parsed(self, name: str, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of the manifest or of a JSON file; a ``model_invalid`` where it stumbles."""
        if name == MANIFEST:
            return parse(self.folder, name, lambda: read(self.document))
        return parse(self.folder, name, lambda: read(json.loads(self.files[name])))

    def tensors(self, expected: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
        """Return the weights, after checking their names, shapes and that all are finite numbers."""
        return _loaded_tensors(self.folder, self.files[WEIGHTS], expected=expected)


def checked_folder(folder: Path, form: ReleaseForm) -> CheckedFolder:
    """Return a release's folder after checking its kind, every byte of it, and the versions it was made under.

    Parameters
    ----------
    folder : Path
        ``models/NAME``.
    form : ReleaseForm
        What the loader reads.

    Raises
    ------
    InputUnusableError
        ``release_missing`` if there is no such folder or file; ``model_format`` for a pickle, an archive or any other
        format; ``model_untrusted`` if a file is not the one the manifest names; ``model_invalid`` for another kind or
        version.
    """
    stated = read_file(folder, MANIFEST)
    document = _manifest(folder, stated)
    # The kind comes first: the files of another one would look wrong for reasons of their own.
    if (found := _kind(document)) != form.kind:
        raise InputUnusableError(
            "model_invalid", f"{folder.name} is a release of kind {found}, expected one of kind {form.kind}"
        )
    files = {name: read_file(folder, name) for name in form.files}
    _refuse_code(folder, files[WEIGHTS])
    _check_sums(folder, document, files, names=form.files)
    for name, version in {"schema_version": SCHEMA_VERSION, **form.versions}.items():
        if document.get(name) != version:
            raise InputUnusableError(
                "model_invalid", f"{folder.name}: {name} is {document.get(name)}, expected {version}"
            )
    return CheckedFolder(folder=folder, document=document, files=files, sha256=hashlib.sha256(stated).hexdigest())


def release_kind(folder: Path) -> str:
    """Return the kind that a release's manifest states, `PLOTS` where it states none.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    InputUnusableError
        ``release_missing`` without a manifest, ``model_invalid`` if it cannot be read.
    """
    return _kind(_manifest(folder, read_file(folder, MANIFEST)))


def _manifest(folder: Path, stated: bytes) -> dict[str, Any]:
    return parse(folder, MANIFEST, lambda: tomllib.loads(stated.decode()))


def _kind(document: Mapping[str, Any]) -> str:
    return str(document.get("kind", PLOTS))


def read_file(folder: Path, name: str) -> bytes:
    """Return the bytes of one file of a release.

    Raises
    ------
    InputUnusableError
        ``release_missing`` without it, ``model_format`` where a pickle stands in its place, ``model_invalid`` if it is
        larger than any release's.
    """
    path = folder / name
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise InputUnusableError(
                "model_invalid", f"{folder.name}/{name} has {size} bytes, most is {FILE_BYTES_MAX}"
            )
        return path.read_bytes()
    except OSError as error:
        others = sorted(p.name for p in folder.glob("*") if p.suffix in {".pkl", ".pickle", ".pt", ".pth", ".joblib"})
        if others:
            raise InputUnusableError(
                "model_format", f"release {folder.name} holds {others[0]}; only {WEIGHTS} is ever opened"
            ) from error
        raise InputUnusableError("release_missing", f"release {folder.name} has no {name}") from error


def _refuse_code(folder: Path, weights: bytes) -> None:
    """Refuse what is not the safetensors format, before anything parses it."""
    header = int.from_bytes(weights[:8], "little") if len(weights) >= 8 else -1
    if not weights[8:].startswith(b"{"):
        found = "a pickle or an archive of one" if weights.startswith(_CODE_FORMATS) else "another format"
        raise InputUnusableError(
            "model_format", f"{folder.name}/{WEIGHTS} is {found} ({weights[:4].hex() or 'empty'}), expected safetensors"
        )
    if not 0 < header <= min(HEADER_BYTES_MAX, len(weights) - 8):
        raise InputUnusableError(
            "model_invalid", f"{folder.name}/{WEIGHTS} claims a header of {header} bytes, most is {HEADER_BYTES_MAX}"
        )


def _check_sums(folder: Path, document: Mapping[str, Any], files: Mapping[str, bytes], *, names: Sequence[str]) -> None:
    """Refuse a file that is not the one the manifest names: ``model_untrusted``."""
    stated = document.get("files")
    for name in names:
        found = hashlib.sha256(files[name]).hexdigest()
        expected = stated.get(name) if isinstance(stated, dict) else None
        if found != expected:
            raise InputUnusableError(
                "model_untrusted",
                f"{folder.name}/{name} has sha256 {found[:12]}.., {MANIFEST} expects {expected!s:.12}..",
            )


def _loaded_tensors(
    folder: Path, weights: bytes, *, expected: Mapping[str, tuple[int, ...]]
) -> dict[str, torch.Tensor]:
    """Return the tensors of a weights file, after checking their names, shapes and that all are finite numbers."""
    try:
        tensors: dict[str, torch.Tensor] = load_tensors(weights)
    except (SafetensorError, ValueError, KeyError) as error:
        raise InputUnusableError("model_invalid", f"{folder.name}/{WEIGHTS}: {error}") from error
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != dict(expected):
        wrong = sorted(set(found.items()) ^ set(expected.items()))
        raise InputUnusableError("model_invalid", f"{folder.name}/{WEIGHTS}: shapes differ at {wrong[:2]}")
    for name, tensor in sorted(tensors.items()):
        if tensor.dtype != torch.float32 or not bool(torch.isfinite(tensor).all()):
            raise InputUnusableError(
                "model_invalid", f"{folder.name}/{WEIGHTS}: {name} is {tensor.dtype} or not finite, expected float32"
            )
    return tensors


def parse(folder: Path, name: str, read: Callable[[], T]) -> T:
    """Return what `read` makes of a file; anything it stumbles over is a ``model_invalid`` that names the file."""
    try:
        return read()
    except InputUnusableError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputUnusableError("model_invalid", f"{folder.name}/{name}: {type(error).__name__} {error}") from error
