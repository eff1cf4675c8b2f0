"""Turn generated text into a compiled function, and keep it so that the next process does not compile again.

The text is written to a file named after its hash, in the user's cache folder, and numba keeps the machine code beside
it. One file serves one signature, and whoever writes it writes the same bytes, so processes that start together cannot
disturb each other. The text that runs is always the one in memory; the file only tells numba where it comes from.
Whatever goes wrong with the cache - no home, no space, a torn file - the function is compiled without it.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from functools import lru_cache
from importlib.abc import InspectLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType


def cache_folder() -> Path:
    """Return where compiled kernels are kept: ``AGROCREDIT_CACHE``, else the platform's folder for caches."""
    own = os.environ.get("AGROCREDIT_CACHE")
    if own:
        return Path(own)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "agrocredit"


@lru_cache(maxsize=64)
def compiled_function(source: str, name: str, signature: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the function `name` of a generated module, compiled for one signature.

    Parameters
    ----------
    source : str
        Text of the module; ``CACHE`` in it says whether numba may keep code. It runs: pass only text that was generated
        from checked parts.
    name : str
    signature : tuple of numba types
        Of the arguments.
    """
    text = f"# {name}{signature}\n{source}"
    try:
        return _compiled(text, name, signature, path=_written(text))
    except Exception:  # noqa: BLE001 - numba raises many things over a torn cache; what is wrong with the text fails again
        return _compiled(text, name, signature, path=None)


def _compiled(text: str, name: str, signature: tuple[Any, ...], *, path: Path | None) -> Callable[..., Any]:
    module_name = f"agrocredit_generated_{_hash(text)}"
    module = ModuleType(module_name)
    module.__dict__["CACHE"] = path is not None
    # numba looks the module up by name when it reads kept code back.
    sys.modules[module_name] = module
    _TextLoader(text, path).exec_module(module)
    function: Any = getattr(module, name)
    function.compile(signature)
    function.disable_compile()
    return function  # type: ignore[no-any-return]


def _written(text: str) -> Path:
    """Return the file that holds the text; written now if it is not there yet."""
    folder = cache_folder() / "kernels"
    path = folder / f"kernel_{_hash(text)}.py"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return path
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".tmp", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
    return path


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class _TextLoader(InspectLoader):
    """Loads one module from text in memory, under the name of the file that holds a copy."""

    def __init__(self, text: str, path: Path | None) -> None:
        self._text = text
        self._path = path

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - the interface of importlib
        """Return the text of the only module there is."""
        return self._text

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        return self.source_to_code(self.get_source(fullname), str(self._path or "<generated kernel>"))
