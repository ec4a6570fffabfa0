"""The storage plan: what is stored, what stays computed, and why."""

from __future__ import annotations

import numpy as np

from tests.passes.frozen import freeze, ops

HEAD = '<ir_version: 10, opset_import: ["": 18]>\n'
QUANTISED = (
    HEAD
    + """g (int8[256,512] q, float s, float[256] x) => (float[512] y) {
   f = Cast <to = 1> (q)
   w = Mul (f, s)
   y = MatMul (x, w)
}"""
)
EXPANDED = (
    HEAD
    + """g (float[1,64] row, int64[2] size, float[512,64] x) => (float[512,64] y) {
   wide = Expand (row, size)
   y = Mul (x, wide)
}"""
)
TRANSPOSED = (
    HEAD
    + """g (float[256,512] w, float[512] x) => (float[256] y) {
   t = Transpose <perm = [1, 0]> (w)
   y = MatMul (x, t)
}"""
)
BOTH = (
    HEAD
    + """g (float[256,256] w, float[256] x) => (float[256] y, float[256] z) {
   t = Transpose <perm = [1, 0]> (w)
   y = MatMul (x, t)
   z = MatMul (x, w)
}"""
)


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_quantised_weights_stay_quantised(worker):
    q = np.random.default_rng(0).integers(-99, 99, (256, 512))
    result = freeze(QUANTISED, {"q": q, "s": 0.1}, worker)
    assert ops(result) == ["Cast", "Mul", "MatMul"]
    assert result.log.kept[0].nbytes == 256 * 512 * 4


def test_growth_that_is_allowed_is_used(worker):
    q = np.random.default_rng(0).integers(-9, 9, (256, 512))
    assert ops(freeze(QUANTISED, {"q": q, "s": 0.1}, worker, max_growth=1 << 20)) == ["MatMul"]


def test_an_expanded_row_is_not_blown_up(worker):
    result = freeze(EXPANDED, {"row": weights(1, 64), "size": [512, 64]}, worker)
    stored = sum(v.const_value.nbytes for v in result.model.graph.initializers.values())
    assert stored < 1024 and ops(result).count("Mul") == 1


def test_a_weight_used_only_transposed_is_stored_transposed(worker):
    assert ops(freeze(TRANSPOSED, {"w": weights(256, 512)}, worker)) == ["MatMul"]


def test_a_weight_used_both_ways_is_stored_once(worker):
    result = freeze(BOTH, {"w": weights(256, 256)}, worker)
    assert sorted(ops(result)) == ["MatMul", "MatMul", "Transpose"]


def test_a_value_that_repeats_is_stored_once_and_expanded(worker):
    text = (
        HEAD
        + """g (float[1,8,64,64] m, float[1,8,64,64] x) => (float[1,8,64,64] y) {
   e = Exp (m)
   y = Add (x, e)
}"""
    )
    column = weights(1, 8, 1, 1) * np.ones((1, 8, 64, 64), np.float32)
    result = freeze(text, {"m": column}, worker)
    assert ops(result) == ["Add"]  # which broadcasts the column itself
    assert max(v.const_value.nbytes for v in result.model.graph.initializers.values()) == 32


def test_small_values_are_always_stored(worker):
    text = HEAD + "g (float a, float[3] x) => (float[3] y) { b = Exp (a)  c = Sin (b)  y = Mul (x, c) }"
    assert ops(freeze(text, {"a": 0.5}, worker)) == ["Mul"]
