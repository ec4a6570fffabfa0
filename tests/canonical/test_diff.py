"""Where two models differ, said so that one can find it."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnx_ir as ir
import pytest

from freezer.canonical import Difference, diff
from tests.canonical.respell import respell
from tests.canonical.texts import HEAD, TEXTS, model

FAR = 2**64 - 1


def compare(a: onnx.ModelProto, b: onnx.ModelProto) -> Difference:
    """The difference; its texts and JSON can be made."""
    found = diff(ir.from_proto(a), ir.from_proto(b))
    assert str(found) and json.loads(json.dumps(found.to_json(), allow_nan=False))["verdict"] == found.verdict
    return found


def with_weight(array: np.ndarray, op: str = "Identity") -> onnx.ModelProto:
    """A model that reads one constant."""
    proto = model(f"{HEAD} g () => (float y) {{ y = {op} (w) }}")
    proto.graph.initializer.append(ir.to_proto(ir.tensor(array, name="w")))
    return proto


@pytest.mark.parametrize(
    ("mine", "theirs", "dtype", "ulp", "absolute"),
    [
        ([1.0, 2.0], [1.0, np.nextafter(np.float32(2), np.float32(3))], np.float32, 1, 2.0**-22),
        ([1.0, -0.0], [1.0, 0.0], np.float32, 0, 0.0),
        ([1.0, np.nan], [1.0, 2.0], np.float32, FAR, np.inf),
        ([1.0], [1.0 + 2**-50], np.float64, 4, 2.0**-50),
        ([1.0], [1.0 + 2**-10], np.float16, 1, 2.0**-10),
        ([1.0], [1.0 + 2**-6], ml_dtypes.bfloat16, 2, 2.0**-6),
        ([1.0], [2.0], ml_dtypes.float8_e4m3fn, None, 1.0),
        ([-(2**63)], [2**63 - 1], np.int64, None, 2**64 - 1),
        ([0], [2**64 - 1], np.uint64, None, 2**64 - 1),
        ([5], [250], np.uint8, None, 245),
        ([True], [False], np.bool_, None, 1),
        ([-8, 1, 3], [-8, 1, 7], ml_dtypes.int4, None, 4),
        ([1 + 2j], [1 + 5j], np.complex64, None, 3.0),
    ],
)
def test_how_far_constants_are_apart(mine: list, theirs: list, dtype: type, ulp: int | None, absolute: float) -> None:
    found = compare(with_weight(np.array(mine, dtype)), with_weight(np.array(theirs, dtype)))
    assert found.verdict == "constants"
    (constant,) = found.constants
    assert (constant.a, constant.b, constant.shape) == ("w", "w", (len(mine),))
    assert (constant.max_ulp, constant.max_abs, constant.differing) == (ulp, absolute, 1)


def test_strings_differ_without_a_distance() -> None:
    a, b = (onnx.helper.make_tensor("w", onnx.TensorProto.STRING, [2], [b"a", last]) for last in (b"b", b"c"))
    models = [with_weight(np.zeros(2, np.float32)) for _ in range(2)]
    for proto, tensor in zip(models, (a, b), strict=True):
        proto.graph.initializer[0].CopyFrom(tensor)
    (constant,) = compare(*models).constants
    assert (constant.differing, constant.max_ulp, constant.max_abs) == (1, None, None)


def test_what_a_nan_carries() -> None:
    arrays = [np.array([bits], np.uint32).view(np.float32) for bits in (0x7FC00001, 0x7FC00002)]
    (constant,) = compare(*map(with_weight, arrays)).constants
    assert (constant.differing, constant.max_ulp, constant.max_abs) == (1, 0, 0.0)


def test_distances_over_several_pieces() -> None:
    mine = np.zeros(3_000_000, np.float32)
    theirs = mine.copy()
    theirs[[5, 2_999_999]] = 0.5, -2.0
    (constant,) = compare(with_weight(mine), with_weight(theirs)).constants
    assert (constant.differing, constant.max_abs, constant.elements) == (2, 2.0, 3_000_000)


def test_a_constant_that_was_shared() -> None:
    text = f"""{HEAD} g (float[1] x) => (float[1] y) <float[1] w = {{1.0}}, float[1] v = {{%s}}> {{
        a = Sub (x, w) y = Div (a, v) }}"""
    found = compare(model(text % "1.0"), model(text % "1.5"))
    assert [(c.a, c.b) for c in found.constants] == [("v", "v")]


def test_constants_in_bodies_functions_and_defaults() -> None:
    for name, old, new, where in [
        ("branches", "9.0", "9.5", "u"),
        ("functions", "[1.0, 2.0, 3.0]", "[1.0, 2.0, 3.5]", "mine::shift/c"),
        ("default_input", "3.0}", "3.5}", "w"),
    ]:
        found = compare(model(TEXTS[name]), model(TEXTS[name].replace(old, new)))
        assert [(c.a, c.differing) for c in found.constants] == [(where, 1)]


BRANCHES = f"""{HEAD} g (float[1] x) => (float[1] y)
    <float[1] w0 = {{%s}}, float[1] w1 = {{%s}}, float[1] w2 = {{%s}}> {{
    a = Sub (x, w0) b = Sub (x, w1) c = Sub (x, w2) d = Add (a, b) y = Add (d, c) }}"""


@pytest.mark.parametrize("order", [("1.0", "2.0"), ("2.0", "1.0")])
@pytest.mark.parametrize("changed", ["1.5", "9.0", "-9.0"])
def test_symmetric_places_match_equal_constants_first(order: tuple[str, str], changed: str) -> None:
    before = model(BRANCHES % ("1.0", "2.0", "3.0"))
    after = model(BRANCHES % (*(changed if value == "1.0" else value for value in order), "3.0"))
    found = compare(before, after)
    assert [(c.a, c.b) for c in found.constants] == [("w0", "w0" if order[0] == "1.0" else "w1")]


def test_symmetric_places_match_close_constants() -> None:
    found = compare(model(BRANCHES % ("1.0", "2.0", "3.0")), model(BRANCHES % ("2.0000002", "1.0000001", "3.0")))
    assert {(c.a, c.b, c.max_ulp) for c in found.constants} == {("w0", "w1", 1), ("w1", "w0", 1)}


@pytest.mark.parametrize("name", TEXTS)
def test_respelt_and_one_constant_changed(name: str) -> None:
    proto, other = model(TEXTS[name]), respell(model(TEXTS[name]), 3)
    read = {name for node in other.graph.node for name in node.input}
    weights = [t for t in other.graph.initializer if t.name in read]
    if not weights or name == "random":
        return
    array = onnx.numpy_helper.to_array(weights[0])
    weights[0].CopyFrom(
        onnx.numpy_helper.from_array(np.logical_not(array) if array.dtype == bool else array + 1, weights[0].name)
    )
    found = compare(proto, other)
    assert found.verdict == "constants" and weights[0].name in [c.b for c in found.constants]


STRUCTURE = [
    ("plain", "axis = 1", "axis = 0", "Softmax: attribute axis is 1 in A, 0 in B"),
    ("plain", "alpha = 0.3", "alpha = 0.01", "LeakyRelu: attribute alpha is 0.3"),
    ("plain", "LeakyRelu <alpha = 0.3>", "Elu", "LeakyRelu in A, Elu in B"),
    ("plain", "s = Softmax <axis = 1> (r)", "q = Neg (r) s = Softmax <axis = 1> (q)", "Softmax in A, Neg in B"),
    ("plain", "float[N,3] x", "float[M,3] x", "input 0"),
    ("plain", "(float[N,3] x)", "(float[N,3] x, float z)", "inputs: 1 in A, 2 in B"),
    ("plain", '"" : 17', '"" : 18', "opset of 'ai.onnx': 17 in A, 18 in B"),
    (
        "plain",
        "float[3] w = {1.0, 2.0, 3.0}",
        "float[1] w = {1.0}",
        "Mul: input 1 is 'float[3] w = {1.0, 2.0, 3.0}' in A",
    ),
    ("branches", "q = Sub (h, u)", "q = Div (h, u)", "Sub in A, Div in B"),
    ("functions", "n = Sub (x, c)", "n = Div (x, c)", "Sub in A, Div in B"),
    ("several_outputs", "a, b, c =", "c, b, a =", "output 0 is another value"),
    ("symmetric", "h = Add (c, d)", "h = Add (c, c)", "Relu is used in other places"),
    ("random", "Sub (x, a)", "Sub (x, e)", "RandomNormal computed 2 times in A, 3 times in B"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), STRUCTURE)
def test_the_first_difference_of_structure(name: str, old: str, new: str, said: str) -> None:
    changed = TEXTS[name].replace(old, new, 1)
    if "(x, e)" in new:
        changed = changed.replace("c = Add", "e = RandomNormal <shape = [3]> () c = Add")
    found = compare(model(TEXTS[name]), model(changed))
    assert found.verdict == "structure" and bool(found)
    assert any(place.what.startswith(said) for place in found.structure), str(found)


def test_values_used_in_other_places() -> None:
    text = f"""{HEAD} g (float[3] x) => (float[3] y) {{
        a = Exp (x) b = Exp (x) c = Sub (a, b) d = Sub (a, %s) y = Sub (c, d) }}"""
    found = compare(model(text % "b"), model(text % "a"))
    assert found.verdict == "structure" and "Exp is used in other places" in str(found)


def test_the_text_shows_what_lies_around() -> None:
    found = compare(model(TEXTS["plain"]), model(TEXTS["plain"].replace("LeakyRelu", "Elu").replace("0.3", "0.5")))
    assert found.structure[0].a == (
        "  h = Mul (x, w)",
        "> r = LeakyRelu <alpha = 0.30000001192092896> (h)",
        "  s = Softmax <axis = 1> (r)",
    )


def test_identical_says_the_fingerprint() -> None:
    found = compare(model(TEXTS["loop"]), respell(model(TEXTS["loop"]), 1))
    assert not found and str(found) == f"identical: {found.fingerprints[0]}"


def test_large_weights_are_never_held(tmp_path: Path) -> None:
    import tracemalloc

    size = 100_000_000
    for name in ("a", "b"):
        with open(tmp_path / name, "wb") as file:  # a sparse file: no disk is used
            file.truncate(size * 4)
            file.seek(size * 4 - 4)
            file.write(b"\0\0\x80\x3f" if name == "a" else b"\1\0\x80\x3f")
    tracemalloc.start()
    models = []
    for name in ("a", "b"):
        tensor = ir.ExternalTensor(
            name, 0, size * 4, ir.DataType.FLOAT, shape=ir.Shape([size]), name="w", base_dir=tmp_path
        )
        source = ir.from_proto(with_weight(np.zeros(1, np.float32)))
        source.graph.initializers["w"].const_value = tensor
        models.append(source)
    (constant,) = diff(*models).constants
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (constant.differing, constant.max_ulp) == (1, 1)
    assert peak < 200 << 20
