"""Nodes that pass their input on."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import integer
from freezer.rules.registry import on


@on("Identity")
def drop_identity(node: ir.Node, facts: Facts) -> Answer:
    """Identity(x) is x."""
    return Rewrite([node.inputs[0]])


@on("Dropout")
def drop_dropout(node: ir.Node, facts: Facts) -> Answer:
    """Dropout at inference is x, where nothing reads its mask. It trains only if training_mode (opset 12) is true."""
    mask_is_read = any(v.uses() or v.is_graph_output() for v in node.outputs[1:])
    if mask_is_read or not _at_inference(node, facts):
        return None
    return Rewrite([node.inputs[0], *[None] * (len(node.outputs) - 1)])


def _at_inference(node: ir.Node, facts: Facts) -> bool:
    opset = facts.opset_imports.get("", 0)
    if opset < 7:
        return integer(node, "is_test", 0) == 1
    mode = node.inputs[2] if len(node.inputs) > 2 else None
    return mode is None or facts.elements(mode) == (False,)
