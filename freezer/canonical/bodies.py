"""The bodies of control-flow nodes, and what of their declared types counts."""

from __future__ import annotations

import onnx_ir as ir

from freezer.canonical.copies import copied_type
from freezer.canonical.encode import GRAPHS, type_bytes

_COUNTERS = 2  # a Loop's body begins with the iteration number and the condition


def bodies_of(node: ir.Node) -> list[tuple[str, ir.Graph]]:
    """The graphs among a node's attributes, in the order of the attributes' names."""
    found: list[tuple[str, ir.Graph]] = []
    for name in sorted(node.attributes):
        attribute = node.attributes[name]
        if attribute.type in GRAPHS and not attribute.is_ref():
            graphs = [attribute.value] if attribute.type == ir.AttributeType.GRAPH else attribute.value
            found += [(name, graph) for graph in graphs]
    return found


def body_input_types(node: ir.Node, body: ir.Graph) -> list[tuple[ir.TypeProtocol | None, ir.Shape | None]]:
    """The types of a body's inputs that count: the dtypes, but no dims, which follow from what is fed.

    onnxruntime wants the rank of a Loop's iteration number and condition, and gives them that rank: 0 or 1.
    """
    counters = _COUNTERS if node.op_type == "Loop" and node.domain == "" else 0
    return [
        (copied_type(value.type), _counter_shape(value) if position < counters else None)
        for position, value in enumerate(body.inputs)
    ]


def body_output_types(node: ir.Node, body: ir.Graph) -> list[ir.TypeProtocol | None]:
    """The types of a body's outputs that count: onnxruntime expands a SequenceMap by what its body declares."""
    counts = node.op_type == "SequenceMap" and node.domain == ""
    return [copied_type(value.type) if counts else None for value in body.outputs]


def body_bytes(node: ir.Node) -> list[bytes]:
    """The types of the inputs and outputs of all bodies, as bytes."""
    bodies = [body for _, body in bodies_of(node)]
    inputs = [type_bytes(*kind) for body in bodies for kind in body_input_types(node, body)]
    return inputs + [type_bytes(type_, None) for body in bodies for type_ in body_output_types(node, body)]


def _counter_shape(value: ir.Value) -> ir.Shape:
    return ir.Shape([1] if value.shape is not None and len(value.shape) == 1 else [])
