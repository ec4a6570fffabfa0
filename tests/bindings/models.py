"""Small models for these tests."""

from __future__ import annotations

import onnx
import onnx_ir as ir
from onnx import TensorProto, helper


def model_with(*inputs: str, outputs: str = "float[1] out") -> ir.Model:
    """A model with these inputs, in ONNX's text syntax; a dim a_plus_b becomes 'a + b', which that cannot say."""
    text = f'<ir_version: 10, opset_import: ["": 21]> g ({", ".join(inputs)}) => ({outputs}) {{ }}'
    model = onnx.parser.parse_model(text)
    for value in (*model.graph.input, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if "_plus_" in dim.dim_param:
                dim.dim_param = dim.dim_param.replace("_plus_", " + ")
    return ir.from_proto(model)


def model_of(name: str, dtype: int, shape: list | None) -> ir.Model:
    """A model with one input of any dtype and shape; None: unknown rank, or an unknown dim."""
    value = helper.make_tensor_value_info(name, dtype, shape)
    graph = helper.make_graph([], "g", [value], [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])])
    return ir.from_proto(helper.make_model(graph, ir_version=10))
