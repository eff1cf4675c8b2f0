import ast
import json
from pathlib import Path

import pytest

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.service.problems import STATUS, Problem, problem_body, problem_of

ROOT = Path(__file__).parents[2]


def test_a_room_s_error_keeps_its_code_and_detail():
    problem = problem_of(RefusedError("geometry_invalid", "Self-intersection at longitude 1, latitude 2"))
    status, body, _ = problem_body(problem, trace_id="t")
    assert status == 422
    assert json.loads(body) == {
        "type": "urn:agrocredit:problem:geometry_invalid",
        "title": "Geometry invalid",
        "status": 422,
        "code": "geometry_invalid",
        "detail": "Self-intersection at longitude 1, latitude 2",
        "trace_id": "t",
    }


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("SELECT secret FROM persons"),
        InputUnusableError("bundled_missing", "no file /srv/secret/place"),
        KeyError("F0001"),
    ],
)
def test_what_was_not_meant_for_callers_says_nothing(error):
    status, body, _ = problem_body(problem_of(error), trace_id="t")
    assert status == 500
    assert json.loads(body)["code"] == "internal_error"
    for word in (b"secret", b"SELECT", b"F0001"):
        assert word not in body


def test_detail_cannot_break_a_line_or_a_terminal():
    _, body, _ = problem_body(Problem("text_invalid", "a\nb\x1b[2Jc\ud800", field="x\ud800"), trace_id="t")
    assert json.loads(body)["detail"] == "a\\nb\\x1b[2Jc\\ud800"


def test_coming_again_is_said_where_it_helps():
    assert problem_body(Problem("overloaded", "."), trace_id="t")[2] == {"Retry-After": "1"}
    assert "Retry-After" not in problem_body(Problem("not_found", "."), trace_id="t")[2]
    assert problem_body(Problem("token_invalid", "."), trace_id="t")[2] == {"WWW-Authenticate": "Bearer"}


def raised_codes(folder):
    """Return the codes of every problem and refusal that stands in the code as a literal."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in {"Problem", "RefusedError"} and isinstance(node.args[0].value, str):
                yield path.name, node.args[0].value


@pytest.mark.parametrize("folder", ["agrocredit/service", "agrocredit/ledger", "agrocredit/store/sql"])
def test_every_code_that_a_request_can_meet_has_a_status(folder):
    assert [(file, code) for file, code in raised_codes(folder) if code not in STATUS] == []
