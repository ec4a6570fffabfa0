"""What is counted in a model: bodies, functions, constants wherever they are stored."""

from __future__ import annotations

import onnx
import onnx_ir as ir
import pytest

from freezer.model_io import load
from freezer.report.inspection import inspection_of
from freezer.report.side import side_of

TEXT = """<ir_version: 10, opset_import: ["": 21, "local": 1, "odd": 1]>
g (bool c, float[N] x, int64 k) => (float[N] y, float[M] r, float[2] z)
<int64 k = {3}, float[4] w = {1, 2, 3, 4}, float[2] unread = {0, 0}, float[2] z = {5, 6}> {
   y = If (c) <
      then_branch = t () => (float[N] a) { one = Constant <value_float = 1.0> ()  a = Add (x, one) },
      else_branch = e () => (float[N] b) { b = local.twice (x) }>
   s = odd.Scale (w)
   d = RandomUniformLike (s)
   flag = Constant <value = bool {1}> ()
   half = Constant <value = float {0.5}> ()
   r = Dropout (d, half, flag)
}
<opset_import: ["": 21], domain: "local">
twice (p) => (q) { two = Constant <value = float[2] {2, 2}> ()  q = Mul (p, two) }
"""


@pytest.fixture(scope="module")
def model() -> ir.Model:
    return load(onnx.parser.parse_model(TEXT)).model


def test_nodes_in_bodies_and_functions_count_and_constants_do_not(model):
    side = side_of(model)
    assert side.ops == {
        "Add": 1, "Dropout": 1, "If": 1, "Mul": 1, "RandomUniformLike": 1, "local.twice": 1, "odd.Scale": 1,
    }  # fmt: skip
    assert side.nodes == 7 and side.control_flow == {"If": 1}


def test_bytes_are_counted_once_for_the_op_that_reads_them_first(model):
    side = side_of(model)
    assert side.bytes_by_op["odd.Scale"] == 16 and side.bytes_by_op["Mul"] == 8
    assert side.bytes_by_op["(unread)"] == 8 + 8 and side.bytes_by_op["(output)"] == 8
    assert side.bytes_by_dtype["int64"] == 8 and side.bytes_by_dtype["bool"] == 1
    assert side.nbytes == sum(side.bytes_by_dtype.values())


def test_what_is_random_and_what_is_unknown(model):
    side = side_of(model)
    assert side.random == {"Dropout": 1, "RandomUniformLike": 1}
    assert side.unknown == {"odd.Scale": 1}, "a local function is known"


def test_defaults_and_outputs_that_are_constant(model):
    side = side_of(model)
    assert [v.default for v in side.inputs] == [None, None, "int64 [] 3"]
    assert side.constant_outputs == ["z"]


def test_inspection_reads_no_external_data(tmp_path, monkeypatch):
    weight = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [1 << 20], b"\0" * (4 << 20), raw=True)
    value = onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, [1 << 20])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["w"], ["y"])], "g", [value], [out], [weight])
    proto = onnx.helper.make_model(graph, ir_version=10)
    onnx.save(proto, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    monkeypatch.setattr(ir.ExternalTensor, "_load", lambda self: pytest.fail("a weight was read"))
    found = inspection_of(load(tmp_path / "m.onnx"))
    assert found.side.bytes_by_dtype == {"float32": 4 << 20} and found.origin.external_bytes == 4 << 20
    assert found.side.inputs[0].default == "float32 [1048576]"
    assert any("4.19 MB beside it" in line for line in found.lines())


def test_inspection_names_opsets_functions_and_metadata(model):
    model.metadata_props["who"] = "me"
    found = inspection_of(load(model)).to_dict()
    assert found["opsets"] == {"ai.onnx": 21, "local": 1, "odd": 1} and found["functions"] == ["local.twice"]
    assert found["metadata"] == {"who": "me"} and found["nodes"] == 7 and found["ir_version"] == 10
