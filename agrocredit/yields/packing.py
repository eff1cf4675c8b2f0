"""The bytes of a release's files, the same for the same weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from safetensors.torch import save

from agrocredit.yields.inputs import INPUTS_VERSION
from agrocredit.yields.release_folder import FILES, SCHEMA_VERSION, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.yields.calibration import Calibration
    from agrocredit.yields.descriptors import TrainingRange
    from agrocredit.yields.network import YieldNetwork
    from agrocredit.yields.release import ReleaseFacts


def release_files(
    *, facts: ReleaseFacts, network: YieldNetwork, calibration: Calibration, known: TrainingRange
) -> dict[str, bytes]:
    """Return the bytes of ``weights.safetensors`` and ``calibration.json``.

    Parameters
    ----------
    facts : ReleaseFacts
    network : YieldNetwork
    calibration : Calibration
    known : TrainingRange
    """
    tensors = {name: tensor.detach().contiguous() for name, tensor in sorted(network.state_dict().items())}
    corrections = {"release": facts.name, "calibration": asdict(calibration), "training_range": asdict(known)}
    return {WEIGHTS: save(tensors), "calibration.json": json_bytes(corrections)}


def manifest(facts: ReleaseFacts, files: Mapping[str, bytes], *, training: str) -> bytes:
    """Return the bytes of ``model.toml``.

    Parameters
    ----------
    facts : ReleaseFacts
    files : mapping
        Every name of `FILES` with its bytes.
    training : str
        Text of the training file, kept so that the release can be made again.
    """
    lines = [
        "# A released model. Made by training; not edited by hand: every file is listed with its checksum.",
        f"schema_version = {SCHEMA_VERSION}",
        f"inputs_version = {INPUTS_VERSION}",
        *toml_lines({k: v for k, v in asdict(facts).items() if not isinstance(v, dict)}),
    ]
    for section in ("network", "abstention", "credibility"):
        lines += ["", f"[{section}]", *toml_lines(asdict(facts)[section])]
    lines += ["", "[files]", *toml_lines({name: hashlib.sha256(files[name]).hexdigest() for name in FILES})]
    lines += ["", "[training]", f"file = {json.dumps(training)}", ""]
    return "\n".join(lines).encode()


def json_bytes(document: object) -> bytes:
    """Return a JSON document with sorted keys and a line end, as it stands in a release."""
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def toml_lines(values: Mapping[str, Any]) -> list[str]:
    """Return ``key = value`` lines; JSON's strings, numbers and lists are TOML's too.

    Parameters
    ----------
    values : mapping
        No value may be null: TOML has none.
    """
    return [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()]
