"""Commands answer with documented exit codes, data on stdout and one clear line on stderr."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.store.lock import hold


def commands(group, *path):
    """Yield the words of every command below a group."""
    for name, command in group.commands.items():
        below = (*path, name)
        yield from commands(command, *below) if hasattr(command, "commands") else [below]


COMMANDS = list(commands(get_command(app)))
OBSERVE = ["observe", "--scenes", "s", "--plots", "p", "--start", "2022-01-01", "--out", "o"]

SQUARE = [[[8.0, 47.0], [8.001, 47.0], [8.001, 47.001], [8.0, 47.001], [8.0, 47.0]]]
BOW_TIE = [[[8.0, 47.0], [8.001, 47.001], [8.001, 47.0], [8.0, 47.001], [8.0, 47.0]]]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def plots_file(path, **rings):
    features = [
        {"type": "Feature", "properties": {"id": name}, "geometry": {"type": "Polygon", "coordinates": ring}}
        for name, ring in rings.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_every_command_stands_in_the_reference():
    reference = (Path(__file__).parents[3] / "docs/reference/commands.md").read_text()
    cells = "\n".join(line.split("| ")[1] for line in reference.splitlines() if line.startswith("| `"))
    missing = [command for command in COMMANDS if command[-1] not in re.findall(r"[a-z-]+", cells)]
    assert missing == []


def test_good_plots_exit_with_zero_and_print_their_count(tmp_path):
    result = run("plots", "check", plots_file(tmp_path / "p.geojson", a=SQUARE), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["counts"] == {"plots": 1, "refused": 0}


def test_a_refused_plot_exits_with_one_and_stands_in_report_and_json(tmp_path):
    plots = plots_file(tmp_path / "p.geojson", a=SQUARE, b=BOW_TIE)
    clean, report = tmp_path / "clean.parquet", tmp_path / "r.json"
    result = run("plots", "check", plots, "--out", clean, "--report", report, "--json")
    assert result.exit_code == 1
    (refused,) = json.loads(result.stdout)["refused"]
    assert (refused["plot_id"], refused["code"]) == ("b", "geometry_invalid")
    assert json.loads(report.read_text())["refused"] == [refused]
    assert "refused geometry_invalid: plot_id=b" in result.stderr
    assert re.search(r"^codes +geometry_invalid 1$", run("plots", "check", plots).stdout, re.MULTILINE)
    assert clean.is_file()


def test_plots_check_prints_a_line_for_every_refused_plot(tmp_path):
    plots = plots_file(tmp_path / "p.geojson", a=SQUARE, **{f"b{n}": BOW_TIE for n in range(30)})
    result = run("plots", "check", plots)
    assert len([line for line in result.stderr.splitlines() if line.startswith("refused geometry_invalid")]) == 30


@pytest.mark.parametrize("content", ["", "not json", "{}", '{"type": "FeatureCollection", "features": []}'])
def test_an_unusable_file_exits_with_four_and_writes_nothing(tmp_path, content):
    plots, clean = tmp_path / "p.geojson", tmp_path / "clean.parquet"
    plots.write_text(content)
    result = run("plots", "check", plots, "--out", clean, "--json")
    assert result.exit_code == 4
    error = json.loads(result.stdout)["error"]
    assert re.fullmatch(r"[a-z_]+", error["code"])
    assert error["detail"]
    assert result.stderr.startswith(error["code"])
    assert not clean.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["observe"],
        ["plots", "check"],
        ["nothing"],
        ["observe", "--scenes", "s", "--plots", "p", "--start", "soon", "--end", "2022-01-01", "--out", "o"],
        [*OBSERVE, "--end", "2022-01-01"],
        [*OBSERVE, "--end", "2022-02-01", "--cube", "o"],
        [*OBSERVE, "--end", "2022-02-01", "--cube-block", "32TMT/3/0"],
        ["evaluate", "--release", "r", "--data", "d", "--years", "many"],
        ["evaluate", "--release", "r", "--data", "d", "--years", "2020-2016"],
        ["data", "adapt", "moon", ".", "--out", "o"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_two(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_second_run_exits_with_three(tmp_path):
    plots = plots_file(tmp_path / "p.geojson", a=SQUARE)
    with hold(tmp_path / "obs"):
        result = run(
            "observe", "--scenes", "s", "--plots", plots, "--start", "2022-01-01", "--end", "2022-02-01",
            "--out", tmp_path / "obs", "--json",
        )  # fmt: skip
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"]["code"] == "run_in_progress"


def test_a_catalogue_that_is_no_stac_is_named(tmp_path):
    plots, items = plots_file(tmp_path / "p.geojson", a=SQUARE), tmp_path / "items.json"
    items.write_text('{"hello": "world"}')
    result = run(
        "observe", "--scenes", items, "--plots", plots, "--start", "2022-01-01", "--end", "2022-02-01",
        "--out", tmp_path / "obs",
    )  # fmt: skip
    assert result.exit_code == 4
    assert result.stderr.startswith("catalog_not_stac: ")
    assert "items.json" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "obs").exists()


def test_a_model_folder_with_another_checksum_is_not_trusted(tmp_path):
    release = tmp_path / "release"
    release.mkdir()
    result = run("evaluate", "--release", release, "--data", tmp_path, "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["error"]["code"] in {"release_missing", "model_invalid"}


def test_an_unexpected_failure_is_one_line_with_a_code(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.check_plots.check_plots", lambda *_, **__: 1 / 0)
    monkeypatch.delenv("AGROCREDIT_DEBUG", raising=False)
    result = run("plots", "check", tmp_path / "p.geojson")
    assert result.exit_code == 4
    assert result.stderr.startswith("internal_error: ZeroDivisionError")


@pytest.mark.parametrize("name", ["winter-wheat-ch", "smallholder-grain-cn", "kisan-credit-card-in", "maize-ke"])
def test_the_policies_that_ship_are_well_formed(name):
    result = run("policy", "check", name, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["counts"]["parameters"] > 10


def test_a_broken_policy_is_named_with_its_line(tmp_path):
    broken = tmp_path / "p.toml"
    good = Path("agrocredit/credit/policies/winter-wheat-ch.toml")
    broken.write_text(
        (Path(__file__).parents[3] / good).read_text().replace("illustrative = true", "ilustrative = true", 1)
    )
    result = run("policy", "check", broken)
    assert result.exit_code == 4
    assert re.match(r"policy_invalid: .*p\.toml:\d+", result.stderr)
