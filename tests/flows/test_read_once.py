import pytest

from pipelines.read_once import read_once


def counted():
    calls = []

    def read(path):
        calls.append(path)
        return path.read_text()

    return read, calls


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path):
    read, calls = counted()
    file = tmp_path / "weather.csv"
    file.write_text("a")
    assert [read_once(read, file), read_once(read, file)] == ["a", "a"]
    assert len(calls) == 1
    file.write_text("longer")
    assert read_once(read, file) == "longer"


def test_a_file_that_another_took_the_place_of_is_read(tmp_path):
    read, _ = counted()
    file, other = tmp_path / "weather.csv", tmp_path / "other"
    file.write_text("a")
    read_once(read, file)
    other.write_text("b")
    other.rename(file)
    assert read_once(read, file) == "b"


def test_who_reads_says_what_is_wrong_with_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_once(counted()[0], tmp_path / "none")
