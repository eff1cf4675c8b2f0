"""A scene opened: rasters on their native grids, hashed, with the reflectance decision; pixels come window by window.

Bands stay in their own resolution: a band with factor 2 has one pixel where the scene's grid has 2 x 2. An
`OpenedScene` holds file handles, so it is opened, read and closed within one task of one thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from agrocredit.domain.errors import Refusal, RefusedError
from agrocredit.scenes.deflate_tiles import deflate_tiles
from agrocredit.scenes.masks import clear_lookup, clear_pixels
from agrocredit.scenes.rasters import read_window
from agrocredit.scenes.unchanged import description_sha256
from agrocredit.scenes.wanted_tiles import ClearWindow, clouded, spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack
    from types import TracebackType

    from numpy.typing import NDArray

    from agrocredit.domain.grid import Grid
    from agrocredit.scenes.assets import OpenAsset
    from agrocredit.scenes.deflate_tiles import DeflateTiles
    from agrocredit.scenes.scene import ReflectanceScale, Scene
    from agrocredit.scenes.wanted_tiles import TileSpan

MASK = "mask"
"""Name of the class map in `OpenedScene.read_window`, `OpenedScene.factors` and `OpenedScene.nodata`."""


class SceneRefusedError(RefusedError):
    """A scene cannot be used, or no further: mask, all bands or a block fail. `refusals` holds each reason."""

    def __init__(self, code: str, detail: str, refusals: tuple[Refusal, ...] = ()) -> None:
        super().__init__(code, detail)
        self.refusals = refusals

    def __reduce__(self) -> tuple[type, tuple[str, str, tuple[Refusal, ...]]]:
        return type(self), (self.code, self.detail, self.refusals)


class OpenedScene:
    """An open scene; made by `open_scene`, used as a context manager.

    Attributes
    ----------
    scene : Scene
    grid : Grid
        The scene's grid: the finest one of its bands.
    bands : tuple of str
        Requested bands that opened, in the order asked for.
    factors : mapping of str to int
        Band, or ``mask``, to the number of grid pixels along one of its own.
    nodata : mapping of str to float
        Band, or ``mask``, to its missing value in raw counts.
    reflectance : ReflectanceScale
        Scale and offset of all bands, checked against the pixels.
    mask : str
        ``scl``, ``classes`` or ``none``.
    clear : array of bool, shape (256,), or None
        True where a pixel of a class may be used; None where there is no mask: every pixel with data counts.
    sha256 : mapping of str to str
        Asset key to SHA-256, of every file that was opened.
    refused : tuple of Refusal
        Requested bands that did not open, or were given up later.
    """

    def __init__(
        self,
        *,
        scene: Scene,
        opened: Mapping[str, OpenAsset],
        bands: Sequence[str],
        grid: Grid,
        reflectance: ReflectanceScale,
        refused: Sequence[Refusal],
        resources: ExitStack,
    ) -> None:
        self._opened = dict(opened)
        self._resources = resources
        self._buffers: dict[str, NDArray[Any]] = {}
        self._tiles = {name: self._tiles_of(one) for name, one in opened.items()}
        self.scene = scene
        self.grid = grid
        self.bands = tuple(bands)
        self.factors = {name: grid.factor_of(one.grid) for name, one in opened.items()}
        self.nodata = {name: one.nodata for name, one in opened.items()}
        self.reflectance = reflectance
        self.mask = scene.mask_kind
        self.clear = clear_lookup(scene.mask_kind, scene.mask_classes)
        self.sha256 = {one.asset.key: one.sha256 for _, one in sorted(opened.items())}
        self.refused = tuple(refused)

    def _tiles_of(self, one: OpenAsset) -> DeflateTiles | None:
        """Return the direct reader of an asset's tiles; it is closed with the scene."""
        tiles = deflate_tiles(one.dataset, Path(one.dataset.name))
        if tiles is not None:
            self._resources.callback(tiles.close)
        return tiles

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files and drop copies that were kept only for this."""
        self._resources.close()

    def read_window(
        self,
        band: str,
        row0: int,
        row1: int,
        col0: int,
        col1: int,
        *,
        clear: ClearWindow | None = None,
        reuse: bool = False,
    ) -> NDArray[Any]:
        """Return a band's raw pixels that touch a window of the scene's grid, on the band's own grid.

        Parameters
        ----------
        band : str
            Common name, or ``mask``.
        row0, row1, col0, col1 : int
            Half-open window in pixels of `grid`. What lies outside the grid is cut off, so edge windows are shorter.
        clear : ClearWindow, optional
            The clear pixels of at least this window, from `clear_window`. Stored tiles without one are not decoded: the
            band's missing value stands there.
        reuse : bool
            Decode into memory that the next call for the same band overwrites, because fresh pages cost time.

        Returns
        -------
        array of uint16, int16 or, for the mask, uint8
            Rows ``row0 // f`` to ``ceil(row1 / f)`` of a band with factor f, columns alike. Pixel (row, col) of the
            grid is at ``[row // f - row0 // f, col // f - col0 // f]``. No scale, offset or mask is applied.

        Raises
        ------
        SceneRefusedError
            ``asset_unreadable`` where a block cannot be decoded; `refusals` names the asset.
        """
        one, factor = self._opened[band], self.factors[band]
        row0, col0 = max(row0, 0), max(col0, 0)
        rows = (row0 // factor, -(-min(row1, self.grid.height) // factor))
        columns = (col0 // factor, -(-min(col1, self.grid.width) // factor))
        window = self._room(band, (max(rows[1] - rows[0], 0), max(columns[1] - columns[0], 0)), reuse=reuse)
        if window.size:
            unwanted = clouded(clear, rows=rows, columns=columns, tile=one.dataset.block_shapes[0], factor=factor)
            for span in unwanted:
                span.part_of(window, rows, columns)[...] = one.missing
            self._decode(band, window, rows=rows, columns=columns, unwanted=unwanted)
        return window

    def clear_window(self, row0: int, col0: int, classes: NDArray[np.uint8]) -> ClearWindow | None:
        """Return which pixels of a window may be used, or None where the scene has no class map: then all may.

        Parameters
        ----------
        row0, col0 : int
            Upper left corner of the window, in pixels of `grid`.
        classes : ndarray of uint8
            As `read_window` returns the class map of the window.
        """
        if self.clear is None:
            return None
        is_clear = clear_pixels(classes, self.clear)
        return ClearWindow(row0=row0, col0=col0, factor=self.factors[MASK], is_clear=is_clear)

    def _room(self, band: str, shape: tuple[int, int], *, reuse: bool) -> NDArray[Any]:
        """Return an array to decode into."""
        dtype, size = np.dtype(self._opened[band].dataset.dtypes[0]), shape[0] * shape[1]
        if not reuse:
            return np.empty(shape, dtype)
        if band not in self._buffers or self._buffers[band].size < size:
            self._buffers[band] = np.empty(size, dtype)
        return self._buffers[band][:size].reshape(shape)

    def _decode(
        self,
        band: str,
        window: NDArray[Any],
        *,
        rows: tuple[int, int],
        columns: tuple[int, int],
        unwanted: Sequence[TileSpan],
    ) -> None:
        one, tiles = self._opened[band], self._tiles[band]
        if tiles is not None and tiles.read(window, rows=rows, columns=columns, unwanted=unwanted):
            return
        try:
            if not unwanted:
                window[...] = read_window(one.dataset, rows=rows, columns=columns)
                return
            for span in spans(rows, columns, tile=one.dataset.block_shapes[0]):
                if span not in unwanted:
                    part = read_window(one.dataset, rows=(span.row0, span.row1), columns=(span.col0, span.col1))
                    span.part_of(window, rows, columns)[...] = part
        except RefusedError as error:
            refusal = error.refusal(scene_id=self.scene.scene_id, asset=one.asset.key)
            raise SceneRefusedError(error.code, error.detail, (refusal,)) from error

    def give_up(self, error: SceneRefusedError) -> None:
        """Go on without the bands whose asset an error names; what was read of them must be thrown away.

        Parameters
        ----------
        error : SceneRefusedError
            What `read_window` raised.

        Raises
        ------
        SceneRefusedError
            With every refusal so far, where the class map is lost or no band is left.
        """
        lost = {refusal.asset for refusal in error.refusals}
        self.refused = (*self.refused, *error.refusals)
        self.bands = tuple(band for band in self.bands if self._opened[band].asset.key not in lost)
        if not self.bands or (MASK in self._opened and self._opened[MASK].asset.key in lost):
            raise SceneRefusedError(error.code, f"{self.scene.scene_id}: {error.detail}", self.refused) from error

    def manifest_entry(self) -> dict[str, Any]:
        """Return what a run's manifest says of this scene; plain values, no clock time."""
        scale = self.reflectance
        return {
            "scene_id": self.scene.scene_id,
            "acquired_at": self.scene.acquired_at.isoformat().replace("+00:00", "Z"),
            "acquisition": self.scene.acquisition,
            "tile": self.scene.tile,
            "baseline": self.scene.baseline,
            "item_sha256": description_sha256(self.scene),
            "scale": scale.scale,
            "offset": scale.offset,
            "offset_source": scale.offset_source,
            "offset_check": scale.check,
            "offset_declared": self.scene.declared.offset,
            "mask": self.mask,
            "nir_asset": self.scene.nir_asset,
            "grid": self.grid.key,
            "assets": {key: {"sha256": digest} for key, digest in sorted(self.sha256.items())},
        }
