"""Digests of files, and the multihash that a catalogue declares (STAC file extension, ``file:checksum``).

A multihash is a code, a length and a digest in hexadecimal (https://multiformats.io/multihash/). Real catalogues use
SHA-2 256 (0x12) and, the Copernicus Data Space, SHA-3 256 (0x16).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

_ALGORITHMS = {"11": "sha1", "12": "sha256", "13": "sha512", "14": "sha3_512", "16": "sha3_256", "d501": "md5"}
_MULTIHASH = re.compile(r"(d501|[0-9a-f]{2})([0-9a-f]{2})([0-9a-f]+)")
_CHUNK_BYTES = 1 << 18
"""Stays in the second-level cache from reading to hashing."""


def file_sha256(path: Path, *, checksum: str | None = None, size_bytes: int | None = None) -> str:
    """Return the SHA-256 of a file, read once, after comparing size and multihash where they are declared.

    Parameters
    ----------
    path : Path
        A regular file.
    checksum : str, optional
        Declared multihash, hexadecimal.
    size_bytes : int, optional
        Declared size.

    Raises
    ------
    RefusedError
        ``asset_unreadable`` for another size, ``checksum_mismatch`` for another digest or one that cannot be checked.
    OSError
        Where the file cannot be read.
    """
    found_bytes = path.stat().st_size
    if size_bytes is not None and found_bytes != size_bytes:
        raise RefusedError("asset_unreadable", f"{path.name} has {found_bytes} bytes, the catalogue says {size_bytes}")
    algorithm, expected = parse_multihash(checksum) if checksum else ("sha256", None)
    ours, theirs = hashlib.sha256(), hashlib.new(algorithm)
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            chunk = buffer[:size]
            ours.update(chunk)
            if expected is not None and algorithm != "sha256":
                theirs.update(chunk)
    found = ours.hexdigest() if algorithm == "sha256" else theirs.hexdigest()
    if expected is not None and found != expected:
        raise RefusedError("checksum_mismatch", f"{path.name} has {algorithm} {found}, the catalogue says {expected}")
    return ours.hexdigest()


def parse_multihash(text: str) -> tuple[str, str]:
    """Return hashlib's name of the algorithm and the digest in hexadecimal.

    >>> parse_multihash("1220" + 64 * "a")[0]
    'sha256'

    Raises
    ------
    RefusedError
        ``checksum_mismatch`` for a text that is no multihash we can check: what cannot be checked is not trusted.
    """
    match = _MULTIHASH.fullmatch(text.lower())
    if match and match[1] in _ALGORITHMS and len(match[3]) == 2 * int(match[2], 16):
        algorithm = _ALGORITHMS[match[1]]
        if 2 * hashlib.new(algorithm).digest_size == len(match[3]):
            return algorithm, match[3]
    raise RefusedError(
        "checksum_mismatch", f"checksum {text[:80]!r} cannot be checked, expected a multihash of SHA-2 or SHA-3"
    )
