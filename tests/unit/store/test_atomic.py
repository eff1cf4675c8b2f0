from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.atomic import atomic_file, clean_temporaries, write_bytes, write_text


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_written_file_stands_alone_under_its_name(tmp_path):
    path = tmp_path / "new" / "a.txt"
    write_text("ä\n", path)
    assert path.read_bytes() == "ä\n".encode()
    assert os.listdir(path.parent) == ["a.txt"]  # noqa: PTH208 - hidden names must show


def test_an_existing_file_is_replaced(tmp_path):
    path = tmp_path / "a"
    write_bytes(b"old", path)
    write_bytes(b"new", path)
    assert path.read_bytes() == b"new"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    write_bytes(b"x", tmp_path / "ours")
    (tmp_path / "plain").write_bytes(b"x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_error_in_the_block_leaves_the_old_file_and_no_temporary(tmp_path):
    path = tmp_path / "a"
    write_bytes(b"old", path)

    def fail_halfway():
        with atomic_file(path) as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_file_is_durable_before_it_gets_its_name_and_the_folder_after(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor):
        steps.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def note_replace(self, target):
        steps.append(("rename", Path(target).name))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    write_bytes(b"x", tmp_path / "a.bin")
    (first, temporary), *rest = steps
    assert first == "fsync"
    assert temporary.startswith(".a.bin.")
    assert rest == [("rename", "a.bin"), ("fsync", tmp_path.name)]


def test_a_full_disk_is_an_output_error_with_its_cause(tmp_path):
    # The limit on file size is the one kind of full disk that a test can have without a file system of its own.
    code = (
        "import resource, sys; from pathlib import Path; from agrocredit.store.atomic import write_bytes\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_bytes(b'x' * 5000, Path(sys.argv[1]))\n"
        "except Exception as error: print(error)"
    )
    said = run_python(code, tmp_path / "big").stdout
    assert said.startswith("output_unwritable: ")
    assert "big: File too large" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_each_refusal_of_the_system_is_named(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InputUnusableError, match=os.strerror(number)) as caught:
        write_bytes(b"x", tmp_path / "a")
    assert caught.value.code == "output_unwritable"
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputUnusableError, match="output_unwritable"):
        write_bytes(b"x", tmp_path / "file" / "a")


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(InputUnusableError, match="is a folder"):
        write_bytes(b"x", tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_missing_input_inside_the_block_is_not_blamed_on_the_output(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a"):
        (tmp_path / "absent").read_bytes()


def test_what_a_killed_run_left_is_cleaned_and_nothing_else(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from agrocredit.store.atomic import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = tmp_path / "a[1].bin"
    assert run_python(code, path).returncode == -signal.SIGKILL
    assert not path.exists()
    other = tmp_path / ".a1.bin.0123abcd.part"
    other.write_bytes(b"not of this output")
    assert len(list(tmp_path.iterdir())) == 2
    clean_temporaries(path)
    assert list(tmp_path.iterdir()) == [other]


def test_an_output_that_was_set_aside_when_the_run_was_killed_comes_back(tmp_path):
    aside = tmp_path / ".out.0123abcd.old"
    aside.mkdir()
    (aside / "a").write_text("kept")
    clean_temporaries(tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "kept"
    assert not aside.exists()


def test_folders_that_killed_runs_left_are_cleaned_and_a_finished_output_stays(tmp_path):
    for name in (".out.0123abcd.old", ".out.89abcdef.part", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    clean_temporaries(tmp_path / "out")
    assert [found.name for found in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "a").read_text() == "out"
