from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store import folders
from agrocredit.store.folders import MARKER, atomic_folder, claim_folder


def publish(path, **files):
    with atomic_folder(path, kind="numbers") as folder:
        for name, text in files.items():
            (folder / name).write_text(text)


def content(path):
    return {found.name: found.read_text() for found in path.iterdir() if found.name != MARKER}


@pytest.fixture(params=["swap", "two renames"])
def each_way(request, monkeypatch):
    if request.param == "two renames":
        monkeypatch.setattr(folders, "_exchange", lambda *_: False)


@pytest.mark.usefixtures("each_way")
def test_a_folder_is_published_whole_and_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "out"
    publish(path, a="1", b="2")
    publish(path, a="3")
    assert content(path) == {"a": "3"}
    assert [found.name for found in path.parent.iterdir()] == ["out"]


def test_an_error_keeps_the_old_output_and_leaves_nothing_beside(tmp_path):
    publish(tmp_path / "out", a="1")

    def fail_halfway():
        with atomic_folder(tmp_path / "out", kind="numbers") as folder:
            (folder / "a").write_text("2")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert content(tmp_path / "out") == {"a": "1"}
    assert [found.name for found in tmp_path.iterdir()] == ["out"]


def test_a_reader_never_misses_the_folder_while_it_is_replaced(tmp_path):
    path = tmp_path / "out"
    publish(path, a="0")
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.append((path / "a").read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        publish(path, a=str(number))
    stop.set()
    reader.join()
    assert seen == sorted(seen, key=int)


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    publish(tmp_path / "out", a="1")
    assert content(tmp_path / "out") == {"a": "1"}


def test_a_strange_folder_is_refused_and_untouched(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputUnusableError) as caught:
        publish(tmp_path / "out", a="1")
    assert caught.value.code == "output_not_ours"
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_a_file_or_a_dangling_link_of_that_name_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(InputUnusableError, match="output_not_ours"):
            publish(tmp_path / name, a="1")


def test_a_file_that_the_user_put_into_our_folder_is_not_deleted(tmp_path):
    publish(tmp_path / "out", a="1")
    (tmp_path / "out" / "notes").mkdir()
    (tmp_path / "out" / "notes" / "mine.txt").write_text("x")
    with pytest.raises(InputUnusableError, match=r"also holds notes/mine\.txt"):
        publish(tmp_path / "out", a="2")
    assert (tmp_path / "out" / "a").read_text() == "1"


def test_a_folder_of_another_kind_is_refused(tmp_path):
    publish(tmp_path / "out", a="1")
    with (
        pytest.raises(InputUnusableError, match="holds 'numbers', expected 'letters'"),
        atomic_folder(tmp_path / "out", kind="letters"),
    ):
        pass


@pytest.mark.parametrize("marker", ["", "[]", "{}", '{"kind": 1', '{"kind": ["numbers"], "files": 3}'])
def test_a_broken_marker_is_not_ours(tmp_path, marker):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARKER).write_text(marker)
    with pytest.raises(InputUnusableError, match="output_not_ours"):
        publish(tmp_path / "out", a="1")


def test_equal_content_gives_equal_markers(tmp_path):
    publish(tmp_path / "one", b="2", a="1")
    publish(tmp_path / "two", a="1", b="2")
    assert (tmp_path / "one" / MARKER).read_bytes() == (tmp_path / "two" / MARKER).read_bytes()


def test_a_claimed_folder_keeps_its_content_for_the_next_run(tmp_path):
    claim_folder(tmp_path / "run", kind="run")
    (tmp_path / "run" / "a").write_text("1")
    claim_folder(tmp_path / "run", kind="run")
    assert content(tmp_path / "run") == {"a": "1"}


def test_a_strange_folder_cannot_be_claimed(tmp_path):
    (tmp_path / "a").write_text("1")
    with pytest.raises(InputUnusableError, match="output_not_ours"):
        claim_folder(tmp_path, kind="run")
    assert not (tmp_path / MARKER).exists()


def test_a_claimed_folder_is_not_replaced_as_a_whole(tmp_path):
    claim_folder(tmp_path / "run", kind="numbers")
    (tmp_path / "run" / "a").write_text("1")
    with pytest.raises(InputUnusableError, match="also holds a"):
        publish(tmp_path / "run", a="2")


def test_a_relative_output_is_published_where_the_caller_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_folder(Path("runs/one"), kind="observations") as folder:
        (folder / "part.txt").write_text("x")
    assert (tmp_path / "runs" / "one" / "part.txt").read_text() == "x"


def test_a_swap_that_fails_for_another_reason_is_an_error(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        folders._exchange(tmp_path / "a", tmp_path / "absent")


def test_a_system_without_the_swap_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(folders.ctypes, "CDLL", lambda *_, **__: object())
    assert folders._exchange(tmp_path, tmp_path) is False
