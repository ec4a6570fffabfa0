"""Target shapes that are computed at run time, although the output's shape says them."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import constant
from freezer.rules.layout import reshape_target
from freezer.rules.registry import on


@on("Reshape", late=True)
def constant_reshape_target(node: ir.Node, facts: Facts) -> Answer:
    """Reshape to a computed shape of which all but one dim are known: a constant target with one -1.

    The -1 is what the computed dim must be, or the original would fail.
    """
    if facts.opset_imports.get("", 0) < 5 or facts.ints(node.inputs[1]) is not None:
        return None
    target = reshape_target(facts.shape(node.outputs[0]))
    if target is None:
        return None
    shape = constant(target)
    reshape = ir.Node("", "Reshape", [node.inputs[0], shape])
    return Rewrite([reshape.outputs[0]], [reshape], [shape])


@on("Expand", late=True)
def constant_expand_target(node: ir.Node, facts: Facts) -> Answer:
    """Expand to a computed shape whose dims are known, or the input's own: a constant target, 1 for the latter."""
    shape, output = facts.shape(node.inputs[0]), facts.shape(node.outputs[0])
    if facts.ints(node.inputs[1]) is not None or shape is None or output is None or len(shape) > len(output):
        return None
    own = (1,) * (len(output) - len(shape)) + shape
    target = [1 if a == b else b for a, b in zip(own, output, strict=True)]
    if not all(isinstance(d, int) for d in target):
        return None
    sizes = constant([int(d) for d in target])  # type: ignore[arg-type]
    expand = ir.Node("", "Expand", [node.inputs[0], sizes])
    return Rewrite([expand.outputs[0]], [expand], [sizes])
