"""The season's pictures, one product after another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from agrocredit.store.atomic import write_text
from pipelines.sample.catalogue import MASK, Product, item_collection, to_numbers, write_product
from pipelines.sample.ground import clear_reflectance
from pipelines.sample.sky import classify, cloud_covers, draw_sky, through_the_air

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from agrocredit.growth import CanopyOptics
    from pipelines.sample.cropping import Cropping
    from pipelines.sample.ground import Ground
    from pipelines.sample.land import LandMap
    from pipelines.sample.settings import SampleSettings, SeasonSettings

OVERPASS_UTC = time(3, 5, 31)
BASELINE, OLDER_BASELINE = "05.10", "05.09"


def take_pictures(
    folder: Path,
    *,
    land: LandMap,
    ground: Ground,
    cropping: Cropping,
    optics: CanopyOptics,
    settings: SampleSettings,
    rng_of: Callable[[str], np.random.Generator],
) -> list[Product]:
    """Write all products and their ``items.json`` into a folder; return the products in order of time.

    The clearest picture is there twice, the second time under an older processing baseline, as archives have it.
    """
    days = picture_days(settings.season, rng_of("picture days"))
    covers = cloud_covers(
        pictures=len(days),
        overcast=settings.season.overcast,
        clear_share=settings.sky.clear_pictures,
        rng=rng_of("cloud covers"),
    )
    products, items = [], []
    for number, (day, cover) in enumerate(zip(days, covers.tolist(), strict=True)):
        product = Product(
            platform=_platform(day, settings.season),
            sensed_at=datetime.combine(day, OVERPASS_UTC, tzinfo=UTC),
            baseline=BASELINE,
            cloud_cover_percent=round(100 * cover, 2),
        )
        reflectance = clear_reflectance(
            ground,
            land=land,
            cropping=cropping,
            covers=settings.covers,
            optics=optics,
            day=(day - cropping.first_on).days,
        )
        images = _images(reflectance, cover=cover, settings=settings, rng=rng_of(f"picture {day}"))
        again = [replace(product, baseline=OLDER_BASELINE)] if number == int(covers.argmin()) else []
        for edition in [product, *again]:
            items.append(write_product(edition, images, folder=folder, place=settings.place))
            products.append(edition)
    write_text(item_collection(items), folder / "items.json")
    return products


def picture_days(season: SeasonSettings, rng: np.random.Generator) -> list[date]:
    """Return the days with a picture: of every few revisits one at random, so that gaps stay short."""
    every = timedelta(days=season.revisit_days)
    days = [season.pictures_from + every * n for n in range((season.pictures_to - season.pictures_from) // every + 1)]
    bounds = [len(days) * n // season.pictures for n in range(season.pictures + 1)]
    return [days[int(rng.integers(low, high))] for low, high in pairwise(bounds) if low < high]


def _platform(day: date, season: SeasonSettings) -> str:
    """Return the satellite of a day: two take turns."""
    revisit = (day - season.pictures_from).days // season.revisit_days
    return "sentinel-2a" if revisit % 2 == 0 else "sentinel-2b"


def _images(
    reflectance: dict[str, npt.NDArray[np.float64]], *, cover: float, settings: SampleSettings, rng: np.random.Generator
) -> dict[str, npt.NDArray[Any]]:
    weathering = draw_sky(pixels=settings.place.pixels, cover=cover, rng=rng)
    images: dict[str, npt.NDArray[Any]] = {
        band: to_numbers(
            through_the_air(
                image, weathering=weathering, band=settings.covers.bands.index(band), sky=settings.sky, rng=rng
            )
        )
        for band, image in reflectance.items()
    }
    images[MASK] = classify(
        weathering=weathering, red=reflectance["red"], nir=reflectance["nir"], sky=settings.sky, rng=rng
    )
    return images
