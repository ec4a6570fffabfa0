"""Puts the bound values and dimensions into the model."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from freezer.model_io.walk import graphs_in, subgraphs
from freezer.naming import Names, name_of
from freezer.passes.origins import Origins


def bind(
    model: ir.Model,
    values: Mapping[str, ir.TensorProtocol],
    dims: Mapping[str, int],
    shapes: Mapping[str, tuple[int | str | None, ...]],
) -> None:
    """Frozen inputs become constants, the others get their shapes; nothing else may be trusted any more."""
    graph = model.graph
    for value in list(graph.inputs):
        name = name_of(value)
        if name in values:
            _freeze(graph, value, values[name])
        elif name in shapes:
            value.shape = ir.Shape(shapes[name])
    for value in graph.outputs:
        if value.shape is not None:
            value.shape = ir.Shape([_bound(d, dims) for d in value.shape])


def _freeze(graph: ir.Graph, value: ir.Value, tensor: ir.TensorProtocol) -> None:
    graph.inputs.remove(value)
    graph.initializers.pop(name_of(value), None)
    tensor.name = value.name
    value.const_value = tensor
    value.type, value.shape = ir.TensorType(tensor.dtype), ir.Shape(tensor.shape.numpy())
    graph.register_initializer(value)


def _bound(dim: int | ir.SymbolicDim, dims: Mapping[str, int]) -> int | str | None:
    if isinstance(dim, int):
        return dim
    return dims.get(dim.value, dim.value) if dim.value is not None else None


def forget_declared_types(model: ir.Model) -> None:
    """Drop value_info: stale or lying entries mislead every tool, so types are inferred anew.

    Outputs of bodies keep their dtype, which runtimes may need, and those of loops their shape: onnxruntime
    gives an empty scan output the declared one.
    """
    for graph in graphs_in(model.graph):
        for node in graph:
            for value in node.outputs:
                if not value.is_graph_output():
                    value.shape = value.type = None
            for branch in subgraphs(node) if node.op_type == "If" else ():
                for value in branch.outputs:
                    value.shape = None


def lift_constants(model: ir.Model, names: Names, origins: Origins) -> None:
    """Constant nodes become initializers of their graph; those that are graph outputs stay."""
    for graph in graphs_in(model.graph):
        for node in list(graph):
            if node.op_type == "Constant" and node.domain == "" and (tensor := constant_tensor(node)) is not None:
                _lift(graph, node, tensor, names, origins)


def _lift(graph: ir.Graph, node: ir.Node, tensor: ir.TensorProtocol, names: Names, origins: Origins) -> None:
    value = node.outputs[0]
    if value.is_graph_output():
        return
    name, value.name = value.name or names.fresh("constant"), names.fresh("lifted")
    tensor.name = name
    shape = ir.Shape([int(d) for d in tensor.shape])  # type: ignore[arg-type]
    constant = ir.Value(name=name, type=ir.TensorType(tensor.dtype), shape=shape, const_value=tensor)
    graph.register_initializer(constant)
    origins.lift(node, constant)
    for user, index in value.uses():
        user.replace_input_with(index, constant)
    graph.remove(node, safe=True)


def constant_tensor(node: ir.Node) -> ir.TensorProtocol | None:
    """The content of a Constant node, from any form of its attribute but the sparse one."""
    attribute = next((a for a in node.attributes.values() if not a.is_ref()), None)
    if attribute is None or _KINDS.get(attribute.name) != attribute.type:
        return None
    return _FORMS[attribute.name](attribute.value)


_KINDS = {
    "value": ir.AttributeType.TENSOR,
    "value_int": ir.AttributeType.INT,
    "value_ints": ir.AttributeType.INTS,
    "value_float": ir.AttributeType.FLOAT,
    "value_floats": ir.AttributeType.FLOATS,
    "value_string": ir.AttributeType.STRING,
    "value_strings": ir.AttributeType.STRINGS,
}
_FORMS = {
    "value": lambda v: v,
    "value_int": lambda v: ir.tensor(v, dtype=ir.DataType.INT64),
    "value_ints": lambda v: ir.tensor(list(v), dtype=ir.DataType.INT64),
    "value_float": lambda v: ir.tensor(v, dtype=ir.DataType.FLOAT),
    "value_floats": lambda v: ir.tensor(list(v), dtype=ir.DataType.FLOAT),
    "value_string": lambda v: ir.StringTensor([v.encode()], shape=ir.Shape([])),
    "value_strings": lambda v: ir.StringTensor([s.encode() for s in v], shape=ir.Shape([len(v)])),
}
