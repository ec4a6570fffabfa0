"""How many bytes a model takes in a file, from below: constants, nodes, declared types."""

from __future__ import annotations

import onnx_ir as ir

from freezer.model_io.walk import graphs_in

_HEADER = 8  # tags and lengths of a node or a constant
_FIELD = 2  # tag and length of a name


def declared_bytes(model: ir.Model) -> dict[str, tuple[int, int]]:
    """What declared types of nodes' outputs take, by the outputs' names: as they are, and with all dims known."""
    outputs = [v for g in graphs_in(model.graph) for n in g for v in n.outputs if v.shape is not None]
    return {v.name or "": _type_bytes(v) for v in outputs}


def model_bytes(model: ir.Model, declared: dict[str, int]) -> int:
    """Bytes of the main graph and its bodies, with the types of those outputs that `declared` names; no metadata."""
    total = 0
    for graph in graphs_in(model.graph):
        total += sum([_constant_bytes(v) for v in graph.initializers.data.values()])
        total += sum([_node_bytes(node, declared) for node in graph])
    return total


def _type_bytes(value: ir.Value) -> tuple[int, int]:
    shape = value.shape or ()
    known = 2 * _HEADER + len(value.name or "") + 4 * len(shape)
    return known + sum(len(d.value or "") for d in shape if isinstance(d, ir.SymbolicDim)), known


def _constant_bytes(value: ir.Value) -> int:
    return (0 if value.const_value is None else value.const_value.nbytes) + len(value.name or "") + _HEADER


def _node_bytes(node: ir.Node, declared: dict[str, int]) -> int:
    read, made = [v.name or "" for v in node.inputs if v is not None], [v.name or "" for v in node.outputs]
    names = sum([len(name) + _FIELD for name in read + made])
    types = sum([declared.get(name, 0) for name in made]) if declared else 0
    attributes = sum([_attribute_bytes(a) for a in node.attributes.data.values()])
    return _HEADER + len(node.name or "") + len(node.op_type) + names + types + attributes


def _attribute_bytes(attribute: ir.Attr) -> int:
    own = _HEADER + len(attribute.name)
    if attribute.type == ir.AttributeType.TENSOR and not attribute.is_ref():
        return own + int(attribute.value.nbytes)
    return own + (len(attribute.value) if isinstance(attribute.value, (tuple, list, str, bytes)) else 1)
