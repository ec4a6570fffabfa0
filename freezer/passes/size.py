"""How many bytes a model takes in a file, from below: constants, and nodes with their names and attributes."""

from __future__ import annotations

import onnx_ir as ir

from freezer.passes import tidy

_HEADER = 8  # tags and lengths of a node or a constant
_FIELD = 2  # tag and length of a name


def model_bytes(model: ir.Model) -> int:
    """Bytes of the main graph and its bodies; types of values, functions and metadata are not counted."""
    total = 0
    for graph in tidy.graphs(model):
        constants = (v for v in graph.initializers.values() if v.const_value is not None)
        total += sum(v.const_value.nbytes + len(v.name or "") + _HEADER for v in constants)  # type: ignore[union-attr]
        total += sum(_node_bytes(node) for node in graph)
    return total


def _node_bytes(node: ir.Node) -> int:
    names = sum(len(v.name or "") + _FIELD for v in (*node.inputs, *node.outputs) if v is not None)
    attributes = sum(_attribute_bytes(a) for a in node.attributes.values())
    return _HEADER + len(node.name or "") + len(node.op_type) + names + attributes


def _attribute_bytes(attribute: ir.Attr) -> int:
    own = _HEADER + len(attribute.name)
    if attribute.type == ir.AttributeType.TENSOR and not attribute.is_ref():
        return own + int(attribute.value.nbytes)
    return own + (len(attribute.value) if isinstance(attribute.value, (tuple, list, str, bytes)) else 1)
