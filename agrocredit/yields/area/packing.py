"""The bytes of an area release's files, the same for the same weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from safetensors.torch import save

from agrocredit.yields.area.features import FEATURES_VERSION
from agrocredit.yields.area.release import AREA_FILES, KIND, PLACES, weights_of
from agrocredit.yields.packing import json_bytes, toml_lines
from agrocredit.yields.release_folder import SCHEMA_VERSION, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.yields.area.history import AreaHistory
    from agrocredit.yields.area.release import AreaFacts, AreaRelease

YIELD_DIGITS = 4
"""Digits of t/ha that the history keeps: a tenth of a kilogram a hectare, far finer than any harvest is weighed."""


def area_release_files(release: AreaRelease) -> dict[str, bytes]:
    """Return the bytes of ``weights.safetensors``, ``calibration.json`` and ``places.json``.

    Parameters
    ----------
    release : AreaRelease
    """
    return {
        WEIGHTS: save(weights_of(release.network, release.normals)),
        "calibration.json": json_bytes({"release": release.facts.name, **asdict(release.calibration)}),
        PLACES: _places(release.history),
    }


def area_manifest(facts: AreaFacts, files: Mapping[str, bytes], *, training: str) -> bytes:
    """Return the bytes of ``model.toml``.

    Parameters
    ----------
    facts : AreaFacts
    files : mapping
        Every name of `AREA_FILES` with its bytes.
    training : str
        Text of the training file, kept so that the release can be made again.
    """
    stated: dict[str, Any] = asdict(facts)
    sections = ("network", "stages", "level")
    lines = [
        "# A released model. Made by training; not edited by hand: every file is listed with its checksum.",
        f"schema_version = {SCHEMA_VERSION}",
        f'kind = "{KIND}"',
        f"features_version = {FEATURES_VERSION}",
        *toml_lines({key: value for key, value in stated.items() if key not in {*sections, "features"}}),
    ]
    for section in sections:
        lines += ["", f"[{section}]", *toml_lines(stated[section])]
    for feature in stated["features"]:
        lines += ["", "[[features]]", *toml_lines(feature)]
    lines += ["", "[files]", *toml_lines({name: hashlib.sha256(files[name]).hexdigest() for name in AREA_FILES})]
    lines += ["", "[training]", f"file = {json.dumps(training)}", ""]
    return "\n".join(lines).encode()


def _places(history: AreaHistory) -> bytes:
    """Return the areas with their harvests as JSON, a line an area."""
    places: dict[str, dict[str, Any]] = {}
    rows = zip(history.units, history.regions, history.harvest_years.tolist(), history.yields_t_ha, strict=True)
    for unit, region, year, brought in sorted(rows, key=lambda row: (str(row[0]), row[2])):
        place = places.setdefault(str(unit), {"region": str(region), "years": [], "yields_t_ha": []})
        place["years"].append(year)
        place["yields_t_ha"].append(round(float(brought), YIELD_DIGITS))
    lines = [f"{json.dumps(unit)}: {json.dumps(place, separators=(',', ':'))}" for unit, place in places.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()
