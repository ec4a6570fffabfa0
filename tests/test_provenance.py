"""What a frozen file says of its origin."""

from __future__ import annotations

import hashlib
import json

import ml_dtypes
import numpy as np
import onnx
import onnx_ir as ir
import pytest

import freezer
from freezer.provenance import describe

TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[A,B] x, float scale, float[B] shift) => (float[A,B] y) { m = Mul (x, scale)  y = Add (m, shift) }"""


def metadata(model: onnx.ModelProto) -> dict[str, str]:
    return {p.key: p.value for p in model.metadata_props}


def test_a_freeze_records_what_it_did():
    model = onnx.parser.parse_model(TEXT)
    model.metadata_props.add(key="author", value="somebody")
    given = model.SerializeToString(deterministic=True)
    shift = np.arange(100, dtype=np.float32)
    result = freezer.freeze(model, {"scale": 0.5, "shift": shift}, shapes={"x": [2, None]}, relaxed=True, verify=False)
    found = metadata(result.model)
    assert found.pop("author") == "somebody"
    assert found.pop("freezer.0.source_sha256") == hashlib.sha256(given).hexdigest()
    assert found.pop("freezer.0.version") == freezer.__version__
    assert {key: json.loads(text) for key, text in found.items()} == {
        "freezer.0.dims": {"A": 2, "B": 100},
        "freezer.0.shapes": {"x": [2, None]},
        "freezer.0.options": {"relaxed": True},
        "freezer.0.binding.scale": {"dtype": "float32", "shape": [], "value": [0.5]},
        "freezer.0.binding.shift": {
            "dtype": "float32", "shape": [100], "sha256": hashlib.sha256(shift.tobytes()).hexdigest(),
        },
    }  # fmt: skip


def test_freezing_again_appends():
    first = freezer.freeze(onnx.parser.parse_model(TEXT), {"scale": 0.5}, verify=False).model
    second = freezer.freeze(first, {"shift": [1.0, 2.0]}, verify=False).model
    before, after = metadata(first), metadata(second)
    assert before.items() <= after.items()
    assert sorted(after.keys() - before.keys()) == [
        "freezer.1.binding.shift", "freezer.1.dims", "freezer.1.source_sha256", "freezer.1.version",
    ]  # fmt: skip


def test_an_input_called_version_is_not_counted_as_a_freeze():
    text = TEXT.replace("scale", "version")
    first = freezer.freeze(onnx.parser.parse_model(text), {"version": 0.5}, verify=False).model
    second = freezer.freeze(first, {"shift": [1.0]}, verify=False).model
    assert "freezer.0.binding.version" in metadata(first) and "freezer.1.version" in metadata(second)


def test_the_model_is_what_was_frozen_and_nothing_else():
    """The same freeze gives the same bytes."""
    models = [freezer.freeze(onnx.parser.parse_model(TEXT), {"scale": 0.5}, verify=False).model for _ in range(2)]
    assert models[0].SerializeToString() == models[1].SerializeToString()


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (np.array([1.1, -0.0], np.float32), [np.float32(1.1).item(), -0.0]),
        (np.array([np.nan, np.inf, -np.inf]), ["nan", "inf", "-inf"]),
        (np.array([True, False]), [True, False]),
        (np.array([2**63], np.uint64), [2**63]),
        (np.array([0.1], ml_dtypes.bfloat16), [float(ml_dtypes.bfloat16(0.1))]),
        (np.array([-8, 7], ml_dtypes.int4), [-8, 7]),
    ],
)
def test_small_values_are_written_exactly(array, value):
    found = json.loads(json.dumps(describe(ir.tensor(array))))["value"]
    assert found == value and [str(v) for v in found] == [str(v) for v in value]


def test_strings_and_what_json_cannot_say():
    assert describe(ir.StringTensor([b"a", b"b"], shape=ir.Shape([2])))["value"] == ["a", "b"]
    assert "sha256" in describe(ir.StringTensor([b"\xff"], shape=ir.Shape([1])))
    assert "sha256" in describe(ir.tensor(np.array([1j], np.complex64)))
    joined = [describe(ir.StringTensor(s, shape=ir.Shape([2])))["sha256"] for s in ([b"\xff", b"a"], [b"\xffa", b""])]
    assert joined[0] != joined[1]
