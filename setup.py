"""Puts the released models and the facts into the wheel, as ``agrocredit/_bundled``; the tree keeps them once."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

_KINDS = ("data", "models")
_ROOT = Path(__file__).resolve().parent


class BuildWithBundled(build_py):
    """The usual build of the package, then copies of ``data/`` and ``models/`` beside it in the build folder."""

    def run(self) -> None:
        """Build the modules; copy the bundled files unless the install is editable, which reads them in place."""
        super().run()
        if self.editable_mode:
            return
        # An earlier build in the same folder may hold files that are gone from the tree.
        shutil.rmtree(self._bundled(), ignore_errors=True)
        for source, target in self._copies():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:  # noqa: FBT001, FBT002 - setuptools' signature
        """Return what the build writes."""
        outputs: list[str] = super().get_outputs(include_bytecode)
        return outputs if self.editable_mode else [*outputs, *(str(target) for _, target in self._copies())]

    def get_source_files(self) -> list[str]:
        """Return what a source distribution needs."""
        files: list[str] = super().get_source_files()
        return [*files, *(source.relative_to(_ROOT).as_posix() for source, _ in self._copies())]

    def _bundled(self) -> Path:
        return Path(self.build_lib) / "agrocredit" / "_bundled"

    def _copies(self) -> list[tuple[Path, Path]]:
        return [
            (source, self._bundled() / source.relative_to(_ROOT))
            for kind in _KINDS
            for source in sorted((_ROOT / kind).rglob("*"))
            if source.is_file() and not any(part.startswith((".", "__")) for part in source.relative_to(_ROOT).parts)
        ]


setup(cmdclass={"build_py": BuildWithBundled})
