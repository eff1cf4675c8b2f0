"""``policy diff`` says who gains, who loses and by how much, and writes nothing."""

import json
from datetime import date
from pathlib import Path

import geopandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from agrocredit.cli.app import app
from agrocredit.credit.policy import PACKS
from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.domain.tables import ESTIMATES

PACK = PACKS / "smallholder-grain-cn.toml"
SIDE_DEG = {"big": 0.0016, "mid": 0.0006, "tiny": 0.0003}
YIELDS = (4.6, 4.9, 5.4, 6.0, 6.6, 7.1, 7.4)


@pytest.fixture
def files(tmp_path):
    features = [
        {
            "type": "Feature",
            "properties": {"id": name, "farmer_id": f"f-{name}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 35.0], [x + side, 35.0], [x + side, 35.0 + side], [x, 35.0 + side], [x, 35.0]]],
            },
        }
        for x, (name, side) in zip((115.0, 115.01, 115.02), SIDE_DEG.items(), strict=True)
    ]
    plots = tmp_path / "plots.geojson"
    plots.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    rows = [
        {
            "plot_id": name,
            "crop": "winter_wheat",
            "season": "2024",
            "harvest_year": 2024,
            "as_of": date(2024, 4, 15),
            "status": "estimated",
            "reason": None,
            **dict(zip(QUANTILE_COLUMNS, YIELDS, strict=True)),
            "clear_observations": 9,
            "release": "test",
            "evidence_sha256": "0" * 64,
        }
        for name in SIDE_DEG
    ]
    table = pa.Table.from_pylist(rows, schema=ESTIMATES)
    pq.write_table(table, tmp_path / "estimates.parquet")
    return tmp_path


def changed(folder, old, new):
    text = PACK.read_text(encoding="utf-8")
    assert old in text
    path = folder / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def diff(folder, before, after, *more):
    arguments = ["policy", "diff", before, after, "--estimates", folder / "estimates.parquet"]
    arguments += ["--plots", folder / "plots.geojson", "--as-of", "2024-04-15", *more]
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_policy_beside_itself_moves_nobody(files):
    result = diff(files, "smallholder-grain-cn", PACK, "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["counts"] == {
        "farmers": 3,
        "gained": 0,
        "lost": 0,
        "unchanged": 3,
        "newly_approved": 0,
        "no_longer_approved": 0,
    }
    assert answer["changes"] == []
    assert answer["refused"] == []
    assert answer["credit_before_minor"] == answer["credit_after_minor"] > 0


def test_plots_and_day_are_those_of_the_run_where_none_are_named(files):
    more = changed(files, "values = { 2021-01-01 = 3_000 }", "values = { 2021-01-01 = 4_000 }")
    short = ["policy", "diff", "smallholder-grain-cn", str(more), "--estimates", str(files / "estimates.parquet")]
    alone = CliRunner().invoke(app, [*short, "--json"])
    assert (alone.exit_code, json.loads(alone.stdout)["error"]["code"]) == (4, "file_missing")
    geopandas.read_file(files / "plots.geojson").to_parquet(files / "plots.parquet")
    beside = CliRunner().invoke(app, [*short, "--json"])
    assert beside.exit_code == 0, beside.stderr
    assert json.loads(beside.stdout) == json.loads(diff(files, "smallholder-grain-cn", more, "--json").stdout)


def test_a_higher_product_maximum_lets_the_large_farm_gain(files):
    more = changed(files, "values = { 2021-01-01 = 3_000 }", "values = { 2021-01-01 = 4_000 }")
    answer = json.loads(diff(files, "smallholder-grain-cn", more, "--json").stdout)
    assert (answer["counts"]["gained"], answer["counts"]["lost"]) == (1, 0)
    (change,) = answer["changes"]
    assert change["farmer_id"] == "f-big"
    assert change["limit_before_minor"] == 300_000
    assert change["change_minor"] == answer["gained_minor"] == 100_000
    assert answer["credit_after_minor"] - answer["credit_before_minor"] == 100_000


def test_a_higher_smallest_ticket_costs_the_small_farm_its_approval_and_the_way_back_gives_it(files):
    strict = changed(files, "values = { 2021-01-01 = 300 }", "values = { 2021-01-01 = 1_000 }")
    there = json.loads(diff(files, "smallholder-grain-cn", strict, "--json").stdout)
    back = json.loads(diff(files, strict, "smallholder-grain-cn", "--json").stdout)
    assert there["counts"]["no_longer_approved"] == there["counts"]["lost"] == 1
    assert back["counts"]["newly_approved"] == back["counts"]["gained"] == 1
    assert there["lost_minor"] == back["gained_minor"] > 0
    assert there["changes"][0]["outcome_after"] == "referred"


def test_people_read_amounts_with_their_currency_and_nothing_is_written(files):
    before = sorted(path.name for path in files.iterdir())
    result = diff(files, "smallholder-grain-cn", "smallholder-grain-cn")
    assert result.exit_code == 0
    assert "CNY" in result.stdout
    assert "gained" in result.stdout
    assert sorted(path.name for path in files.iterdir()) == before


def test_policies_of_two_currencies_cannot_be_compared(files):
    result = diff(files, "smallholder-grain-cn", "winter-wheat-ch", "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["error"]["code"] == "currency_mismatch"


def test_a_policy_that_does_not_exist_is_named(files):
    result = diff(files, "smallholder-grain-cn", "no-such-policy")
    assert result.exit_code == 4
    assert result.stderr.startswith("policy_missing: ")
    assert not Path("no-such-policy").exists()
