"""What infer says of one node."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.fact import Fact
from freezer.facts.table import Facts
from freezer.facts.transfer import infer


def ask(op: str, inputs: list, attributes: dict | None = None, opset: int = 18, outputs: int = 1, domain: str = "") -> (
    list[Fact] | None
):  # fmt: skip
    """infer on one node: an array is a constant, a Fact a dynamic input, None an absent one."""
    node, facts = build(op, inputs, attributes, opset, outputs, domain)
    return infer(node, facts)


def build(
    op: str, inputs: list, attributes: dict | None, opset: int, outputs: int, domain: str
) -> tuple[ir.Node, Facts]:
    """The node with its inputs i0, i1, ... and outputs o0, o1, ..."""
    facts, values, initializers = Facts({"": opset}), [], []
    for i, known in enumerate(inputs):
        value = None if known is None else ir.Value(name=f"i{i}")
        if isinstance(known, Fact):
            facts.set(value, known)
        elif value is not None:
            value.const_value = ir.tensor(known, name=value.name)
            initializers.append(value)
        values.append(value)
    given = [
        a if isinstance(a, ir.Attr) else ir.convenience.convert_attribute(n, a) for n, a in (attributes or {}).items()
    ]
    node = ir.Node(domain, op, values, given, num_outputs=outputs)
    for i, value in enumerate(node.outputs):
        value.name = f"o{i}"
    if initializers:
        ir.Graph([], node.outputs, nodes=[node], initializers=initializers)
    return node, facts


def ints(*items: int) -> np.ndarray:
    return np.array(items, np.int64)
