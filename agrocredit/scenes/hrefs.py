"""Where a catalogue's hrefs may lead.

A catalogue may name files below its own folder, or on its own site where it is remote. Everything else must be named by
the user as an allowed root: a folder, ``https://host``, ``http://host:port`` or ``s3://bucket``. ``file:``, ``/vsi``
and other schemes are never followed. A named host may redirect to public https, nowhere else.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCHEME = re.compile(r"[A-Za-z][\w+.\-]*:")
"""Of a URL, and of GDAL's own path prefixes such as ``GTIFF_DIR:``."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A checked place of bytes."""

    kind: Literal["file", "http", "s3"]
    href: str
    """Absolute path with symbolic links resolved, or URL."""
    named: bool
    """The user named this host or bucket: it may be private, and credentials may be used."""

    @property
    def path(self) -> Path:
        """The local path; only of kind ``file``."""
        return Path(self.href)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The places one source may lead to."""

    root: str
    """Folder of a local source, with symbolic links resolved, or the URL folder of a remote one."""
    allow_roots: tuple[str, ...] = ()
    """More folders and URL roots that the user named."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Local folders whose files may be read."""
        roots = (self.root, *self.allow_roots)
        return tuple(Path(os.path.realpath(root)) for root in roots if not is_url(root))

    @property
    def named_sites(self) -> frozenset[tuple[str, str, int | None]]:
        """Scheme, host and port of the URL roots the user named."""
        return frozenset(_site(urlsplit(root)) for root in self.allow_roots if is_url(root))


def access_to(source: str, *, allow_roots: Sequence[str | Path] = ()) -> Access:
    """Return what a source named by the user may lead to.

    Parameters
    ----------
    source : str
        Path or URL of the document.
    allow_roots : sequence of str or Path
        Folders, ``https://host``, ``http://host:port`` or ``s3://bucket`` that the user names besides.
    """
    named = [str(root) for root in allow_roots]
    if is_url(source):
        named.append(source)  # naming a document names its site
        root = source.rsplit("/", 1)[0] + "/"
    else:
        root = str(Path(os.path.realpath(source)).parent)
    return Access(root=root, allow_roots=tuple(named))


def is_url(text: str) -> bool:
    """Return whether a text is a URL of a scheme we know rather than a path."""
    return text.startswith(("https://", "http://", "s3://"))


def joined(href: str, *, base: str) -> str:
    """Return the absolute path or URL of an href written in the document at `base`; nothing is checked yet.

    >>> joined("../B04.tif", base="s3://bucket/a/b/item.json")
    's3://bucket/a/B04.tif'
    """
    if _SCHEME.match(href):
        return href
    if not is_url(base):
        return os.path.join(os.path.dirname(base), href)  # noqa: PTH118, PTH120 - pathlib would fold a `//` or a `.` unseen
    scheme, rest = base.split(":", 1)
    return scheme + urljoin("http:" + rest, href).removeprefix("http")


def locate(href: str, *, base: str, access: Access) -> Location:
    """Return the checked location of an href.

    Parameters
    ----------
    href : str
        As written in the document.
    base : str
        Path or URL of the document.
    access : Access
        Where it may lead.

    Raises
    ------
    RefusedError
        ``href_not_allowed``, with the href and the reason. No request has gone out.
    """
    if not href or _CONTROL.search(href) or href.startswith(("/vsi", "<")):
        raise _refused(href, "not a plain path or URL")
    absolute = joined(href, base=base)
    if is_url(absolute):
        location = check_url(absolute, access=access)
        if not location.named:
            raise _refused(href, f"allow {_root_of(absolute)} if you trust it")
        return location
    if _SCHEME.match(absolute):
        raise _refused(href, "expected a path, https or s3")
    return _check_path(absolute, href=href, access=access)


def check_url(url: str, *, access: Access) -> Location:
    """Return the location of a URL whose scheme and host may be asked; its address is checked when it is asked.

    Raises
    ------
    RefusedError
        ``href_not_allowed``.
    """
    try:
        parts = urlsplit(url)
        site = _site(parts)
    except ValueError as error:
        raise _refused(url, str(error)) from error
    named = site in access.named_sites
    if parts.username or parts.password or not parts.hostname:
        raise _refused(url, "expected a host and no user name")
    if parts.scheme == "s3":
        if not _BUCKET.fullmatch(parts.hostname):
            raise _refused(url, "not a bucket name")
        return Location(kind="s3", href=url, named=named)
    if parts.scheme != "https" and not (parts.scheme == "http" and named):
        raise _refused(url, "expected https, or http to a host you allow")
    return Location(kind="http", href=url, named=named)


def _root_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _site(parts: SplitResult) -> tuple[str, str, int | None]:
    return (parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme))


def _check_path(path: str, *, href: str, access: Access) -> Location:
    real = Path(os.path.realpath(path))
    if str(real).startswith("/vsi") or not any(real.is_relative_to(folder) for folder in access.folders):
        raise _refused(href, "leaves the catalogue's folder; allow its root if you trust it")
    return Location(kind="file", href=str(real), named=True)


def _refused(href: str, why: str) -> RefusedError:
    return RefusedError("href_not_allowed", f"href {href[:200]!r}: {why}")
