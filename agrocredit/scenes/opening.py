"""Opening a scene: every asset brought, hashed and checked, the offset compared with the pixels, refusals collected.

The order: open the mask, the requested bands and the bands that check the offset; find the grid they share and refuse
what does not nest in it; look at a thinned sample; decide the offset. A band that fails is a refusal and the others
still serve. A mask that fails ends the scene, because without it cloud would count as crop.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.domain.errors import Refusal, RefusedError, WrongUsageError
from agrocredit.scenes import offset
from agrocredit.scenes.assets import MASK_DTYPES, REFLECTANCE_DTYPES, OpenAsset, open_asset
from agrocredit.scenes.bands import BAND_NAMES
from agrocredit.scenes.fetch import RemoteFetcher
from agrocredit.scenes.grids import reference_grid
from agrocredit.scenes.masks import land_lookup
from agrocredit.scenes.opened import MASK, OpenedScene, SceneRefusedError
from agrocredit.scenes.rasters import read_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid
    from agrocredit.scenes.fetch import Fetcher
    from agrocredit.scenes.scene import ReflectanceScale, Scene

_CHECK_BANDS = ("blue", "red", "nir")


def open_scene(
    scene: Scene,
    *,
    cache: Path | None,
    bands: Sequence[str],
    fetcher: Fetcher | None = None,
    scratch: Path | None = None,
) -> OpenedScene:
    """Return a scene opened for reading; close it, or use it in a ``with``.

    Besides the requested bands, blue, red and near infrared are opened where the scene has them, because they check the
    offset. They stand in `OpenedScene.sha256`; where one fails that was not requested, the check is not made.

    Parameters
    ----------
    scene : Scene
    cache : Path or None
        Folder for copies of remote assets; None keeps them only while the scene is open.
    bands : sequence of str
        Common names. A band that is absent or refused stands in `OpenedScene.refused`, and the others still serve.
    fetcher : Fetcher, optional
        Brings remote assets; by default https and object stores.
    scratch : Path, optional
        Where copies lie while the scene is open, if there is no cache; by default where the system keeps temporary
        files. A process that is killed leaves them there, so a run gives a folder that it clears itself.

    Raises
    ------
    SceneRefusedError
        Where the mask or every band fails; `refusals` names each asset.
    WrongUsageError
        ``bands_missing`` where no band is asked for.
    """
    if not bands:
        raise WrongUsageError("bands_missing", f"no band asked of {scene.scene_id}, expected at least one")
    resources = ExitStack()
    try:
        folder = cache or Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="agrocredit-", dir=scratch)))
        parts = _Parts(scene=scene, requested=tuple(bands), resources=resources)
        parts.open_all(folder=folder, fetcher=fetcher or RemoteFetcher(scene.access))
        grid = parts.nest()
        reflectance = parts.check_offset(grid)
        parts.check_usable()
        usable = [band for band in bands if band in parts.opened]
        return OpenedScene(
            scene=scene,
            opened=parts.opened,
            bands=usable,
            grid=grid,
            reflectance=reflectance,
            refused=parts.refused,
            resources=resources,
        )
    except BaseException:
        resources.close()
        raise


@dataclass(slots=True, kw_only=True)
class _Parts:
    """What has been opened and refused so far."""

    scene: Scene
    requested: tuple[str, ...]
    resources: ExitStack
    opened: dict[str, OpenAsset] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)

    def open_all(self, *, folder: Path, fetcher: Fetcher) -> None:
        """Open mask, requested bands and check bands, each file once; two names may share a file (nir, nir08)."""
        by_key: dict[str, OpenAsset | RefusedError] = {}
        for name in dict.fromkeys((MASK, *self.requested, *_CHECK_BANDS)):
            asset = self.scene.mask if name == MASK else self.scene.bands.get(name)
            if asset is None:
                self._refuse_absent(name)
                continue
            if asset.key not in by_key:
                dtypes = MASK_DTYPES if name == MASK else REFLECTANCE_DTYPES
                try:
                    one = open_asset(asset, scene=self.scene, dtypes=dtypes, cache=folder, fetcher=fetcher)
                except RefusedError as error:
                    by_key[asset.key] = error
                else:
                    by_key[asset.key] = one
                    self.resources.callback(one.dataset.close)
            result = by_key[asset.key]
            if isinstance(result, RefusedError):
                self._refuse(name, asset.key, result)
            else:
                self.opened[name] = result

    def nest(self) -> Grid:
        """Return the grid the bands share and refuse what does not nest in it."""
        self.check_usable()
        grid = reference_grid([self.opened[name].grid for name in BAND_NAMES if name in self.opened])
        for name, one in list(self.opened.items()):
            try:
                grid.factor_of(one.grid)
            except RefusedError as error:
                self._drop(name, error)
        self.check_usable()
        return grid

    def check_offset(self, grid: Grid) -> ReflectanceScale:
        """Return the declared reflectance with the verdict of the pixels.

        A coarse look, at a quarter of the cost, may confirm what is declared; of all else a closer one decides.
        """
        verdict = self.scene.declared
        for shape in dict.fromkeys((min(grid.height, side), min(grid.width, side)) for side in offset.SAMPLE_SIDES):
            verdict = self._verdict(shape)
            if verdict.check == "confirmed":
                break
        return verdict

    def _verdict(self, shape: tuple[int, int]) -> ReflectanceScale:
        """Return the declared reflectance with the verdict of pixels thinned to a shape."""
        raw = {name: self._thinned(name, shape) for name in (*_CHECK_BANDS, MASK) if name in self.opened}
        samples = {name: pixels for name, pixels in raw.items() if pixels is not None}
        declared = self.scene.declared
        if not all(name in samples for name in _CHECK_BANDS):
            return declared
        usable = np.ones(shape, dtype=np.bool_)
        for name in _CHECK_BANDS:
            usable &= samples[name] != self.opened[name].nodata
        land = land_lookup(self.scene.mask_kind, self.scene.mask_classes)
        if land is not None and MASK in samples:
            usable &= land[samples[MASK]]
        blue, red, nir = (samples[name] * declared.scale for name in _CHECK_BANDS)
        return offset.decide(declared, offset.evidence(blue, red, nir, usable=usable))

    def check_usable(self) -> None:
        """Raise where the mask or every requested band has failed."""
        mask_failed = self.scene.mask is not None and MASK not in self.opened
        if mask_failed or not any(band in self.opened for band in self.requested):
            what = "its mask fails" if mask_failed else "no requested band opens"
            first = self.refused[0]
            detail = f"{self.scene.scene_id}: {what}: {first.detail}"
            raise SceneRefusedError(first.code, detail, tuple(self.refused))

    def _thinned(self, name: str, shape: tuple[int, int]) -> NDArray[Any] | None:
        """Read a whole band brought to a shape, so bands of different grids lie on each other; None where it breaks."""
        one = self.opened[name]
        try:
            pixels: NDArray[Any] = read_window(
                one.dataset, rows=(0, one.grid.height), columns=(0, one.grid.width), out_shape=shape
            )
        except RefusedError as error:
            self._drop(name, error)
            return None
        return pixels

    def _refuse_absent(self, name: str) -> None:
        if name in self.requested:
            found = ", ".join(self.scene.bands)
            error = RefusedError("band_missing", f"no asset for {name}; the item has {found}")
            self.refused.append(error.refusal(scene_id=self.scene.scene_id, asset=name))

    def _refuse(self, name: str, key: str, error: RefusedError) -> None:
        refusal = error.refusal(scene_id=self.scene.scene_id, asset=key)
        if (name == MASK or name in self.requested) and refusal not in self.refused:
            self.refused.append(refusal)

    def _drop(self, name: str, error: RefusedError) -> None:
        dropped = self.opened.pop(name)
        self._refuse(name, dropped.asset.key, error)
