from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from agrocredit.domain.tables import DECISIONS, ESTIMATES, observations
from agrocredit.report import render_report

VOID = {"meta", "input", "br"}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&</title>"


class Page(HTMLParser):
    """Reads a page as a browser would, and notes tags, ids, texts and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.scripts, self.texts = [], [], [], [], []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, text):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += text
        else:
            self.texts.append(text)


@pytest.fixture(scope="module")
def text(run_of_sixty) -> str:
    return render_report(run_of_sixty)


@pytest.fixture(scope="module")
def page(text) -> Page:
    return Page(text)


def test_every_element_is_closed_and_every_id_is_unique(page):
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)


def test_the_page_reaches_out_to_nothing(text, page):
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert all(value.startswith("#") for name, value in page.attributes if name in {"href", "src", "xlink:href"})
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|https?://(?!www\.w3\.org/2000/svg)", text)


def test_only_the_pages_own_script_may_run(text, page):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text).group(1)
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert len(page.scripts) == 2
    assert not any(name.startswith("on") for name, _ in page.attributes)


def test_labels_and_references_point_to_something(page):
    targets = [value for name, value in page.attributes if name in {"for", "aria-labelledby"}]
    targets += [value[1:] for name, value in page.attributes if name == "href"]
    assert targets
    assert set(targets) <= set(page.ids)


def test_the_script_asks_only_for_elements_that_the_page_has(page):
    assert set(re.findall(r'byId\("([^"]+)"\)', page.scripts[1])) <= set(page.ids)


def test_every_colour_class_on_the_map_has_a_rule(text):
    style = text[text.index("<style>") : text.index("</style>")]
    used = {token for names in re.findall(r'<path class="([^"]+)"', text) for token in names.split()}
    used |= set(re.findall(r'class="key (\w+)"', text))
    assert all(re.search(rf"\.{token}\b", style) for token in used)


def test_simulated_data_are_said_to_be(text, run_of_sixty):
    assert "Simulated data." in text
    real = render_report(dataclasses.replace(run_of_sixty, simulated=False))
    assert "Simulated" not in real
    assert "simulated" not in real.split("</style>")[1].split("<script")[0]


def test_the_order_of_rows_changes_no_byte(text, run_of_sixty):
    rng = np.random.default_rng(3)
    mixed = {
        name: getattr(run_of_sixty, name).iloc[rng.permutation(len(getattr(run_of_sixty, name)))]
        for name in ("plots", "observations", "estimates", "decisions")
    }
    assert render_report(dataclasses.replace(run_of_sixty, **mixed)) == text


def test_pandas_and_arrow_tables_give_the_same_page(text, run_of_sixty):
    arrow = {
        name: pa.Table.from_pandas(getattr(run_of_sixty, name), preserve_index=False)
        for name in ("observations", "estimates", "decisions")
    }
    assert render_report(dataclasses.replace(run_of_sixty, **arrow)) == text


def test_ids_and_texts_of_users_never_become_markup(run_of_sixty, page):
    def poison(values):
        return [f"{value}{EVIL}" for value in values]

    inputs = dataclasses.replace(
        run_of_sixty,
        title=EVIL,
        plots=run_of_sixty.plots.assign(
            id=poison(run_of_sixty.plots["id"]),
            farmer_id=poison(run_of_sixty.plots["farmer_id"]),
            crop=poison(run_of_sixty.plots["crop"]),
        ),
        observations=run_of_sixty.observations.assign(plot_id=poison(run_of_sixty.observations["plot_id"])),
        estimates=run_of_sixty.estimates.assign(
            plot_id=poison(run_of_sixty.estimates["plot_id"]), release=EVIL, evidence_sha256=EVIL
        ),
        decisions=run_of_sixty.decisions.assign(
            farmer_id=poison(run_of_sixty.decisions["farmer_id"]),
            policy=EVIL,
            policy_version=EVIL,
            decision_sha256=EVIL,
        ),
        sentences=lambda code: EVIL + code,
        manifest={
            "recipe": EVIL,
            "grids": [{EVIL: EVIL}],
            "scenes": [dict.fromkeys(("scene_id", "offset", "mask"), EVIL) | {"assets": {EVIL: {"sha256": EVIL}}}],
            "refused": [{"code": EVIL, "detail": EVIL, "scene_id": EVIL}],
        },
    )
    poisoned = Page(render_report(inputs))
    assert poisoned.open == []
    assert len(poisoned.scripts) == 2
    assert "img" not in poisoned.tags
    assert poisoned.scripts[1] == page.scripts[1]
    data = json.loads(poisoned.scripts[0])
    assert data["plots"]["id"][0] == f"plot-0000{EVIL}"
    assert any(EVIL in one for one in poisoned.texts)


def test_odd_characters_do_not_keep_the_page_from_being_written(whole_run):
    plots = whole_run(2).plots.assign(id=["a\u202e\x00b", "c"], farmer_id=["f", "g"])
    inputs = whole_run(2, plots=plots, observations=None, estimates=None, decisions=None, title="t\ud800")
    text = render_report(inputs)
    text.encode("utf-8")
    assert "\u202e" not in text
    assert "\x00" not in text


def approved_none(inputs) -> pd.DataFrame:
    return inputs.decisions.assign(outcome="declined", limit_minor=0, binding_cap=None, due_on=None)


def abstained_all(inputs) -> pd.DataFrame:
    nothing = dict.fromkeys(("q05", "q10", "q25", "q50", "q75", "q90", "q95"), np.nan)
    return inputs.estimates.assign(status="abstained", reason="not_observed", **nothing)


STOPPED = {
    "nothing approved": lambda inputs: {"decisions": approved_none(inputs)},
    "all abstained": lambda inputs: {"estimates": abstained_all(inputs), "decisions": approved_none(inputs)},
    "no observations": lambda _: {"observations": None},
    "no rows of observations": lambda _: {"observations": observations(["ndvi"]).empty_table()},
    "stopped after observe": lambda _: {"estimates": None, "decisions": None},
    "stopped after estimate": lambda _: {"decisions": DECISIONS.empty_table()},
    "no rows anywhere": lambda _: {
        "observations": None,
        "estimates": ESTIMATES.empty_table(),
        "decisions": DECISIONS.empty_table(),
        "manifest": {},
    },
    "no plots": lambda inputs: {"plots": inputs.plots.head(0)},
    "nothing at all": lambda inputs: {
        "plots": inputs.plots.head(0),
        "observations": None,
        "estimates": None,
        "decisions": None,
        "manifest": {},
    },
}


@pytest.mark.parametrize("case", STOPPED)
def test_a_run_that_came_only_so_far_is_still_a_whole_page(whole_run, case):
    inputs = whole_run(8)
    page = Page(render_report(dataclasses.replace(inputs, **STOPPED[case](inputs))))
    assert page.open == []
    assert page.tags.count("section") == 5
    json.loads(page.scripts[0])


def test_one_plot_with_one_look_is_a_page(whole_run):
    assert Page(render_report(whole_run(1, looks=1))).open == []


def test_huge_limits_and_yields_are_shown_as_they_are(whole_run):
    inputs = whole_run(40)
    huge = 9_000_000_000_000_000_000
    decisions = inputs.decisions.copy()
    first = decisions.index[decisions["outcome"] == "approved"][0]
    decisions.loc[first, "limit_minor"] = huge
    decisions.loc[first, "caps"] = json.dumps({"exposure": huge})
    decisions.loc[first, "binding_cap"] = "exposure"
    text = render_report(dataclasses.replace(inputs, decisions=decisions))
    assert "CNY 90,000,000,000,000,000" in text


def many(table: pd.DataFrame, *columns: str, times: int) -> pd.DataFrame:
    """The table so many times over, every copy with ids of its own."""
    copies = [
        table.assign(**{column: table[column].astype(str) + f"-{copy}" for column in columns}) for copy in range(times)
    ]
    return pd.concat(copies, ignore_index=True)


def test_a_page_of_five_thousand_plots_and_more_stays_small_and_says_what_it_left_out(whole_run):
    inputs = whole_run(260, looks=8)
    copied = {"observations": "plot_id", "estimates": "plot_id", "decisions": "farmer_id"}
    tables = {name: many(getattr(inputs, name), column, times=20) for name, column in copied.items()}
    plots = many(inputs.plots, "id", "farmer_id", times=20)
    text = render_report(dataclasses.replace(inputs, plots=plots, **tables))
    assert len(text.encode()) < 3_000_000
    assert "Outlines are drawn with fewer corners" in text
    assert "The page carries the curves of 2,600 of 5,200 plots" in text
    assert len(re.findall(r"<path class=", text)) == 5_200
