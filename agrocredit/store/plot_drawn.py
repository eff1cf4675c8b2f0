"""One plot that did not come from a file: the same rules and the same spelling as for those that did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.plot import Plot
from agrocredit.store.plot_geometry import measure, normal_form, refuse_geometries

if TYPE_CHECKING:
    import shapely

    from agrocredit.domain.errors import RefusedError


def drawn_plot(geometry: shapely.Geometry | None, *, plot_id: str) -> Plot:
    """Return a plot of a geometry, or refuse it for the reason a file with it would be refused for.

    Parameters
    ----------
    geometry : shapely geometry or None
        Longitude and latitude in degrees (EPSG:4326).
    plot_id : str

    Raises
    ------
    RefusedError
        The codes of `agrocredit.store.plot_rules.admit`: ``geometry_invalid``, ``plot_too_small`` and so on.
    """
    geometries = np.empty(1, dtype=object)
    geometries[0] = geometry
    faults: dict[int, RefusedError] = {}
    refuse_geometries(geometries, faults)
    if faults:
        raise faults[0]
    normal = normal_form(geometries)
    areas_m2, perimeters_m = measure(normal)
    return Plot(id=plot_id, geometry=normal[0], area_m2=float(areas_m2[0]), perimeter_m=float(perimeters_m[0]))
