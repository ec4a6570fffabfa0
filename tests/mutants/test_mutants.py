"""Mutants of small models: none kills freezer, raises what it should not, or comes out wrong. See scripts/fuzz."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from freezer.errors import ModelError
from freezer.model_io import load
from tests.mutants.mutate import mutant
from tests.mutants.one import Trial

ROOT = Path(__file__).resolve().parents[2]
HEAD = '<ir_version: 10, opset_import: ["": 18, "f": 1]> g '
# What the fuzzer found, in a form that one can read. Each was an unexpected error or a wrong result.
FOUND = {
    "a Cast to no type": "(bool[N] x) => (int64[N] y) <int64 one = {1}> { c = Cast <to = 0> (x) a = Min (c, one)"
                         " y = Neg (a) }",
    "a Split along a list of floats": "(float[N,6] x) => (float[N,6] y) { a, b = Split <axis = [1.5]> (x)"
                                      " c = Concat <axis = -1> (a, b) y = Exp (c) }",
    "a Scan whose body takes too little": "(float[2] s, float[2,2] x) => (float[2] y) { y = Scan <num_scan_inputs = 1,"
                                          " body = b (float[2] v) => (float[2] w) { w = Neg (v) }> (s, x) }",
    "an Identity of nothing in a Loop": "(int64 n, float[3] x) => (float[3] y) { y = Loop (n, , x) <body = b (int64 i,"
                                        " bool c, float[3] v) => (bool d, float[3] w) { d = Identity ()"
                                        " w = Neg (v) }> }",
    "keepdims that is 14": "(bool[4,2] x, int64[1] a) => (bool[K,M] y) { y = ReduceMin <keepdims = 14> (x, a) }",
    "a call with an attribute of another type": "(float[N] x, float k) => (float[N] y) { y = f.leak <alpha = [1, 2]>"
                                                " (x, k) }\n<domain: \"f\", opset_import: [\"\": 18]> leak <alpha>"
                                                " (a, b) => (c) { l = LeakyRelu <alpha: float = @alpha> (a)"
                                                " c = Mul (l, b) }",
    "random numbers in a Scan": "(float s, float[5] x) => (float y, float[5] z) { y, z = Scan <num_scan_inputs = 1,"
                                " body = b (float a, float e) => (float n, float r) { n = Add (a, e)"
                                " r = RandomUniformLike <seed = 1.0> (n) }> (s, x) }",
    "an empty scan output of another declared shape": "(int64 n, float[2] x) => (float[2] y, float[M,2] ys) { y, ys ="
        " Loop (n, , x) <body = b (int64 i, bool c, float[2] v) => (bool c2, float[2] w, float[2,2] out) {"
        " c2 = Identity (c) w = Exp (v) out = Neg (v) }> }",
    "a SequenceAt without a place": "(float[2,N] x) => (float[N] y) { s = SplitToSequence <keepdims = 0> (x)"
                                    " a = SequenceAt (s) y = Exp (a) }",
    "Unsqueezes without axes": "(float[N] x) => (float[1,N] y) { h = Exp (x) a = Unsqueeze (h) b = Unsqueeze (a, x)"
                               " y = Exp (b) }",
    "a Conv of two types": "(double[N,2,5,5] x, float[3,2,3,3] w) => (float[N,3,3,3] y) <float[1,3,1,1] b = {1, 2, 3}>"
                           " { c = Conv (x, w) y = Add (c, b) }",
    "a Split into more than there is": "(int64[3] x) => (float[5,N] y) <int64[3] s = {2, 3, 1}> { a, b, d = Split"
                                       " <axis = 0> (x, s) c = Concat <axis = 0> (a, b) y = If (c) }",
    "an If of which a branch gives nothing": "(float[2,3] x, bool c) => (float[3,2] y) { t = If (c) <then_branch = one"
        " () => (float[] p) { p = Neg (x) }, else_branch = none () => () { }> y = Transpose <perm = [1, 0]> (t) }",
    "an If beside a Transpose by a number": "(float[2,3] x, bool c) => (float[3,2] y, float[2,3] z) { y = Transpose"
        " <perm = 1> (x) z = If (c) <then_branch = one () => (p) { p = Neg (x) }, else_branch = two () => (q)"
        " { q = Relu (x) }> }",
    "an If of one branch": "(float[24] x, int64[K] s, bool c) => (float[A,B,C] y) { v = Reshape (x, s) y = If (c)"
        " <x = one () => (float[] p) { p = Transpose <perm = [2, 0, 1]> (v) }, else_branch = two () => (float[24] q)"
        " { q = Relu (v) }> }",
}  # fmt: skip


@pytest.fixture(scope="module")
def trial():
    running = Trial()
    yield running
    running.close()


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_is_fixed(name, trial):
    data = onnx.parser.parse_model(HEAD + FOUND[name]).SerializeToString()
    for seed in range(12):  # which inputs are frozen, and to what
        kind, details = trial.run(data, f"{name}:{seed}")
        assert kind in ("equal", "unjudged", "refused"), details


def test_a_default_of_a_bodys_input_is_dropped():
    model = onnx.parser.parse_model(HEAD + """(int64 n, float[3] x) => (float[3] y) { y = Loop (n, , x) <body =
        b (int64 i, bool c, float[3] v) => (bool d, float[3] w) { d = Identity (c) w = Neg (v) }> }""")  # fmt: skip
    body = model.graph.node[0].attribute[0].g
    body.initializer.append(onnx.helper.make_tensor("v", onnx.TensorProto.FLOAT, [3], [1, 2, 3]))
    loaded = load(model).model.graph.node(0).attributes["body"].as_graph()
    assert not loaded.initializers and [v.name for v in loaded.inputs] == ["i", "c", "v"]


def test_a_name_of_a_body_that_is_no_text_is_refused():
    text = "(bool c, float[3] x) => (float[3] y) { y = If (c) <then_branch = branch () => (p) { p = Neg (x) },"
    model = onnx.parser.parse_model(HEAD + text + " else_branch = e () => (q) { q = Abs (x) }> }")
    with pytest.raises(ModelError, match="not UTF-8"):
        load(onnx.ModelProto.FromString(model.SerializeToString().replace(b"\x12\x06branch", b"\x12\x06branc\xff")))
    assert load(model)


def test_a_run_of_the_fuzzer_finds_nothing():
    command = [sys.executable, ROOT / "scripts" / "fuzz", "--mutants", "400", "--seed", "11"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "seed 11, mutants 0 to 399" in done.stdout and "'equal'" in done.stdout


def test_the_same_seed_makes_the_same_mutants():
    models = [onnx.parser.parse_model(HEAD + text).SerializeToString() for text in FOUND.values()]
    assert [mutant(models, 3, i) for i in range(50)] == [mutant(models, 3, i) for i in range(50)]
    assert len({mutant(models, 3, i) for i in range(50)}) > 45
