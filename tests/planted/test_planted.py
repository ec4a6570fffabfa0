"""What other folders got wrong, and what is easily got wrong: the outputs keep every bit.

scripts/plant_faults makes freezer itself wrong in one place and expects these tests, or others, to fail.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from freezer.model_io import load, serialise, to_proto
from freezer.options import Options
from freezer.pipeline import specialise
from tests.oracle.test_oracle import same, session
from tests.planted.faults import FAULTS
from tests.random_graphs.make import SPECIAL

HEAD = '<ir_version: 10, opset_import: ["": 18, "f": 1]> g '
_HALF = np.float16(0.1)
_POOLS = {  # by element type
    onnx.TensorProto.FLOAT: [-2.0, *SPECIAL],
    onnx.TensorProto.FLOAT16: [_HALF * _HALF, 2049, -0.0, 1e-7, 65504],
    onnx.TensorProto.BOOL: [True, False],
    onnx.TensorProto.INT64: [3, 16777217, 2, 1],
    onnx.TensorProto.INT32: [3, 16777217, 2, 1],
}
_TYPES = {"FLOAT": np.float32, "INT64": np.int64, "BOOL": np.bool_, "FLOAT16": np.float16, "INT32": np.int32}

CASES: dict[str, tuple[str, dict[str, object]]] = {  # name: (model, what is frozen)
    "Shape with start and end": (
        "(float[2,3,4] x, float[24] y) => (float[K,L] z, int64[M] s) {"
        " s = Shape <start = 1, end = -1> (x) t = Shape <start = 2> (x) m = Constant <value_ints = [-1]> ()"
        " u = Concat <axis = 0> (m, t) z = Reshape (y, u) }", {}),
    "Shape with start and end, frozen": (
        "(float[2,3,4] x) => (int64[M] s) { s = Shape <start = -2, end = 2> (x) }", {"x": np.ones((2, 3, 4))}),
    "equal names in two branches": (
        "(bool c, float[2] x) => (float[2] y) { y = If (c) <then_branch = t () => (p) <float[2] w = {1, 2}>"
        " { p = Add (x, w) }, else_branch = e () => (q) <float[2] w = {5, 7}> { q = Add (x, w) }> }", {}),
    "equal names in two branches, both inlined": (
        "(bool c, float[2] x) => (float[2] y, float[2] z) { y = If (c) <then_branch = t () => (p)"
        " <float[2] w = {1, 2}> { p = Add (x, w) }, else_branch = e () => (q) <float[2] w = {5, 7}> { q = Add (x, w) }>"
        " z = If (c) <then_branch = t2 () => (p) <float[2] w = {3, 4}> { p = Add (x, w) },"
        " else_branch = e2 () => (q) <float[2] w = {6, 8}> { q = Add (x, w) }> }", {"c": True}),
    "constants that only branches read": (
        "(bool c, float[2] x) => (float[2] y) <float[2] w = {1, 2}, float[2] v = {3, 4}> { y = If (c)"
        " <then_branch = t () => (p) { p = Add (x, w) }, else_branch = e () => (q) { q = Mul (x, v) }> }", {}),
    "an output that is a constant of a branch": (
        "(bool c, float[2] x) => (float[2] y) { y = If (c) <then_branch = t () => (p) <float[2] p = {1, 2}> { },"
        " else_branch = e () => (q) { q = Neg (x) }> }", {"c": True}),
    "outputs that are one constant": (
        "(float[2] x, bool c) => (float[2] y, float[2] z) { y = Identity (x) z = Identity (x) }", {"x": [1, 2]}),
    "an output that is an input": (
        "(float[2] x, bool c) => (float[2] y) { y = If (c) <then_branch = t () => (p) { p = Identity (x) },"
        " else_branch = e () => (q) { q = Neg (x) }> }", {"c": True}),
    "one value as two outputs of a branch": (
        "(bool c, bool d, float[2] x) => (float[2] y, float[2] z) { y, z = If (c) <then_branch = t () => (p, p2)"
        " { p = Neg (x) p2 = If (d) <then_branch = t2 () => (r) { r = Identity (p) }, else_branch = e2 () => (s)"
        " { s = Abs (p) }> }, else_branch = e () => (q, q2) { q = Abs (x) q2 = Exp (x) }> }", {"d": True}),
    "Identity of an outer value in a Scan": (
        "(float[3,2] x, float[2] o) => (float[2] s, float[3,2] y) { s, y = Scan <num_scan_inputs = 1,"
        " body = b (float[2] a, float[2] e) => (float[2] n, float[2] r) { n = Add (a, e) r = Identity (o) }>"
        " (o, x) }", {}),
    "Identity of a state in a Scan": (
        "(float[3,2] x, float[2] o) => (float[2] s, float[3,2] y) { s, y = Scan <num_scan_inputs = 1,"
        " body = b (float[2] a, float[2] e) => (float[2] n, float[2] r) { n = Identity (e) r = Identity (a) }>"
        " (o, x) }", {}),
    "an absent input in the middle": (
        "(float[4] x, float k) => (float[4] y) { m = Add (k, k) y = Clip (x, , m) }", {"k": np.float32(0.5)}),
    "absent inputs of a Resize": (
        "(float[1,1,2,2] x, float[4] s) => (float[A,B,C,D] y) { t = Add (s, s) y = Resize (x, , t) }",
        {"s": [0.5, 0.5, 1.0, 1.5]}),
    "a default that is fed": (
        "(bool c = {1}, float[2] x) => (float[2] y) { n = Not (c) y = If (n) <then_branch = t () => (p) { p ="
        " Neg (x) },"
        " else_branch = e () => (q) { q = Exp (x) }> }", {}),
    "a default that changes nothing, and is fed": (
        "(float[2] w = {1, 1}, float[2] x) => (float[2] y) { y = Mul (x, w) }", {}),
    "a root of -0.0": (
        "(float[12] x, float z) => (float[12] y) { a = Sqrt (x) y = Add (a, z) }", {"z": np.float32(0)}),
    "zeros of both signs": (
        "(float[10] x, float z, float m) => (float[10] a, float[10] b, float[10] c, float[10] d) {"
        " a = Add (x, z) b = Sub (x, m) c = Mul (x, z) n = Neg (z) d = Add (x, n) }",
        {"z": np.float32(0), "m": np.float32(-0.0)}),
    "a zero that is divided by": (
        "(float[10] x, float z) => (float[10] y) <float one = {1}> { a = Add (x, z) y = Div (one, a) }",
        {"z": np.float32(0)}),
    "Where, and zeros": (
        "(bool[1] c, float[10] x, float[10] w) => (float[10] y, float[10] z) { y = Where (c, x, w)"
        " n = Not (c) z = Where (n, x, w) }", {"c": [True]}),
    "a neutral operand that broadcasts": (
        "(float[1] x, float[3] o, bool[1] b, bool[3] t) => (float[3] y, bool[3] z) { y = Mul (x, o) z = And (b, t) }",
        {"o": [1, 1, 1], "t": [True, True, True]}),
    "a bound that bites by one": (
        "(float[N,3] x, int64 m) => (int64[] y, int64[] z) { s = Shape <start = 0, end = 1> (x) i = Squeeze (s)"
        " y = Max (i, m) z = Min (i, m) }", {"m": np.int64(2)}),
    "Clip without its lower bound": (
        "(float[N,3] x, int64 m) => (int64[] y) { s = Shape <start = 0, end = 1> (x) i = Squeeze (s) y = Clip"
        " (i, , m) }",
        {"m": np.int64(0)}),
    "a size against 1": (
        "(float[N,3] x, int64 m) => (int64[] y) { s = Shape <start = 0, end = 1> (x) i = Squeeze (s) y = Max (i, m) }",
        {"m": np.int64(1)}),
    "slices": (
        "(float[5,4] x, int64[1] s, int64[1] e, int64[1] a, int64[1] p) => (float[A,B] y, float[C,D] z) {"
        " y = Slice (x, s, e, a, p) q = Neg (p) u = Slice (x, e, s, a, q) k = Neg (s) z = Slice (u, p, k, a) }",
        {"s": [1], "e": [-1], "a": [1], "p": [1]}),
    "a whole slice, backwards": (
        "(float[4] x, int64[1] s, int64[1] e, int64[1] a, int64[1] p) => (float[N] y) { y = Slice (x, s, e, a, p) }",
        {"s": [-1], "e": [-9], "a": [0], "p": [-1]}),
    "two slices of one axis": (
        "(float[9] x, int64[1] s, int64[1] e) => (float[N] y) { u = Slice (x, s, e) y = Slice (u, s, e) }",
        {"s": [2], "e": [7]}),
    "orders of axes": (
        "(float[2,3,4] x) => (float[A,B,C] y, int64[3] s) { t = Transpose <perm = [1, 2, 0]> (x)"
        " y = Transpose <perm = [0, 2, 1]> (t) u = Transpose <perm = [1, 2, 0]> (x) s = Shape (u) }", {}),
    "a Gather in another order": (
        "(float[3] x, int64[3] i, int64[2] j) => (float[3] y, float[2] z) { y = Gather (x, i) z = Gather (x, j) }",
        {"i": [2, 1, 0], "j": [-1, 0]}),
    "sizes picked from the end": (
        "(float[2,3,4] x, float[24] w, int64[2] i) => (float[A,B] y) { s = Shape (x) t = Gather (s, i)"
        " m = Concat <axis = 0> (t) n = Slice (m, z, o) k = Constant <value_ints = [-1]> () r = Concat <axis ="
        " 0> (n, k)"
        " y = Reshape (w, r) }".replace("{ s =", "<int64[1] z = {-2}, int64[1] o = {-1}> { s ="), {"i": [-1, 1]}),
    "pieces of a Split in another order": (
        "(float[4,2] x) => (float[4,2] y, float[2,4] z) { a, b = Split <axis = 0, num_outputs = 2> (x)"
        " y = Concat <axis = 0> (b, a) z = Concat <axis = 1> (a, b) }", {}),
    "Concats of two axes": (
        "(float[2,2] x, float[2,2] y) => (float[4,4] z) { a = Concat <axis = 0> (x, y) b = Concat <axis = 0> (y, x)"
        " z = Concat <axis = 1> (a, b) }", {}),
    "integers that floats round": (
        "(int64[2] x, int32[2] y) => (int64[2] a, int32[2] b) { p = Cast <to = 1> (x) a = Cast <to = 7> (p)"
        " q = Cast <to = 1> (y) b = Cast <to = 6> (q) }", {}),
    "a Dropout that trains": (
        "(float[4] x, float r, bool t) => (float[4] y) { y = Dropout <seed = 3> (x, r, t) }",
        {"t": True, "r": np.float32(0.5)}),
    "an Expand that gives the shape": (
        "(float[1] x, float[1] w, int64[1] n) => (float[N] y) { a = Expand (x, n) y = Sub (a, w) }", {"n": [3]}),
    "the last member of a sequence": (
        "(float[1] a, float[1] b, float[1] c, int64 i) => (float[1] y) { s = SequenceConstruct (a, b, c)"
        " y = SequenceAt (s, i) }", {"i": np.int64(-1)}),
    "an If": (
        "(bool c, float[2] x) => (float[2] y) { y = If (c) <then_branch = t () => (p) { p = Neg (x) },"
        " else_branch = e () => (q) { q = Exp (x) }> }", {"c": True}),
    "a Loop that breaks": (
        "(int64 n, float x) => (float y) <float three = {3}> { y = Loop (n, , x) <body = b (int64 i, bool c,"
        " float v) => (bool d, float w) { w = Add (v, three) d = Less (w, three) }> }", {"n": np.int64(3)}),
    "a Loop that counts and stacks": (
        "(int64 n, float x) => (float y, int64[M] z) { y, z = Loop (n, , x) <body = b (int64 i, bool c, float v) =>"
        " (bool d, float w, int64 k) { d = Identity (c) f = Cast <to = 1> (i) w = Add (v, f) k = Add (i, i) }> }",
        {"n": np.int64(3)}),
    "a Loop whose values change places": (
        "(int64 n, float x, float u) => (float y, float z) { y, z = Loop (n, , x, u) <body = b (int64 i, bool"
        " c, float v,"
        " float w) => (bool d, float p, float q) { d = Identity (c) p = Identity (w) q = Neg (v) }> }", {}),
    "a Loop whose value grows": (
        "(int64 n, float[1] x) => (float[M] y, int64[O,1] z, int64[1] s) { y, z = Loop (n, , x) <body = b (int64 i,"
        " bool c, float[K] v) => (bool d, float[L] w, int64[1] k) { d = Identity (c) w = Concat <axis = 0> (v, v)"
        " k = Shape (v) }> s = Shape (y) }", {"x": [1.0]}),
    "a Scan backwards": (
        "(float s, float[3] x) => (float y, float[3] z) { y, z = Scan <num_scan_inputs = 1,"
        " scan_input_directions = [1],"
        " scan_output_directions = [1], body = b (float a, float e) => (float n, float r) { m = Mul (a, e)"
        " n = Add (m, e) r = Neg (n) }> (s, x) }", {"s": np.float32(2)}),
    "random numbers": (
        "(float[4] x) => (float[4] y, float[4] z) { a = RandomNormal <seed = 7.0, shape = [4]> () y = Add (a, x)"
        " b = RandomNormal <seed = 8.0, shape = [4]> () z = Add (b, x) }", {"x": [1, 2, 3, 4]}),
    "random numbers drawn twice": (
        "(float[4] x) => (float[4] y) { a = RandomNormalLike (x) b = RandomNormalLike (x) y = Sub (a, b) }",
        {"x": [1, 2, 3, 4]}),
    "random numbers in a loop": (
        "(int64 n, float[2] x) => (float[2] y, float[M,2] z) { y, z = Loop (n, , x) <body = b (int64 i, bool c,"
        " float[2] v) => (bool d, float[2] w, float[2] r) { d = Identity (c) r = RandomUniformLike <seed = 1.0> (v)"
        " w = Add (v, r) }> }", {"n": np.int64(2)}),
    "functions with and without what they default to": (
        "(float[3] x, float k) => (float[3] y, float[3] z) { a = f.leak <alpha = 0.5> (x, k) y = Neg (a)"
        " z = f.leak (x, k) }\n<domain: \"f\", opset_import: [\"\": 18]> leak <alpha: float = 0.25> (a, b) => (c)"
        " { l = LeakyRelu <alpha: float = @alpha> (a) c = Mul (l, b) }", {"k": np.float32(2)}),
    "a function that is called as an operator": (
        "(float[3] x) => (float[3] y) { y = f.Neg (x) }\n<domain: \"f\", opset_import: [\"\": 18]> Neg (a) => (c)"
        " { c = Exp (a) }", {"x": [1, 2, 3]}),
    "a function of an older opset": (
        "(int64[2,3,4] i, float k) => (float[A,B,C] y) { x = Cast <to = 1> (i) y = f.soft (x, k) }\n<domain:"
        " \"f\", opset_import: [\"\": 11]>"
        " soft (a, b) => (c) { s = Softmax (a) c = Mul (s, b) }", {"k": np.float32(2)}),
    "constants of equal bytes": (
        "(float[2] x, int32[2] i) => (float[2] y, int32[2] z, float[2,2] w) <float[2] a = {0, 0}, int32[2] b = {0, 0},"
        " float[2,1] c = {0, 0}> { y = Mul (x, a) z = Mul (i, b) w = Mul (x, c) }", {}),
    "zeros of two signs as constants": (
        "(float[2] x) => (float[2] y, float[2] z) <float[2] a = {0, 0}, float[2] b = {-0.0, -0.0}>"
        " { y = Mul (x, a) z = Mul (x, b) }", {}),
    "nodes that differ in an attribute": (
        "(float[3,3] x) => (float[3,3] y) { a = Softmax <axis = 0> (x) b = Softmax <axis = 1> (x) y = Sub (a,"
        " b) }", {}),
    "equal nodes in two branches": (
        "(bool c, float[2] x) => (float[2] y) { y = If (c) <then_branch = t () => (p) { a = Exp (x) p = Neg (a) },"
        " else_branch = e () => (q) { b = Exp (x) q = Abs (b) }> }", {}),
    "float16 between two nodes": (
        "(float16[8] x, float16[8] k) => (float16[8] y) { a = Mul (k, k) y = Sub (a, x) }", {"k": [0.1] * 8}),
    "float16 in equal slices, one of them an output": (
        "(float16[8] x, float16[8] k, float16[3] w) => (float16[3] y, float16[3] b) <int64[1] s = {2},"
        " int64[1] e = {5}> { v = Add (x, k) a = Slice (v, s, e) y = Sub (a, w) b = Slice (v, s, e) }",
        {"k": [2048] * 8}),
    "float16 in a row of two moves, the first of which does nothing": (
        "(float16[8] x, float16[8] k, float16[3] w) => (float16[3] y) <int64[1] s = {2}, int64[1] e = {5}>"
        " { v = Add (x, k) t = Transpose (v) a = Slice (t, s, e) y = Sub (a, w) }", {"k": [2048] * 8}),
    "a value that does not quite repeat": (
        "(float[2,16384] x, float[16384] w) => (float[2,16384] y) { y = Mul (x, w) }",
        {"w": (np.arange(16384) > 16000) + 1}),
    "zeros of two signs that repeat": (
        "(float[2,16384] x, float[16384] w) => (float[2,16384] y) { y = Div (x, w) }",
        {"w": np.where(np.arange(16384) % 2, 0.0, -0.0)}),
    "Reshapes with zeros": (
        "(float[2,3,4] x, int64[2] s) => (float[A,B] y, int64[2] z) { y = Reshape (x, s) z = Shape (y) }",
        {"s": [0, 12]}),
    "Reshape to nothing": (
        "(float[2,0] x, int64[2] s) => (float[A,B] y, int64[2] z) { y = Reshape <allowzero = 1> (x, s) z = Shape (y) }",
        {"s": [0, 7]}),
    "Reshape by what may be 0": (
        "(float[6,4] x, float[M,4] u) => (int64[] y) <int64[1] k = {4}, int64 z = {0}> {"
        " d = Shape <start = 0, end = 1> (u) t = Concat <axis = 0> (d, k) r = Reshape (x, t) s = Shape (r)"
        " a = Gather (s, z) b = Squeeze (d) y = Sub (a, b) }", {}),
    "axes come and go": (
        "(float[1,3,1] x, int64[1] i, int64[2] j) => (float[A,B] y, float[C,D,E,F,G] z, int64[2] s, int64[5] t) {"
        " y = Squeeze (x, i) s = Shape (y) z = Unsqueeze (x, j) t = Shape (z) }", {"i": [0], "j": [1, 4]}),
    "Concats of sizes": (
        "(float[2,3] x, float[2,4] w) => (int64[2] s, float[A,B] z) { z = Concat <axis = 1> (x, w) s = Shape"
        " (z) }", {}),
    "branches of two shapes": (
        "(bool c, float[2] x) => (float[N] y, int64[1] s) { y = If (c) <then_branch = t () => (p) { p = Neg (x) },"
        " else_branch = e () => (q) { q = Concat <axis = 0> (x, x) }> s = Shape (y) }", {}),
    "a static If that reads from outside": (
        "(bool c, float[2] k, float[2] x) => (float[2] y) { a = Exp (k) b = If (c) <then_branch = t () => (p)"
        " { p = Neg (a) }, else_branch = e () => (q) { q = Abs (a) }> m = ReduceMax (b) d = Loop (n, , m) <body ="
        " l (int64 i, bool g, float[1] v) => (bool h, float[1] w) { h = Identity (g) r = ReduceMin (a) w = Mul"
        " (v, r) }>"
        " y = Add (x, d) }".replace("{ a =", "<int64 n = {40}> { a ="), {"c": True, "k": [1, 2]}),
    "two frozen inputs of one type": (
        "(float[2] a, float[2] b, float[2] x) => (float[2] y) { c = Sub (a, b) y = Mul (c, x) }",
        {"a": [5, 7], "b": [1, 2]}),
}  # fmt: skip


def typed(model: onnx.ModelProto, values: dict[str, object]) -> dict[str, np.ndarray]:
    kinds = {i.name: onnx.TensorProto.DataType.Name(i.type.tensor_type.elem_type) for i in model.graph.input}
    return {n: np.asarray(v, _TYPES[kinds[n]]) for n, v in values.items()}


def feeds(model: onnx.ModelProto, frozen: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Feeds of special values, each of them at each place; open dims are 2, 3, 0 and 4."""
    found = []
    for turn, size in enumerate((2, 3, 0, 4)):
        feed = dict(frozen)
        for place, entry in enumerate(model.graph.input):
            if entry.name in frozen:
                continue
            kind = entry.type.tensor_type.elem_type
            dims = [d.dim_value if d.HasField("dim_value") else size for d in entry.type.tensor_type.shape.dim]
            pool = np.array(_POOLS[kind] if dims or kind != onnx.TensorProto.INT64 else [2, 1, 3, 0])
            values = np.resize(np.roll(pool, -3 * turn - place), int(np.prod(dims)))
            feed[entry.name] = values.astype(_TYPES[onnx.TensorProto.DataType.Name(kind)]).reshape(dims)
        found.append(feed)
    return found


def outputs(model, feed: dict[str, np.ndarray]) -> list[object]:
    running = session(model.SerializeToString() if isinstance(model, onnx.ModelProto) else model)
    names = {i.name for i in (*running.get_inputs(), *running.get_overridable_initializers())}
    return running.run(None, {n: v for n, v in feed.items() if n in names})


def check(model: onnx.ModelProto, values: dict[str, object], worker, **options: object) -> None:
    frozen = typed(model, values)
    bindings = SimpleNamespace(values={n: ir.tensor(v) for n, v in frozen.items()}, dims={}, shapes={})
    residual = serialise(to_proto(specialise(load(model), bindings, Options(**options), worker).model))
    ran = 0
    for feed in feeds(model, frozen):
        try:
            expected = outputs(model, feed)
        except Exception:
            continue
        ran += 1
        assert same(expected, outputs(residual, feed)), feed
    assert ran, "onnxruntime does not run the model itself"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("growth", [0, 1 << 30], ids=["small", "grown"])
def test_bits_stay(name, growth, worker):
    text, values = CASES[name]
    check(onnx.parser.parse_model(HEAD + text), values, worker, max_growth=growth)


def test_value_info_that_is_stale_is_not_written_back(worker):
    model = onnx.parser.parse_model(HEAD + "(float[2,3] x, int64[2] s) => (float[A,B] y)"
                                    " { t = Reshape (x, s) y = Neg (t) }")  # fmt: skip
    model.graph.value_info.append(onnx.helper.make_tensor_value_info("t", onnx.TensorProto.FLOAT, [2, 3]))
    bindings = SimpleNamespace(values={}, dims={}, shapes={})
    residual = to_proto(specialise(load(model), bindings, Options(), worker).model)
    assert [2, 3] not in [[d.dim_value for d in v.type.tensor_type.shape.dim] for v in residual.graph.value_info]


def test_constants_that_differ_in_the_middle(worker):
    model = onnx.parser.parse_model(HEAD + "(float[4096] x) => (float[4096] y) { p = Mul (x, a) y = Add (p, b) }")
    for name, middle in (("a", 1.0), ("b", 2.0)):
        content = np.zeros(4096, np.float32)
        content[2048] = middle
        model.graph.initializer.append(onnx.numpy_helper.from_array(content, name))
    check(model, {}, worker)


def test_there_are_enough_faults():
    assert len(FAULTS) >= 40 and len({f.name for f in FAULTS}) == len(FAULTS)
