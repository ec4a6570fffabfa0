from __future__ import annotations

import numpy as np
import pytest
from models import parse

from freezer.verification.feeds import SUM, Drawer
from freezer.verification.flow import hints, vocabulary
from freezer.verification.search import PROFILES
from freezer.verification.sizes import make_slot


def draw(text, profile="normal", seed=0, **sizes):
    proto = parse(text)
    slots = [make_slot(v, None) for v in proto.graph.input]
    return Drawer(slots, hints(proto), vocabulary(proto)).feed(sizes, profile, [seed, 0])


@pytest.mark.parametrize("profile", PROFILES)
def test_an_index_stays_inside_the_table_it_looks_up(profile):
    text = """g (int32[n,m] i) => (float[n,m,2] y) <float[5,2] w = {0,1,2,3,4,5,6,7,8,9}>
        { j = Cast<to = 7>(i)  k = Unsqueeze(j, a)  s = Squeeze(k, a)  y = Gather(w, s) }"""
    found = draw(text, profile, n=40, m=50)["i"]
    assert found.dtype == np.int32 and found.shape == (40, 50)
    assert found.min() >= 0 and found.max() <= 4


def test_an_index_through_an_offset_a_function_and_a_quantised_table():
    text = """g (int64[n] i) => (float[n,2] y) <int8[7,2] q = {1,2,3,4,5,6,7,1,2,3,4,5,6,7}, float s = {0.5}>
        { two = Constant<value = int64 {2}>()  j = Add(i, two)  w = DequantizeLinear(q, s)  y = local.take(w, j) }
        <domain: "local", opset_import: ["": 21]> take (d, k) => (o) { o = Gather(d, k) }"""
    proto = parse(text)
    slots = [make_slot(v, None) for v in proto.graph.input]
    found = Drawer(slots, hints(proto), []).feed({"n": 500}, "normal", [0])["i"]
    assert found.min() == 0 and found.max() == 4


def test_an_index_into_an_axis_of_symbolic_size():
    found = draw("g (float[n,3] x, int64[e] i) => (float[e,3] y) { y = Gather(x, i) }", n=6, e=400)["i"]
    assert set(found.tolist()) == set(range(6))


@pytest.mark.parametrize("dtype", ["bool", "int64", "float"])
def test_masks_are_runs_of_ones(dtype):
    text = f"""g ({dtype}[n,m] keep, {dtype}[n,m] attention_mask) => (float[n,m] y)
        {{ c = Cast<to = 9>(keep) y = Cast<to = 1>(c) }}"""
    full, some = draw(text, n=5, m=9), draw(text, "unit", n=5, m=9)
    for name in ("keep", "attention_mask"):
        assert (full[name] == 1).all()
        rows = some[name].astype(np.int64)
        assert (rows[:, 0] == 1).all() and (np.diff(rows) <= 0).all() and rows.min() == 0


def test_what_is_compared_with_constants_takes_their_values():
    text = """g (int64 sr) => (bool y, bool z)
        { a = Constant<value = int64 {16000}>()  b = Constant<value = int64 {8000}>()
          y = Equal(sr, a)  z = Equal(sr, b) }"""
    assert {int(draw(text, seed=i)["sr"]) for i in range(20)} == {8000, 16000}


def test_strings_come_from_the_tables_that_look_them_up():
    text = """g (string[n] s) => (int64[n] y) { y = ai.onnx.ml.LabelEncoder
        <keys_strings = ["red", "blue"], values_int64s = [1, 2]>(s) }"""
    found = draw(text, n=30)["s"]
    assert found.dtype == object and set(found.tolist()) == {"red", "blue"}


def test_lengths_fit_their_rows_and_sizes_are_small():
    text = """g (float[b,t] audio, int64[b] audio_lengths, int64[1] count) => (float y)
        { z = ConstantOfShape(count)  y = Foo(audio, audio_lengths) }"""
    for profile in PROFILES:
        found = draw(text, profile, b=3, t=20)
        assert found["audio_lengths"].min() >= 1 and found["audio_lengths"].max() <= 20
        assert found["count"].min() >= 1 and found["count"].max() <= 240
    assert draw(text, b=3, t=20)["count"].max() < 5


def test_shares_have_one_sum():
    found = draw("g (int64[n] a, int64[m] b) => (float y) { y = Foo(a, b) }", "shares", n=7, m=5)
    assert found["a"].sum() == found["b"].sum() == SUM


def test_large_feeds_hold_zeros_of_both_signs_and_edge_feeds_what_is_not_finite():
    text = "g (float[n] x) => (float[n] y) { y = Abs(x) }"
    zeros = [x for x in draw(text, "large", n=2000)["x"] if x == 0]
    assert {bool(np.signbit(z)) for z in zeros} == {True, False}
    edge = draw(text, "edge", n=2000)["x"]
    assert np.isnan(edge).any() and np.isinf(edge).any()


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "double", "uint8", "int8", "uint64", "bool", "float8e4m3fn", "int4"]
)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_type_can_be_drawn(dtype, profile):
    found = draw(f"g ({dtype}[n,2] x) => ({dtype}[n,2] y) {{ y = Identity(x) }}", profile, n=3)["x"]
    assert found.shape == (3, 2) and found.dtype.name in (
        dtype,
        dtype.replace("double", "float64").replace("e4", "_e4"),
    )


def test_sequences_are_lists_and_feeds_repeat():
    text = "g (seq(float[n]) s) => (float[n] y) { i = Constant<value = int64 {0}>() y = SequenceAt(s, i) }"
    first, second = draw(text, n=3)["s"], draw(text, n=3)["s"]
    assert len(first) == 2 and all((a == b).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("dtype", ["float", "int64", "bool", "string"])
def test_scalars_are_arrays(dtype):
    assert isinstance(draw(f"g ({dtype} x) => ({dtype} y) {{ y = Identity(x) }}")["x"], np.ndarray)


def test_a_size_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="would have"):
        draw("g (float[n,n] x) => (float y) { y = Foo(x) }", n=1 << 20)
    with pytest.raises(ValueError, match="no size"):
        draw("g (float[n] x) => (float y) { y = Foo(x) }")
