from __future__ import annotations

import pytest
from models import parse

from freezer.verification.sizes import MOST, assignments, evaluate, free_symbols, make_slot


def slots(text, shapes=None):
    return [make_slot(v, (shapes or {}).get(v.name)) for v in parse(text).graph.input]


@pytest.mark.parametrize(
    "size, bound, expected",
    [
        (4, {}, 4),
        ("n", {"n": 3}, 3),
        ("past + n - 1", {"past": 2, "n": 3}, 4),
        ("max(1, 2*n)//2", {"n": 3}, 3),
        ("batch size", {"batch size": 7}, 7),
        ("n + m", {"n": 1}, None),
        ("__import__('os')", {}, None),
    ],
)
def test_a_dim_is_a_number_a_symbol_or_a_formula(size, bound, expected):
    assert evaluate(size, bound) == expected


def test_unnamed_dims_are_symbols_of_their_own_and_bound_shapes_win():
    found = slots("g (float[?,n,3] x, float[n,m] y) => (float z) { z = Foo(x, y) }", {"y": [5, None]})
    assert found[0].shape == ["x:0", "n", 3]
    assert found[1].shape == [5, "y:1"]
    assert free_symbols(found, {"n": 5}) == ["x:0", "y:1"]


def test_a_dim_of_0_is_a_size():
    found = slots("g (float[n,m] x) => (float z) { z = Foo(x) }", {"x": [0, None]})
    assert found[0].shape == [0, "x:1"]


def test_symbols_inside_formulas_are_free():
    found = slots("g (float[n] x, float[m] y) => (float z) { z = Foo(x, y) }", {"y": ["past + n"]})
    assert free_symbols(found, {}) == ["n", "past"]


def test_assignments_are_bounded_and_differ_and_keep_what_is_bound():
    found = slots("g (float[batch,n,7] x, float[m,k] y) => (float z) { z = Foo(x, y) }")
    ways = list(assignments(found, {"k": 11}))
    assert len(ways) <= MOST and len({tuple(w.items()) for w in ways}) == len(ways)
    assert all(w["k"] == 11 and set(w) == {"batch", "n", "m", "k"} for w in ways)
    assert ways[0] == {"k": 11, "batch": 1, "n": 8, "m": 8}
    assert any(len({w["batch"], w["n"], w["m"]}) == 3 for w in ways[:3])
    assert any(w["n"] == 7 for w in ways)


def test_nothing_free_is_one_assignment():
    assert list(assignments(slots("g (float[n,2] x) => (float z) { z = Foo(x) }"), {"n": 4})) == [{"n": 4}]


def test_pictures_and_sound_are_larger_than_text():
    found = slots("g (float[b,3,h,w] image, float[b,samples] audio, int64[b,t] text) => (float z) { z = Foo(image) }")
    first = next(assignments(found, {}))
    assert first == {"b": 1, "h": 64, "w": 64, "samples": 4096, "t": 8}
