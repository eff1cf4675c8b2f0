"""A hash of what is known of each plot, so that an estimate can say which observations it rests on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


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
    numbers = rows.drop(columns=["plot_id", "scene_id"]).assign(acquired_at=rows["acquired_at"].astype("int64"))
    lines = numbers.to_csv(None, index=False, header=False, float_format="%.17g").splitlines()
    digests = {plot_id: hashlib.sha256() for plot_id in plot_ids}
    for plot_id, scene_id, line in zip(rows["plot_id"], rows["scene_id"], lines, strict=True):
        digests[plot_id].update(f"{scene_id},{line}\n".encode())
    return [digests[plot_id].hexdigest() for plot_id in plot_ids]
