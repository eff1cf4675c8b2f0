from __future__ import annotations

import hashlib
import json
import pickle
import struct
from datetime import date

import numpy as np
import pytest
import torch
from safetensors.torch import save

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.inputs import season_inputs
from agrocredit.yields.packing import json_bytes, manifest, release_files
from agrocredit.yields.prediction import network_quantiles
from agrocredit.yields.release import load_release, release_in_force
from agrocredit.yields.release_folder import FILES

from .conftest import training_seasons


def write(folder, release, **files):
    """Write a release whose manifest fits its files, whatever they hold."""
    learnt = release_files(
        facts=release.facts, network=release.network, calibration=release.calibration, known=release.known
    )
    content = {**learnt, "scores.json": json_bytes({}), "card.md": b"# tiny\n"}
    content |= {name.replace("_", "."): data for name, data in files.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    (folder / "model.toml").write_bytes(manifest(release.facts, content, training="schema_version = 1\n"))
    return folder


def code_of(folder):
    with pytest.raises(InputUnusableError) as raised:
        load_release(folder)
    return raised.value.code


def test_a_release_comes_back_as_it_was_written(tmp_path, release):
    loaded = load_release(write(tmp_path / "tiny", release))
    assert loaded.facts == release.facts
    assert loaded.calibration == release.calibration
    assert loaded.known == release.known
    inputs = season_inputs(training_seasons(50), pixel_counts=60.0, levels_t_ha=np.nan, reference_t_ha=4.0)
    assert np.array_equal(network_quantiles(loaded.network, inputs), network_quantiles(release.network, inputs))
    assert loaded.sha256 == hashlib.sha256((tmp_path / "tiny" / "model.toml").read_bytes()).hexdigest()


def test_the_same_release_gives_the_same_bytes(tmp_path, release):
    one, two = write(tmp_path / "one", release), write(tmp_path / "two", release)
    for name in (*FILES, "model.toml"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_in_any_file_is_not_trusted(tmp_path, release, name):
    folder = write(tmp_path / "tiny", release)
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    assert code_of(folder) == "model_untrusted"


class Bomb:
    def __reduce__(self):
        return (print, ("a pickle was opened",))


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_under_the_weights_name_is_refused_and_not_run(tmp_path, release, protocol, capsys):
    folder = write(tmp_path / "tiny", release, weights_safetensors=pickle.dumps(Bomb(), protocol=protocol))
    assert code_of(folder) == "model_format"
    assert capsys.readouterr().out == ""


def test_torch_archives_and_bare_pickles_are_refused(tmp_path, release):
    torch.save({"a": torch.zeros(1)}, tmp_path / "archive")
    folder = write(tmp_path / "tiny", release, weights_safetensors=(tmp_path / "archive").read_bytes())
    assert code_of(folder) == "model_format"
    (folder / "weights.safetensors").unlink()
    (folder / "weights.pt").write_bytes(pickle.dumps(Bomb()))
    assert code_of(folder) == "model_format"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x08\0\0\0\0\0\0\0[]", b"not tensors at all"])
def test_other_formats_are_refused(tmp_path, release, content):
    assert code_of(write(tmp_path / "tiny", release, weights_safetensors=content)) == "model_format"


def tensors(release, **changes):
    return save({**{name: value.clone() for name, value in release.network.state_dict().items()}, **changes})


def raw(header, data=b"\0" * 16):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "make",
    [
        lambda _: struct.pack("<Q", 2**40) + b"{" + b" " * 100,
        lambda _: struct.pack("<Q", 70_000) + b"{" + b" " * 70_000,
        lambda _: raw(
            {
                "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
            }
        ),
        lambda release: tensors(release, **{"head.linear.bias": torch.zeros(8)}),
        lambda release: tensors(release, another=torch.zeros(1)),
        lambda release: tensors(release, **{"head.linear.bias": torch.full((7,), float("nan"))}),
        lambda release: tensors(release, **{"head.linear.bias": torch.zeros(7, dtype=torch.float64)}),
        lambda release: tensors(release)[:-40],
    ],
    ids=["huge header", "long header", "overlap", "shape", "extra", "nan", "dtype", "truncated"],
)
def test_weights_that_do_not_fit_are_invalid(tmp_path, release, make):
    assert code_of(write(tmp_path / "tiny", release, weights_safetensors=make(release))) == "model_invalid"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"inputs_version = 1", b"inputs_version = 2"),
        (b"schema_version = 1", b"schema_version = 9"),
        (b'"width" = 8', b'"width" = "wide"'),
        (b'"width" = 8', b'"breadth" = 8'),
        (b'"reference_t_ha" = 4.0', b'"reference_t_ha" = -1.0'),
        (b"[network]", b"[network"),
        (b'"w_max" = 0.5', b'"w_max" = 5.0'),
    ],
)
def test_a_manifest_of_another_make_is_refused(tmp_path, release, old, new):
    folder = write(tmp_path / "tiny", release)
    text = (folder / "model.toml").read_bytes()
    assert old in text
    (folder / "model.toml").write_bytes(text.replace(old, new, 1))
    assert code_of(folder) in {"model_invalid", "config_invalid"}


def test_calibration_of_another_make_is_refused(tmp_path, release):
    folder = write(tmp_path / "tiny", release, calibration_json=b'{"calibration": {"shifts": 3}}')
    assert code_of(folder) == "model_invalid"


def test_missing_files_and_folders_are_named(tmp_path, release):
    folder = write(tmp_path / "tiny", release)
    (folder / "card.md").unlink()
    with pytest.raises(InputUnusableError, match=r"release_missing: release tiny has no card.md"):
        load_release(folder)
    assert code_of(tmp_path / "none") == "release_missing"


def test_the_latest_entry_in_force_on_a_date_answers(tmp_path):
    (tmp_path / "in_force.toml").write_text(
        """schema_version = 1
        [[release]]
        crop = "maize"
        name = "second"
        from_on = 2024-05-01
        [[release]]
        crop = "maize"
        name = "first"
        from_on = 2020-01-01
        [[release]]
        crop = "rice"
        name = "other"
        from_on = 2025-01-01
        """
    )
    assert release_in_force(tmp_path, "maize", as_of=date(2024, 4, 30)) == "first"
    assert release_in_force(tmp_path, "maize", as_of=date(2024, 5, 1)) == "second"
    assert release_in_force(tmp_path, "maize", as_of=date(2019, 12, 31)) is None
    assert release_in_force(tmp_path, "quinoa", as_of=date(2024, 5, 1)) is None


def test_a_broken_table_of_releases_in_force_is_refused(tmp_path):
    with pytest.raises(InputUnusableError, match="release_missing"):
        release_in_force(tmp_path, "maize", as_of=date(2024, 1, 1))
    (tmp_path / "in_force.toml").write_text('[[release]]\ncrop = "maize"\n')
    with pytest.raises(InputUnusableError, match="model_invalid"):
        release_in_force(tmp_path, "maize", as_of=date(2024, 1, 1))
