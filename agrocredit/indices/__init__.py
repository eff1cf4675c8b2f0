"""Spectral indices as records: read from TOML, checked, evaluated with NumPy, or written as text for the zonal kernel.

``load_indices(names)`` -> definitions; ``compile_indices(definitions)`` -> what the kernel of zonal statistics is
generated from; ``evaluate(definition, bands)`` -> the slow, plain answer that tests hold the kernel against.
"""

from agrocredit.indices.catalogue import DEFAULT_INDICES, built_in_indices, load_indices, read_indices
from agrocredit.indices.compiled import CompiledIndices, compile_indices
from agrocredit.indices.definition import BANDS, IndexDefinition
from agrocredit.indices.evaluate import evaluate
from agrocredit.indices.listing import formula_table

__all__ = [
    "BANDS",
    "DEFAULT_INDICES",
    "CompiledIndices",
    "IndexDefinition",
    "built_in_indices",
    "compile_indices",
    "evaluate",
    "formula_table",
    "load_indices",
    "read_indices",
]
