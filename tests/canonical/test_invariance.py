"""What does not count, does not count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from freezer.canonical import canonicalize, diff, fingerprint
from freezer.model_io import load, to_proto
from tests.canonical.respell import respell
from tests.canonical.texts import HEAD, TEXTS, model

names = pytest.mark.parametrize("name", TEXTS)
quick = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def canonical_bytes(proto: onnx.ModelProto) -> bytes:
    return to_proto(canonicalize(ir.from_proto(proto))).SerializeToString(deterministic=True)


@names
@quick
@given(seed=st.integers(0, 2**32))
def test_another_spelling_is_the_same_file(name: str, seed: int) -> None:
    proto = model(TEXTS[name])
    other = respell(proto, seed)
    onnx.checker.check_model(other)
    assert fingerprint(ir.from_proto(other)) == fingerprint(ir.from_proto(proto))
    assert canonical_bytes(other) == canonical_bytes(proto)
    assert diff(ir.from_proto(proto), ir.from_proto(other)).verdict == "identical"


@names
def test_the_canonical_form_is_valid_and_its_own(name: str) -> None:
    proto = model(TEXTS[name])
    canonical = onnx.ModelProto.FromString(canonical_bytes(proto))
    onnx.checker.check_model(canonical, full_check=True)
    assert canonical_bytes(canonical) == canonical.SerializeToString(deterministic=True)
    assert fingerprint(ir.from_proto(canonical)) == fingerprint(ir.from_proto(proto))


FEEDS = {
    "several_outputs": {"x": np.arange(24, dtype=np.float32).reshape(4, 6)},
    "plain": {"x": np.array([[1.5, -2.0, 0.25]], np.float32)},
    "branches": {"x": np.array([1, -2, 3], np.float32), "p": np.array(False)},
    "loop": {"x": np.array([1, -2, 3], np.float32), "n": np.array(3)},
}


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - {"random"}))
def test_the_canonical_form_computes_the_same(name: str) -> None:
    feeds = FEEDS.get(name, {"x": np.array([1.5, -2.0, 0.25], np.float32)})
    proto = model(TEXTS[name])
    if name == "default_input":
        feeds = feeds | {"w": np.ones(3, np.float32)}
    runs = [ReferenceEvaluator(m).run(None, feeds) for m in (proto, onnx.ModelProto.FromString(canonical_bytes(proto)))]
    for mine, theirs in zip(*runs, strict=True):
        np.testing.assert_array_equal(mine, theirs, strict=True)


@names
def test_the_model_given_stays_as_it_was(name: str) -> None:
    source = ir.from_proto(model(TEXTS[name]))
    before = ir.to_proto(source).SerializeToString(deterministic=True)
    to_proto(canonicalize(source))
    assert ir.to_proto(source).SerializeToString(deterministic=True) == before


def test_all_fingerprints_are_different() -> None:
    assert len({fingerprint(ir.from_proto(model(text))) for text in TEXTS.values()}) == len(TEXTS)


def test_inline_and_external_data_are_the_same(tmp_path: Path) -> None:
    proto = model(TEXTS["constants"])
    for tensor in proto.graph.initializer:  # only raw data can be moved out
        tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), tensor.name))
    options = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    onnx.save_model(proto, tmp_path / "external.onnx", **options)
    external = load(tmp_path / "external.onnx")
    assert any(isinstance(v.const_value, ir.ExternalTensor) for v in external.model.graph.initializers.values())
    assert fingerprint(external.model) == fingerprint(load(model(TEXTS["constants"])).model)


@pytest.mark.parametrize(
    "spelling",
    [
        "y = Clip (x)", "y = Clip (x, , )", "y = Clip (x, )",
    ],
)  # fmt: skip
def test_trailing_absent_inputs(spelling: str) -> None:
    text = f"{HEAD} g (float[3] x) => (float[3] y) {{ %s }}"
    assert fingerprint(ir.from_proto(model(text % spelling))) == fingerprint(
        ir.from_proto(model(text % "y = Clip (x)"))
    )


FORMS = [
    ("value = float[2] {1.0, 2.0}", "value_floats = [1.0, 2.0]"),
    ("value = float {1.5}", "value_float = 1.5"),
    ("value = int64 {7}", "value_int = 7"),
    ("value = int64[3] {1, 2, 3}", "value_ints = [1, 2, 3]"),
    ('value = string {"a"}', 'value_string = "a"'),
    ('value = string[2] {"a", "b"}', 'value_strings = ["a", "b"]'),
]


@pytest.mark.parametrize(("tensor", "plain"), FORMS)
def test_all_forms_of_a_constant_node(tensor: str, plain: str) -> None:
    dtype = tensor.split(" = ")[1].split("[")[0].split(" ")[0]
    text = f"{HEAD} g () => ({dtype} y) {{ c = Constant <%s> () y = Identity (c) }}"
    assert fingerprint(ir.from_proto(model(text % tensor))) == fingerprint(ir.from_proto(model(text % plain)))


def test_data_fields_of_a_tensor_do_not_count() -> None:
    array = np.array([1.0, -0.0, np.inf], np.float32)
    raw = onnx.numpy_helper.from_array(array, "w")
    typed = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [3], array)
    assert raw.HasField("raw_data") and not typed.HasField("raw_data")
    prints = set()
    for tensor in (raw, typed):
        proto = model(f"{HEAD} g (float[3] x) => (float[3] y) <float[3] w = {{0.0, 0.0, 0.0}}> {{ y = Sub (x, w) }}")
        proto.graph.initializer[0].CopyFrom(tensor)
        prints.add(fingerprint(ir.from_proto(proto)))
    assert len(prints) == 1


def test_padding_of_packed_types_does_not_count() -> None:
    prints = set()
    for last in (0x03, 0xF3):
        tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.INT4, dims=[3], raw_data=bytes([0x21, last]))
        proto = model('<ir_version: 10, opset_import: ["" : 21]> g () => (float[3] y) { y = Cast <to = 1> (w) }')
        proto.graph.initializer.append(tensor)
        prints.add(fingerprint(ir.from_proto(proto)))
    assert len(prints) == 1


def test_an_unused_optional_output_is_as_good_as_absent() -> None:
    text = f"{HEAD} g (float[1,1,4,4] x) => (float[1,1,2,2] y) {{ %s = MaxPool <kernel_shape = [3, 3]> (x) }}"
    assert fingerprint(ir.from_proto(model(text % "y, i"))) == fingerprint(ir.from_proto(model(text % "y")))


def test_functions_of_the_same_body_are_one() -> None:
    text = """<ir_version: 10, opset_import: ["" : 17, "mine" : 1]> g (float[3] x) => (float[3] y) {
        a = mine.first (x)
        y = mine.%s (a)
    }
    <domain: "mine", opset_import: ["" : 17]> first (x) => (y) { h = Neg (x) y = Exp (h) }
    <domain: "mine", opset_import: ["" : 17]> second (u) => (v) { w = Neg (u) v = Exp (w) }"""
    canonical = canonicalize(ir.from_proto(model(text % "second")))
    assert fingerprint(canonical) == fingerprint(ir.from_proto(model(text % "first")))
    assert len(canonical.functions) == 1
