import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.limit_snapshot import WORD_COLUMNS, open_snapshot, snapshot_bytes, write_snapshot


def row(farmer_id, limit_minor=100, **words):
    named = {name: words.get(name, f"{name}-{limit_minor % 3}") for name in WORD_COLUMNS}
    return {
        "farmer_id": farmer_id,
        "limit_minor": limit_minor,
        "answer": f"{farmer_id}:{limit_minor}".encode(),
        **named,
    }


ids = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", categories=("L", "N", "P")), min_size=1, max_size=12
)


@given(st.dictionaries(ids, st.integers(0, 2**62), max_size=40), st.lists(ids, max_size=20))
def test_every_farmer_is_found_and_nobody_else(tmp_path_factory, limits, others):
    path = tmp_path_factory.mktemp("snapshot") / "one"
    write_snapshot([row(farmer_id, limit) for farmer_id, limit in limits.items()], path)
    snapshot = open_snapshot(path)
    asked = [*limits, *others]
    for farmer_id in asked:
        expected = f"{farmer_id}:{limits[farmer_id]}".encode() if farmer_id in limits else None
        assert snapshot.answer(farmer_id) == expected
    columns = snapshot.columns(asked)
    assert columns["limit_minor"] == [limits.get(farmer_id) for farmer_id in asked]
    expected = [f"season-{limits[farmer_id] % 3}" if farmer_id in limits else None for farmer_id in asked]
    assert columns["season"] == expected


def test_an_id_that_only_begins_like_one_is_another(tmp_path):
    write_snapshot([row("F1"), row("F2")], tmp_path / "s")
    snapshot = open_snapshot(tmp_path / "s")
    for other in ("F", "F11", "F1 ", "f1", ""):
        assert snapshot.answer(other) is None
        assert snapshot.columns([other])["limit_minor"] == [None]


def test_a_word_that_is_missing_is_missing_again(tmp_path):
    write_snapshot([row("F1", due_on=None), row("F2", due_on="2024-08-01")], tmp_path / "s")
    assert open_snapshot(tmp_path / "s").columns(["F2", "F1"])["due_on"] == ["2024-08-01", None]


def test_order_changes_no_byte():
    rows = [row(f"F{at}", at) for at in range(50)]
    assert snapshot_bytes(rows) == snapshot_bytes(rows[::-1])


def test_a_farmer_twice_is_refused():
    with pytest.raises(InputUnusableError, match="id_duplicated"):
        snapshot_bytes([row("F1"), row("F1", 2)])


@pytest.mark.parametrize("data", [b"", b"x", b"AGCLIM1\n" + b"\xff" * 100, b"PK" + b"\0" * 500])
def test_another_file_is_no_snapshot(tmp_path, data):
    (tmp_path / "s").write_bytes(data)
    with pytest.raises(InputUnusableError, match="snapshot_invalid"):
        open_snapshot(tmp_path / "s")


def test_a_reader_sees_one_version_whole_while_it_is_swapped(tmp_path):
    path = tmp_path / "s"
    names = [f"F{at}" for at in range(300)]
    write_snapshot([row(name, 0) for name in names], path)
    stop = threading.Event()

    def swap():
        version = 0
        while not stop.is_set():
            version += 1
            write_snapshot([row(name, version) for name in names], path)

    writer = threading.Thread(target=swap)
    writer.start()
    seen, reads = set(), 0
    while reads < 60 or len(seen) < 3:  # however slow the disk is: else nothing may have been swapped meanwhile
        seen.add(frozenset(open_snapshot(path).columns(names)["limit_minor"]))
        reads += 1
    stop.set()
    writer.join()
    assert {len(versions) for versions in seen} == {1}
