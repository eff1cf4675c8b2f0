"""The page about the API says what the tables say."""

from pathlib import Path

from agrocredit.service.problems import STATUS
from agrocredit.service.route_table import ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text()


def test_every_operation_stands_on_the_page_with_its_roles():
    for route in ROUTES:
        (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{route.method} {route.path}`")]
        assert (f"`{route.scope}`" if route.scope else "public") in line
        assert (", ".join(sorted(route.roles)) or "-") in line
        assert ("(key)" in line) == route.idempotent


def test_every_code_stands_at_its_status():
    for code, status in STATUS.items():
        (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {status} |")]
        assert f"`{code}`" in line
