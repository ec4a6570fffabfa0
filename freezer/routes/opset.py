"""Lower a model's opset where every operator allows it: torch's converter gives up at Mul."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import onnx_ir as ir

from freezer.errors import ModelError
from freezer.model_io.walk import graphs


def lower_opset(model: ir.Model, opset: int) -> None:
    """Relabel the model, in place, as of an older opset in which each of its nodes means the same.

    That is so when the older operator has the same inputs, outputs and attributes, and takes these
    types. Raises ModelError naming the first node of which it is not.
    """
    current = model.graph.opset_imports.get("", opset)
    for node in _nodes(model):
        if node.domain == "" and not _means_the_same(node, current, opset):
            raise ModelError(f"{node.op_type} '{node.name}' of opset {current} cannot be written in opset {opset}")
    model.graph.opset_imports[""] = opset
    for function in model.functions.values():
        if "" in function.opset_imports:
            function.opset_imports[""] = opset


def _nodes(model: ir.Model) -> Iterator[ir.Node]:
    return (node for graph in graphs(model) for node in graph)


def _means_the_same(node: ir.Node, current: int, opset: int) -> bool:
    new = onnx.defs.get_schema(node.op_type, current, "")
    try:
        old = onnx.defs.get_schema(node.op_type, opset, "")
    except onnx.defs.SchemaError:
        return False
    return old.since_version == new.since_version or (_interface(old) == _interface(new) and _takes_types(old, node))


def _interface(schema: onnx.defs.OpSchema) -> tuple[object, ...]:
    attributes = {n: (a.required, a.default_value.SerializeToString()) for n, a in schema.attributes.items()}
    inputs, outputs = ([(p.name, p.option, p.type_str) for p in group] for group in (schema.inputs, schema.outputs))
    return attributes, inputs, outputs


def _takes_types(schema: onnx.defs.OpSchema, node: ir.Node) -> bool:
    allowed = {c.type_param_str: set(c.allowed_type_strs) for c in schema.type_constraints}
    pairs = [*zip(node.inputs, schema.inputs, strict=False), *zip(node.outputs, schema.outputs, strict=False)]
    typed = [(v, allowed.get(p.type_str)) for v, p in pairs if v is not None and v.dtype is not None]
    return all(types is None or f"tensor({v.dtype.name.lower()})" in types for v, types in typed if v.dtype)
