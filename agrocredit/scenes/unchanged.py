"""What a scene was when it was observed, and whether its files still are, without decoding or fetching anything."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.cache import cached_path
from agrocredit.scenes.checksums import file_sha256, parse_multihash
from agrocredit.scenes.hrefs import Access, locate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agrocredit.scenes.scene import AssetRef, Scene


def description_sha256(scene: Scene) -> str:
    """Return the hash of all that a catalogue says of a scene, except where its files lie.

    Parameters
    ----------
    scene : Scene
    """
    bands = {name: _without_place(asset) for name, asset in sorted(scene.bands.items())}
    mask = None if scene.mask is None else _without_place(scene.mask)
    classes = dict(sorted(scene.mask_classes.items()))
    plain = replace(scene, bands=bands, mask=mask, mask_classes=classes, access=Access(root=""))
    return hashlib.sha256(repr(plain).encode()).hexdigest()


def is_unchanged(scene: Scene, sha256_of: Mapping[str, str], *, cache: Path | None) -> bool:
    """Return whether reading a scene now would read the bytes that were read before.

    Local files and cached copies are hashed. A remote file without a copy counts as unchanged only if the catalogue
    declares its SHA-256: what cannot be known is not.

    Parameters
    ----------
    scene : Scene
    sha256_of : mapping of str to str
        Asset key to SHA-256, of every file that was opened.
    cache : Path or None
        Folder of remote copies.
    """
    assets = {asset.key: asset for asset in (*scene.bands.values(), *filter(None, (scene.mask,)))}
    return sha256_of.keys() <= assets.keys() and all(
        _sha256_now(assets[key], scene, cache=cache) == digest for key, digest in sha256_of.items()
    )


def _sha256_now(asset: AssetRef, scene: Scene, *, cache: Path | None) -> str | None:
    try:
        location = locate(asset.href, base=asset.base, access=scene.access)
        path = location.path if location.kind == "file" else cache and cached_path(location, cache)
        if path and path.is_file():
            return file_sha256(path, checksum=asset.checksum, size_bytes=asset.size_bytes)
        algorithm, digest = parse_multihash(asset.checksum or "")
    except (RefusedError, OSError):
        return None
    return digest if algorithm == "sha256" and location.kind != "file" else None


def _without_place(asset: AssetRef) -> AssetRef:
    return replace(asset, href="", base="")
