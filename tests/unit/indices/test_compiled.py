from __future__ import annotations

import ast
import pickle
import re

import numpy as np
import pytest

from agrocredit.domain.errors import WrongUsageError
from agrocredit.indices import IndexDefinition, built_in_indices, compile_indices, evaluate, load_indices

ALLOWED = {"abs", "max", "min", "sqrt"}


def own(formula, name="X"):
    return IndexDefinition(short_name=name, long_name="x", formula=formula, reference="here")


def test_bands_are_the_ordered_union_and_names_keep_their_order():
    compiled = compile_indices(load_indices(["SAVI", "EVI", "GNDVI"]))
    assert compiled.names == ("savi", "evi", "gndvi")
    assert compiled.bands == ("blue", "green", "red", "nir")
    assert compiled.uses == ((2, 3), (0, 2, 3), (1, 3))


def test_the_text_of_every_index_is_a_formula_of_the_same_value():
    compiled = compile_indices(built_in_indices())
    rng = np.random.default_rng(5)
    bands = {name: rng.uniform(0.01, 0.9, 200) for name in compiled.bands}
    # The written text is itself a formula once its bands carry band names again, so the reference can read it back.
    for definition, text in zip(built_in_indices(), compiled.values, strict=True):
        formula = re.sub(r"\bb(\d+)\b", lambda match: compiled.bands[int(match[1])], text)
        np.testing.assert_allclose(evaluate(own(formula), bands), evaluate(definition, bands), rtol=1e-12)


def test_text_holds_only_bands_numbers_and_known_functions():
    compiled = compile_indices([*built_in_indices(), own("max(nir, -red) ** 1.5 - abs(blue)")])
    for text in (*compiled.values, *(guard for guards in compiled.guards for guard in guards)):
        names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        assert names <= ALLOWED | {f"b{position}" for position in range(len(compiled.bands))}


def test_inner_divisions_powers_and_roots_are_guarded():
    compiled = compile_indices([own("min(1 / nir, nir ** 2) + sqrt(nir) ** 1.5")])
    assert set(compiled.guards[0]) == {"(1.0 / b0)", "sqrt(b0)", "(sqrt(b0) ** 1.5)"}


def test_a_plain_ratio_needs_no_guard():
    assert compile_indices(load_indices()).guards == ((),) * 6


def test_equal_formulas_in_other_words_compile_to_equal_text():
    one, two = own("(nir-red)/(nir+red)"), own("( nir - red ) / ( nir + red )")
    assert compile_indices([one]) == compile_indices([two])


def test_a_compiled_set_travels_to_another_process():
    compiled = compile_indices(load_indices())
    assert pickle.loads(pickle.dumps(compiled)) == compiled  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(load_indices())) == load_indices()  # noqa: S301 - our own bytes


@pytest.mark.parametrize(("names", "code"), [([], "index_unknown"), (["NDVI", "ndvi"], "index_repeated")])
def test_no_index_or_one_twice_is_wrong_usage(names, code):
    with pytest.raises(WrongUsageError) as caught:
        compile_indices(load_indices(names))
    assert caught.value.code == code
