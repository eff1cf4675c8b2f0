import stat

import pytest

from agrocredit.domain.errors import AgrocreditError, InputUnusableError
from agrocredit.service.api_keys import key_hash, looks_like_key, new_key
from agrocredit.service.secrets_file import DATA, HEAD, PEPPER, SIGNING, secrets_of
from agrocredit.service.settings import Settings, settings_of

ALL = {PEPPER: "01" * 32, SIGNING: "02" * 32, HEAD: "03" * 32, DATA: "k1:" + "BAQE" * 10 + "BAQ="}


def test_the_environment_comes_first(tmp_path):
    found = secrets_of(ALL, file=tmp_path / "secrets")
    assert (found.pepper, found.signing_key, found.head_seed) == (b"\1" * 32, b"\2" * 32, b"\3" * 32)
    assert found.data_keys.keys == {"k1": b"\4" * 32}
    assert not (tmp_path / "secrets").exists()


def test_a_file_is_made_once_and_for_its_owner_alone(tmp_path):
    file = tmp_path / "secrets"
    first = secrets_of({}, file=file)
    assert secrets_of({}, file=file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.pepper != first.signing_key


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {PEPPER: "01" * 32},
        {**ALL, SIGNING: "02"},
        {**ALL, PEPPER: "zz" * 32},
        {**ALL, DATA: "k1"},
        {**ALL, HEAD: ""},
    ],
)
def test_half_a_secret_is_none(environment):
    with pytest.raises(InputUnusableError) as caught:
        secrets_of(environment)
    assert caught.value.code in {"secret_missing", "secret_invalid", "key_invalid"}
    assert "0101" not in str(caught.value)


def test_secrets_do_not_show_when_printed():
    found = secrets_of({**ALL, PEPPER: "ab" * 32, SIGNING: "cd" * 32, HEAD: "ef" * 32})
    assert not any(shown in repr(found) for shown in ("\\xab", "\\xcd", "\\xef", "\\x04"))


def test_keys_differ_and_their_hashes_need_the_pepper():
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(map(looks_like_key, keys))
    key = keys.pop()
    assert key_hash(key, pepper=b"a" * 32) != key_hash(key, pepper=b"b" * 32)
    assert len(key_hash(key, pepper=b"a" * 32)) == 32


@pytest.mark.parametrize(
    "text", ["", "agc_", "agc_" + "a" * 42, "agc_" + "a" * 44, "xgc_" + "a" * 43, "agc_" + "é" * 43]
)
def test_other_text_is_no_key(text):
    assert not looks_like_key(text)


def test_settings_come_from_the_environment_and_refuse_nonsense():
    assert settings_of({}) == Settings()
    assert settings_of({"AGROCREDIT_THREADS": "3"}).threads == 3
    for text in ("0", "-1", "x", "1.5"):
        with pytest.raises(AgrocreditError) as caught:
            settings_of({"AGROCREDIT_THREADS": text})
        assert caught.value.code == "setting_invalid"
