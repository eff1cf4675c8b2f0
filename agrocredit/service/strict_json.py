"""JSON read strictly: what one reader would take one way and the next another way is refused.

No NaN or infinity, no key twice, no half of a surrogate pair, no NUL, no marks that turn the reading order, no deep
nesting. Found where it stands, by JSON pointer.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from agrocredit.service.problems import Problem

DEPTH_MAX = 16
TEXT_CHARACTERS_MAX = 2_000
_DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TAB_AND_LINES = frozenset("\t\n\r")


def parse(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the value of a JSON text.

    Parameters
    ----------
    data : bytes
        UTF-8 without a byte order mark.

    Raises
    ------
    Problem
        ``json_invalid`` or ``text_invalid``.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem("text_invalid", f"byte {error.start} of the body is not UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise Problem("json_invalid", f"nested too deep, expected {DEPTH_MAX} levels or fewer") from None
    except json.JSONDecodeError as error:
        raise Problem("json_invalid", f"{error.msg} at character {error.pos}") from None
    except ValueError:  # an integer of more digits than Python converts
        raise Problem("json_invalid", "a number of thousands of digits, expected one that a double holds") from None
    _check(value, pointer="", depth=1)
    return value


def check_text(text: str, *, field: str) -> None:
    """Raise ``text_invalid`` for text that is too long, not well formed, or made to be misread.

    Parameters
    ----------
    text : str
    field : str
        JSON pointer or parameter name.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        detail = f"{len(text)} characters, expected {TEXT_CHARACTERS_MAX} or fewer"
        raise Problem("text_invalid", detail, field=field)
    if text.isascii() and text.isprintable():
        return
    for at, character in enumerate(text):
        if _is_harmful(character):
            raise Problem("text_invalid", f"character U+{ord(character):04X} at {at} is not allowed", field=field)


def _is_harmful(character: str) -> bool:
    code = ord(character)
    control = (code < 0x20 or 0x7F <= code < 0xA0) and character not in _TAB_AND_LINES
    return control or 0xD800 <= code <= 0xDFFF or character in _DIRECTION_MARKS


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Problem("json_invalid", f"the key {twice[:80]!a} stands twice in one object")
    return found


def _constant(spelling: str) -> NoReturn:
    raise Problem("json_invalid", f"{spelling} is no JSON number")


def _check(value: Any, *, pointer: str, depth: int) -> None:  # noqa: ANN401 - JSON
    """Walk the value once; numbers are checked in place because coordinates are most of any large body."""
    if isinstance(value, str):
        check_text(value, field=pointer)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Problem("json_invalid", "a number beyond what a double holds", field=pointer)
    elif isinstance(value, (dict, list)):
        if depth > DEPTH_MAX:
            raise Problem("json_invalid", f"nested too deep, expected {DEPTH_MAX} levels or fewer")
        if isinstance(value, dict):
            for key, part in value.items():
                check_text(key, field=f"{pointer}/{escaped(key)[:80]}")
                _check(part, pointer=f"{pointer}/{escaped(key)}", depth=depth + 1)
        else:
            for at, part in enumerate(value):
                if type(part) is not int:
                    _check(part, pointer=f"{pointer}/{at}", depth=depth + 1)


def escaped(key: str) -> str:
    """Return a key as it stands in a JSON pointer (RFC 6901, section 3).

    >>> escaped("a/b~c")
    'a~1b~0c'
    """
    return key.replace("~", "~0").replace("/", "~1")
