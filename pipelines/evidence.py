"""A hash of what is known of each plot, so that an estimate can say which observations it rests on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


def evidence_sha256(observations: pd.DataFrame, plot_ids: Sequence[str]) -> list[str]:
    """Return one hexadecimal SHA-256 a plot over all its observations, in order of time.

    Parameters
    ----------
    observations : DataFrame
        Rows of the observations table, already cut at the date of knowledge, in any order.
    plot_ids : sequence of str
        Plots in output order; a plot without rows has the hash of nothing.
    """
    wanted = observations[observations["plot_id"].isin(plot_ids)]
    rows = wanted.sort_values(["plot_id", "acquired_at", "scene_id"], kind="stable")
    columns = [name for name in rows.columns if name not in {"plot_id", "scene_id", "acquired_at"}]
    instants = rows["acquired_at"].to_numpy(dtype="datetime64[us]").astype("<i8")
    values = rows[columns].to_numpy(dtype="<f8") + 0.0  # a negative zero is zero
    scenes = rows["scene_id"].to_numpy(dtype=object)
    ids, firsts = np.unique(rows["plot_id"].to_numpy(dtype=object), return_index=True)
    ends = np.append(firsts, len(rows))[1:]
    digests = {
        plot_id: _digest(columns, instants[first:end], values[first:end], scenes[first:end])
        for plot_id, first, end in zip(ids, firsts, ends, strict=True)
    }
    nothing = hashlib.sha256().hexdigest()
    return [digests.get(plot_id, nothing) for plot_id in plot_ids]


def _digest(
    columns: list[str], instants: NDArray[np.int64], values: NDArray[np.float64], scenes: NDArray[np.object_]
) -> str:
    digest = hashlib.sha256("\x1f".join(columns).encode())
    for part in ("\x1f".join(scenes).encode(), instants.tobytes(), np.ascontiguousarray(values).tobytes()):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
