"""Everything that is kept: atomic files and folders, locks, tables, plots, and the models and facts that ship along.

Whatever opens a file that is neither a scene nor weather stands here. Writes are atomic and deterministic: the same
inputs give the same bytes, and a reader never sees half an output. Names load their module at first use, so that asking
where a model lies does not wait for the geometry libraries.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agrocredit.store.atomic import atomic_file, clean_temporaries, write_bytes, write_text
    from agrocredit.store.bundled import data_path, models_path
    from agrocredit.store.canonical_json import json_bytes, json_text, write_json
    from agrocredit.store.farm_tables import CheckedTable, read_history, read_holdings
    from agrocredit.store.folders import atomic_folder, claim_folder
    from agrocredit.store.lock import hold
    from agrocredit.store.observations import read_manifest, read_observations, write_observations
    from agrocredit.store.plot_drawn import drawn_plot
    from agrocredit.store.plot_files import check_plots, read_plots
    from agrocredit.store.plot_geometry import geometry_sha256
    from agrocredit.store.plot_parquet import PLOTS, write_plots
    from agrocredit.store.plot_set import PlotSet
    from agrocredit.store.tables import read_parquet_table, write_parquet

_MODULES = {
    "PLOTS": "plot_parquet",
    "CheckedTable": "farm_tables",
    "PlotSet": "plot_set",
    "atomic_file": "atomic",
    "atomic_folder": "folders",
    "check_plots": "plot_files",
    "claim_folder": "folders",
    "clean_temporaries": "atomic",
    "data_path": "bundled",
    "drawn_plot": "plot_drawn",
    "geometry_sha256": "plot_geometry",
    "hold": "lock",
    "json_bytes": "canonical_json",
    "json_text": "canonical_json",
    "models_path": "bundled",
    "read_history": "farm_tables",
    "read_holdings": "farm_tables",
    "read_manifest": "observations",
    "read_observations": "observations",
    "read_parquet_table": "tables",
    "read_plots": "plot_files",
    "write_bytes": "atomic",
    "write_json": "canonical_json",
    "write_observations": "observations",
    "write_parquet": "tables",
    "write_plots": "plot_parquet",
    "write_text": "atomic",
}

__all__ = [
    "PLOTS",
    "CheckedTable",
    "PlotSet",
    "atomic_file",
    "atomic_folder",
    "check_plots",
    "claim_folder",
    "clean_temporaries",
    "data_path",
    "drawn_plot",
    "geometry_sha256",
    "hold",
    "json_bytes",
    "json_text",
    "models_path",
    "read_history",
    "read_holdings",
    "read_manifest",
    "read_observations",
    "read_parquet_table",
    "read_plots",
    "write_bytes",
    "write_json",
    "write_observations",
    "write_parquet",
    "write_plots",
    "write_text",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
