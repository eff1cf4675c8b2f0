from __future__ import annotations

import numpy as np
import pytest
import shapely

from agrocredit.domain.grid import Grid
from agrocredit.indices import IndexDefinition, compile_indices, evaluate, load_indices
from agrocredit.zonal import BandPixels, BlockPixels, MaskPixels, PlotSums, finish, make_kernel
from agrocredit.zonal.layout import BLOCK

CLEAR_CLASSES = (4, 5, 6, 7)


@pytest.fixture(scope="session")
def make_grid():
    def make(height=40, width=50, *, resolution_m=10.0, x0=500_000.0, y0=5_200_000.0):
        return Grid(crs="EPSG:32632", x0=x0, y0=y0, resolution_m=resolution_m, height=height, width=width)

    return make


@pytest.fixture(scope="session")
def in_pixels():
    """Turn shapes drawn in pixels (column, row from the upper left corner) into shapes on a grid."""

    def turn(shapes, grid):
        corner, step = np.array([grid.x0, grid.y0]), np.array([grid.resolution_m, -grid.resolution_m])
        return shapely.transform(np.asarray(shapes, object), lambda xy: corner + xy * step)

    return turn


class Scene:
    """A scene in memory: raw numbers by band, each with its factor, and how to read a block of it."""

    def __init__(self, bands, *, factors, classes=None, class_factor=1, scale=1e-4, offset=-0.1, nodata=0):
        self.bands = bands
        self.factors = factors
        self.classes = classes
        self.class_factor = class_factor
        self.scale, self.offset, self.nodata = scale, offset, nodata
        self.is_clear = np.isin(np.arange(256), CLEAR_CLASSES)

    def read(self, block):
        def cut(raster, factor):
            row0, row1, col0, col1 = block.window(factor)
            return raster[row0:row1, col0:col1]

        bands = {
            name: BandPixels(
                dn=cut(dn, self.factors.get(name, 1)),
                factor=self.factors.get(name, 1),
                scale=self.scale,
                offset=self.offset,
                nodata=self.nodata,
            )
            for name, dn in self.bands.items()
        }
        mask = None
        if self.classes is not None:
            factor = self.class_factor
            mask = MaskPixels(classes=cut(self.classes, factor), factor=factor, is_clear=self.is_clear)
        return BlockPixels(bands=bands, mask=mask)

    def on_fine_grid(self, raster, factor, grid):
        return raster.repeat(factor, 0).repeat(factor, 1)[: grid.height, : grid.width]

    def expected_pixels(self, definitions, grid):
        """Return what numpy says: clear or not, and each index, on the fine grid."""
        raw = {name: self.on_fine_grid(dn, self.factors.get(name, 1), grid) for name, dn in self.bands.items()}
        clear = np.ones((grid.height, grid.width), bool)
        if self.classes is not None:
            clear &= self.is_clear[self.on_fine_grid(self.classes, self.class_factor, grid)]
        for dn in raw.values():
            clear &= np.isfinite(dn.astype(float))
            if self.nodata is not None:
                clear &= dn != self.nodata
        reflectance = {name: dn.astype(float) * self.scale + self.offset for name, dn in raw.items()}
        known = [definition for definition in definitions if set(definition.bands) <= set(raw)]
        return clear, {definition.column: evaluate(definition, reflectance) for definition in known}


@pytest.fixture(scope="session")
def make_scene():
    def make(grid, names, *, seed=1, factors=None, dtype=np.uint16, cloud=0.3, class_factor=2, mask=True, **options):
        rng = np.random.default_rng(seed)
        factors = factors or {}

        def shape(factor):
            return -(-grid.height // factor), -(-grid.width // factor)

        bands = {name: rng.integers(1001, 9000, shape(factors.get(name, 1))).astype(dtype) for name in names}
        classes = rng.choice([4, 5, 9, 3], shape(class_factor), p=[0.5, 0.5 - cloud, cloud / 2, cloud / 2])
        options |= {"classes": classes.astype(np.uint8), "class_factor": class_factor} if mask else {}
        return Scene(bands, factors=factors, **options)

    return make


@pytest.fixture(scope="session")
def own_index():
    def make(formula, name="OWN"):
        return IndexDefinition(short_name=name, long_name="own", formula=formula, reference="here")

    return make


@pytest.fixture(scope="session")
def observe():
    """Run the kernel over all blocks and return the rows as columns of numpy arrays, nulls as NaN."""

    def run(weights, scene, definitions):
        compiled = compile_indices(definitions)
        kernel = make_kernel(compiled)
        sums = PlotSums.nothing_seen(weights, n_indices=len(compiled.names))
        for block in weights.blocks:
            kernel.accumulate(weights, block, scene.read(block), sums)
        rows = finish(sums, weights=weights, names=compiled.names)
        return {name: rows[name] for name in rows.dtype.names}

    return run


@pytest.fixture(scope="session")
def defaults():
    return load_indices()


@pytest.fixture(scope="session")
def block_size():
    return BLOCK
