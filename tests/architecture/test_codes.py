"""Every code that can be met is explained."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RAISED = re.compile(r'(?:Error|Refusal|Problem)\(\s*(?:code=)?"([a-z]+(?:_[a-z0-9]+)+)"')


def test_every_code_stands_in_the_reference():
    reference = "".join((ROOT / "docs/reference" / page).read_text() for page in ("codes.md", "api.md"))
    explained = set(re.findall(r"`([a-z0-9_]+)`", reference))
    raised = {
        code
        for folder in ("agrocredit", "pipelines")
        for path in (ROOT / folder).rglob("*.py")
        for code in RAISED.findall(path.read_text())
    }
    assert len(raised) > 100
    assert raised <= explained
