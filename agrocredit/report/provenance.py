"""Where the numbers come from: scenes and their reading, what was refused, release, policy, hashes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agrocredit.report.bars import Bar, bars
from agrocredit.report.display import printable
from agrocredit.report.wording import code_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agrocredit.report.inputs import ReportInputs
    from agrocredit.report.joined import Run

ROWS_MAX = 300
"""Scenes, and refusals, that the page lists; the manifest has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRow:
    """One scene as the run read it."""

    scene_id: str
    acquired: str
    offset: str
    offset_source: str
    mask: str
    nir_asset: str
    files: tuple[tuple[str, str], ...]
    """Asset and SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    """One refused input."""

    code: str
    named: str
    """What it names: plot, scene and asset, or row."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The last section of the page."""

    scenes: tuple[SceneRow, ...]
    scenes_total: int
    refusals: tuple[RefusalRow, ...]
    refusals_total: int
    refusals_by_code: tuple[Bar, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    """Label and values: recipe, releases, policies, grids."""


def provenance(inputs: ReportInputs, run: Run) -> Provenance:
    """Return what the page says about its sources."""
    scenes = sorted(
        (_scene_row(scene) for scene in inputs.manifest.get("scenes") or ()),
        key=lambda row: (row.acquired, row.scene_id),
    )
    refused = _refused([*inputs.refused, *(inputs.manifest.get("refused") or ())])
    codes = Counter(row.code for row in refused)
    return Provenance(
        scenes=tuple(scenes[:ROWS_MAX]),
        scenes_total=len(scenes),
        refusals=tuple(refused[:ROWS_MAX]),
        refusals_total=len(refused),
        refusals_by_code=bars([(code_words(code), count, "", code) for code, count in codes.items()]),
        facts=tuple(_facts(inputs, run)),
    )


def _scene_row(scene: Mapping[str, Any]) -> SceneRow:
    return SceneRow(
        scene_id=_text(scene.get("scene_id")),
        acquired=_text(scene.get("acquired_at"))[:16].replace("T", " "),
        offset=_text(scene.get("offset")),
        offset_source=_text(scene.get("offset_source")),
        mask=_text(scene.get("mask")),
        nir_asset=_text(scene.get("nir_asset")),
        files=tuple(_files(scene.get("assets") or {})),
    )


def _files(assets: object) -> Iterator[tuple[str, str]]:
    """Yield asset and SHA-256, from a mapping by asset or a list of records."""
    if isinstance(assets, Mapping):
        for name, asset in sorted(assets.items()):
            yield _text(name), _text(asset.get("sha256") if isinstance(asset, Mapping) else asset)
    elif isinstance(assets, list | tuple):
        for asset in assets:
            name = asset.get("asset") or asset.get("key") or asset.get("band")
            yield _text(name), _text(asset.get("sha256"))


def _refused(records: Sequence[Mapping[str, Any]]) -> list[RefusalRow]:
    """Return each refusal once, by code and name: the manifest repeats those of its own run."""
    unique = {json.dumps(dict(record), sort_keys=True, default=str): record for record in records}
    rows = [
        RefusalRow(code=_text(record.get("code")), named=_named(record), detail=_text(record.get("detail")))
        for record in unique.values()
    ]
    return sorted(rows, key=lambda row: (row.code, row.named, row.detail))


def _named(record: Mapping[str, Any]) -> str:
    parts = {"plot": "plot_id", "scene": "scene_id", "asset": "asset", "row": "row"}
    return ", ".join(f"{word} {_text(record[key])}" for word, key in parts.items() if record.get(key) is not None)


def _facts(inputs: ReportInputs, run: Run) -> Iterator[tuple[str, tuple[str, ...]]]:
    manifest = inputs.manifest
    yield "recipe of the observations", _texts([manifest.get("recipe")])
    estimates = [plot.estimate for plot in run.plots if plot.estimate]
    yield "release of the yield model", _texts(sorted({estimate.release for estimate in estimates}))
    crops = sorted({estimate.crop for estimate in estimates})
    yield "yields are stated", _texts([_moisture(inputs, crop) for crop in crops if crop in inputs.crops])
    policies = sorted({(farmer.decision.policy, farmer.decision.policy_version) for farmer in run.farmers})
    yield "policy", _texts([f"{policy}, version {version}" for policy, version in policies])
    yield "pixel grids", _texts([_grid_words(grid) for grid in manifest.get("grids") or ()])
    counts = manifest.get("counts") or {}
    yield (
        "counts of the observations",
        _texts([f"{code_words(str(k))} {v:,}" for k, v in sorted(counts.items()) if isinstance(v, int)]),
    )


def _moisture(inputs: ReportInputs, crop: str) -> str:
    return f"{inputs.crops[crop].label} at {inputs.crops[crop].moisture_basis_percent:g} % moisture"


def _grid_words(grid: object) -> str:
    if not isinstance(grid, Mapping):
        return _text(grid)
    return ", ".join(f"{code_words(str(key))} {_text(value)}" for key, value in sorted(grid.items()))


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(_text(value) for value in values if value not in (None, ""))


def _text(value: object) -> str:
    return "" if value is None else printable(value)
