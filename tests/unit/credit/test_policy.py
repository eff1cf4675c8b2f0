"""Policy packs: refused with file and line, and one set of terms a day."""

from datetime import date

import pytest

from agrocredit.credit import load_policy, parse_policy
from agrocredit.credit.policy import PACKS
from agrocredit.domain.errors import InputUnusableError

NAMES = sorted(path.stem for path in PACKS.glob("*.toml"))
RATE = '[product.rate]\nunit = "1/year"\n'


@pytest.mark.parametrize("name", NAMES)
def test_every_pack_that_ships_loads_under_its_own_name(name):
    policy = load_policy(name)
    assert policy.name == name
    assert policy.on(policy.versions[-1][0]).version == policy.version
    assert all(parameter.reference for parameter in policy.parameters.values())


def test_the_packs_that_serve_the_first_regions_ship():
    assert {"smallholder-grain-cn", "winter-wheat-ch"} <= set(NAMES)
    assert load_policy("smallholder-grain-cn").area_unit == "mu"
    assert load_policy("winter-wheat-ch").currency == "CHF"


def test_a_price_follows_its_dates(desk):
    prices = {year: desk.policy.on(date(year, 6, 1)).crops["winter_wheat"].price for year in range(2021, 2026)}
    assert prices == {2021: 2_260.0, 2022: 2_300.0, 2023: 2_340.0, 2024: 2_360.0, 2025: 2_380.0}
    assert desk.policy.on(date(2023, 12, 31)).version == "2023.1"
    assert desk.policy.on(date(2024, 1, 1)).version == "2024.1"


def test_terms_of_one_version_have_one_hash(desk):
    first, last = desk.policy.on(date(2024, 1, 1)), desk.policy.on(date(2024, 12, 31))
    assert first.sha256 == last.sha256 != desk.policy.on(date(2025, 1, 1)).sha256


def test_comments_and_layout_do_not_enter_the_hash(desk):
    changed = parse_policy("# another comment\n\n" + desk.text, source="x")
    assert changed.sha256 == desk.policy.sha256


def test_units_of_the_pack_are_converted_once(desk):
    terms = desk.policy.on(date(2024, 6, 1))
    assert terms.product.minimum_ticket_minor == 30_000
    assert terms.evidence.grade_c == pytest.approx(380 * 15 / 10_000)
    swiss = load_policy("winter-wheat-ch").on(date(2022, 7, 15))
    assert swiss.crops["winter_wheat"].price == pytest.approx(540.0)


def test_a_day_before_the_first_value_is_refused_with_file_and_line(desk):
    with pytest.raises(
        InputUnusableError, match=r"policy_invalid: smallholder-grain-cn.toml:11: versions: .*2020-12-31"
    ):
        desk.policy.on(date(2020, 12, 31))


def test_an_unknown_name_lists_the_packs():
    with pytest.raises(InputUnusableError, match=r"policy_missing.*smallholder-grain-cn"):
        load_policy("no-such-policy")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('unit = "1/year"', 'unit = "percent"', "product.rate.*'percent', expected '1/year'"),
        ("2021-01-01 = 0.075", "2021-01-01 = -0.075", "product.rate.*-0.075, expected 0 or more"),
        ("2021-01-01 = 0.075", '2021-01-01 = "0.075"', "expected a number"),
        ("2021-01-01 = 0.075", "2021-01-01 = true", "expected a number"),
        ("2021-01-01 = 0.075", "2021-01-01 = nan", "finite"),
        ("2021-01-01 = 0.075", "2021-13-01 = 0.075", "no date"),
        ("2021-01-01 = 0.075", "2022-01-01 = 0.075, 2021-01-01 = 0.07", "expected rising dates"),
        ("2021-01-01 = 0.075", "2021-01-01 = 0.075, 2021-01-01 = 0.07", "not TOML"),
        ("2021-01-01 = 0.075", "2021-01-01 = 0.075, 2021-06-01 = 0.07", "no version from that day"),
        ("2021-01-01 = 0.075", "", "expected a non-empty dict"),
        (RATE, RATE + "colour = 1\n", "product.rate.colour: unknown key"),
        ("[product.rate]", "[product.rates]", "product.rate: missing"),
        ("[repayment.alpha]", "[repayment.alpha]\n[repayment.beta]", "repayment.alpha: no illustrative"),
        ('currency = "CNY"', 'currency = "XXX"', "currency: 'XXX'"),
        ('currency = "CNY"', 'currency = "INR"', "unit 'CNY/t', expected INR/"),
        ('area_unit = "mu"', 'area_unit = "bigha"', "area_unit: area unit 'bigha'"),
        ('area_unit = "mu"', "area_unit = 1", "expected a text"),
        ("schema_version = 1", "schema_version = 2", "expected 1"),
        ('"exposure", ', '"exposure", "colour", ', "caps"),
        ('"exposure", ', '"scale_of_finance", ', "missing"),
        ('"repayment_capacity", ', "", "expected repayment_capacity"),
        ('2022-01-01 = "2022.1"', '2022-01-01 = "2021.1"', "stands twice"),
        ("2021-01-01 = 2_048", "2021-01-01 = 2_000", "power of two"),
        ("2021-01-01 = 2_048", "2021-01-01 = 2_048.5", "whole number"),
        ("2021-01-01 = 1.25", "2021-01-01 = 0", "dscr_min.*above 0"),
        ('unit = "CNY/mu"', 'unit = "CNY/bigha"', "area unit 'bigha'"),
        ('unit = "CNY/t"', 'unit = "CNY/mu"', "weight unit 'mu'"),
        ("2021-01-01 = 380", "2021-01-01 = 3_800", "grade a >= grade b"),
        ("2021-01-01 = 300 }", "2021-01-01 = 300.001 }", "whole number"),
    ],
)
def test_a_faulty_pack_is_refused_with_file_and_line(desk, old, new, expected):
    assert old in desk.text
    with pytest.raises(InputUnusableError, match=rf"policy_invalid: faulty.toml:\d+: .*{expected}"):
        parse_policy(desk.text.replace(old, new, 1), source="faulty.toml")


def test_the_line_is_that_of_the_fault(desk):
    broken = desk.text.replace('unit = "1/year"', 'unit = "percent"')
    line = broken.splitlines().index("[product.rate]") + 1
    with pytest.raises(InputUnusableError, match=rf"faulty.toml:{line}: product.rate"):
        parse_policy(broken, source="faulty.toml")


def test_a_pack_from_a_file_is_named_in_its_errors(tmp_path, desk):
    path = tmp_path / "mine.toml"
    path.write_text(desk.text.replace("schema_version = 1\n", ""), encoding="utf-8")
    with pytest.raises(InputUnusableError, match=r"mine\.toml:1: schema_version: missing"):
        load_policy(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputUnusableError, match="not UTF-8"):
        load_policy(path)


def test_what_has_no_source_is_marked(desk):
    paths = desk.policy.illustrative_paths
    assert "product.rate" in paths
    assert "crop.winter_wheat.price" not in paths
