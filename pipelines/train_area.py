"""Train an area release: labelled data -> origins -> corrections -> scores -> a folder with its card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from agrocredit.store.folders import atomic_folder
from agrocredit.store.lock import hold
from agrocredit.yields.area.packing import area_manifest, area_release_files
from agrocredit.yields.packing import json_bytes
from pipelines.area_card import area_card
from pipelines.area_data import read_area_data
from pipelines.area_scores import area_scores
from pipelines.area_training import read_area_training
from pipelines.learn_area import area_tables, calibrated, release_of, walk

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.progress import Progress


def train_area(config: Path, *, out: Path, data: Path, progress: Progress) -> Summary:
    """Train a release of the area kind and write its folder; return its scores.

    Parameters
    ----------
    config : Path
        Training file with ``kind = "area_year"``.
    out : Path
        ``models/NAME``; NAME becomes the release's name. Replaced as a whole.
    data : Path
        Folder in the canonical labelled form, made by the adapter that the training file names.
    progress : Progress
        Told of every origin.

    Raises
    ------
    InputUnusableError
        ``config_invalid``, ``labels_missing``, ``training_data_invalid``, ``training_failed``.
    """
    file = read_area_training(config)
    read = read_area_data(data, crop=file.data.crop)
    # Later years than the release knows may lie in the folder: they are not read.
    known = replace(read, labels=read.labels[read.labels["harvest_year"] <= file.years.last].reset_index(drop=True))
    tables = area_tables(known, file)
    origins, said = walk(tables, file, last=file.years.last, progress=progress)
    release = release_of(out.name, tables, file, origins[-1], calibrated(tables, file, origins[-1], said))
    scores = area_scores(tables, file, origins, said)
    learnt = area_release_files(release)
    files = {**learnt, "scores.json": json_bytes(scores), "card.md": area_card(release, file, scores).encode()}
    files["model.toml"] = area_manifest(release.facts, files, training=file.text)
    with hold(out), atomic_folder(out, kind="release") as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    counts = {"labels": len(tables.whole), "units": len(release.normals.units), "years": len(origins)}
    return Summary(counts=counts, facts={"release": out.name, "crop": file.data.crop, "scores": scores})
