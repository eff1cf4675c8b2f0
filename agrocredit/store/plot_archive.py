"""A zipped Shapefile, unpacked only after its table of contents is known to be harmless.

Sizes and ratio are checked against bombs, names against escapes, before a byte is unpacked. Only the members of the one
Shapefile are unpacked, under names of our own, into a temporary folder that goes away again.
"""

from __future__ import annotations

import errno
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.plot_source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS_MAX = 100
UNPACKED_BYTES_MAX = 1 << 30
RATIO_MAX = 200
"""Tables padded with spaces pack to a hundredth; bombs pack to a thousandth."""
RATIO_FROM_BYTES = 1 << 20
_NEEDED = (".shp", ".shx", ".dbf", ".prj")
_TAKEN = (*_NEEDED, ".cpg")
_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".zst")
_ESCAPE = re.compile(r"(^|/)\.\.(/|$)|^/|\\|^[A-Za-z]:|\x00")
_ENCRYPTED = 0x1


@contextmanager
def unpacked_shapefile(path: Path) -> Iterator[Path]:
    """Give the path of the Shapefile inside a ZIP archive, unpacked for the length of the block.

    Parameters
    ----------
    path : Path
        ZIP archive with exactly one Shapefile: ``.shp``, ``.shx``, ``.dbf``, ``.prj`` and, if present, ``.cpg``.

    Raises
    ------
    InputUnusableError
        ``archive_rejected`` for paths that lead out, links, encryption, an archive in the archive, too many or too
        large members, no or several Shapefiles, no ``.prj``, damaged content.
    """
    with tempfile.TemporaryDirectory(prefix="agrocredit-plots-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                members = _harmless(archive.infolist(), path)
                for suffix, member in _shapefile(members, path).items():
                    with archive.open(member) as source, (Path(folder) / f"plots{suffix}").open("wb") as target:
                        shutil.copyfileobj(source, target)
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            EOFError,
            zlib.error,
            RuntimeError,
            UnicodeDecodeError,
        ) as error:
            raise _rejected(path, f"not a readable ZIP archive ({shown(str(error))})") from error
        except OSError as error:
            if error.errno != errno.EINVAL:  # anything but an offset before the file, such as a full disk
                raise
            raise _rejected(path, "not a readable ZIP archive: a member begins outside of it") from error
        yield Path(folder) / "plots.shp"


def _rejected(path: Path, detail: str) -> InputUnusableError:
    return InputUnusableError("archive_rejected", f"{path}: {detail}")


def _harmless(members: list[zipfile.ZipInfo], path: Path) -> list[zipfile.ZipInfo]:
    """Return the members that are files, or raise for the first thing that has no place in a zipped Shapefile."""
    if len(members) > MEMBERS_MAX:
        raise _rejected(path, f"{len(members)} members, expected {MEMBERS_MAX} or fewer")
    total = sum(member.file_size for member in members)
    if total > UNPACKED_BYTES_MAX:
        raise _rejected(path, f"unpacks to {total} bytes, expected {UNPACKED_BYTES_MAX} or fewer")
    for member in members:
        _check_member(member, path)
    return [member for member in members if not member.is_dir()]


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    name = shown(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    # ZipInfo cuts names at a NUL and turns backslashes on some systems; the name as stored is what counts.
    if _ESCAPE.search(member.filename) or _ESCAPE.search(member.orig_filename):
        raise _rejected(path, f"member {name} leads out of the archive")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _rejected(path, f"member {name} is a link or device, expected files")
    if member.flag_bits & _ENCRYPTED:
        raise _rejected(path, f"member {name} is encrypted")
    if member.filename.lower().endswith(_ARCHIVES):
        raise _rejected(path, f"member {name} is an archive in the archive")
    if member.file_size > RATIO_FROM_BYTES and member.file_size > RATIO_MAX * max(member.compress_size, 1):
        raise _rejected(path, f"member {name} is packed over {RATIO_MAX} to 1")


def _shapefile(members: list[zipfile.ZipInfo], path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members of the one Shapefile by their suffix in lower case."""
    named = [(PurePosixPath(member.filename), member) for member in members]
    # macOS adds a shadow of each file.
    named = [(name, member) for name, member in named if "__MACOSX" not in name.parts and not name.name.startswith(".")]
    shapes = [name for name, _ in named if name.suffix.lower() == ".shp"]
    if len(shapes) != 1:
        raise _rejected(path, f"holds {len(shapes)} Shapefiles, expected one")
    stem = shapes[0].with_suffix("").as_posix().lower()
    found: dict[str, zipfile.ZipInfo] = {}
    for name, member in named:
        suffix = name.suffix.lower()
        if suffix in _TAKEN and name.with_suffix("").as_posix().lower() == stem:
            if suffix in found:
                raise _rejected(path, f"holds two {suffix} of {shown(shapes[0].name)}, expected one")
            found[suffix] = member
    missing = [suffix for suffix in _NEEDED if suffix not in found]
    if missing:
        raise _rejected(path, f"{shown(shapes[0].name)} comes without {', '.join(missing)}")
    return found
