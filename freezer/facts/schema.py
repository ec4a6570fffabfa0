"""Whether a node is one of its operator: rules and transfer functions look only at nodes that are."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import onnx
import onnx_ir as ir


class Form(NamedTuple):
    """What an operator's schema asks of a node."""

    inputs: tuple[int, int]
    outputs: tuple[int, int]
    attributes: dict[str, int]
    required: frozenset[str]


@lru_cache(maxsize=4096)
def _form(op_type: str, version: int, domain: str) -> Form | None:
    try:
        schema = onnx.defs.get_schema(op_type, version, domain)
    except onnx.defs.SchemaError:
        return None
    kinds = {name: int(a.type.value) for name, a in schema.attributes.items()}  # type: ignore[attr-defined]
    required = frozenset(name for name, a in schema.attributes.items() if a.required)
    inputs, outputs = (schema.min_input, schema.max_input), (schema.min_output, schema.max_output)
    return Form(inputs, outputs, kinds, required)


def well_formed(node: ir.Node, opset_imports: dict[str, int]) -> bool:
    """Whether the numbers of inputs and outputs, and the attributes and their types, are those of its schema.

    A reference to an attribute, which only a function's body may hold, has no value: it is not.
    True for operators onnx has no schema for: nobody looks into those.
    """
    version = opset_imports.get(node.domain, 0)
    form = _form(node.op_type, version, node.domain)
    if form is None:
        return bool(node.domain)
    if not form.inputs[0] <= len(node.inputs) <= form.inputs[1] or None in node.inputs[: form.inputs[0]]:
        return _lacks_only_optional(node, version)
    if not form.outputs[0] <= len(node.outputs) <= form.outputs[1] or not form.required <= node.attributes.data.keys():
        return False
    attributes = node.attributes.data  # the plain dict: its own views run in Python
    typed = not attributes or all(
        form.attributes.get(n, a.type) == a.type and not a.is_ref() for n, a in attributes.items()
    )
    return typed and _bodies_fit(node, version)


def _lacks_only_optional(node: ir.Node, version: int) -> bool:
    """A Loop's trip count and condition may be absent although its schema counts them."""
    return (
        node.op_type == "Loop" and len(node.inputs) >= 2 and None not in node.inputs[2:] and _bodies_fit(node, version)
    )


def _bodies_fit(node: ir.Node, version: int) -> bool:
    """Whether a control-flow node's bodies have the inputs and outputs that the node gives and takes."""
    if node.domain or node.op_type not in ("If", "Loop", "Scan"):
        return True
    names = ("then_branch", "else_branch") if node.op_type == "If" else ("body",)
    graphs = [a.value for n in names if (a := node.attributes.get(n)) is not None and a.type == ir.AttributeType.GRAPH]
    if len(graphs) != len(names):
        return False
    if node.op_type == "If":
        return all(len(g.outputs) == len(node.outputs) and not g.inputs for g in graphs)
    body, is_loop = graphs[0], node.op_type == "Loop"
    fits = len(body.inputs) == len(node.inputs) and len(body.outputs) == len(node.outputs) + is_loop
    return fits if is_loop else len(body.outputs) == len(node.outputs) and _scan_fits(node, body, version)


def _scan_fits(node: ir.Node, body: ir.Graph, version: int) -> bool:
    """Whether a Scan's attributes match its numbers of states and scanned values; opset 8's is never looked into.

    Opset 8's first input, the lengths, does not reach the body.
    """
    scanned = node.attributes["num_scan_inputs"].value
    states = len(node.inputs) - scanned
    counts = {"input": scanned, "output": len(node.outputs) - states}
    given = {n: len(a.value) for n, a in node.attributes.items() if a.type == ir.AttributeType.INTS}
    lists = all(
        given.get(f"scan_{side}_{what}", n) == n for side, n in counts.items() for what in ("axes", "directions")
    )
    return (
        len(body.inputs) == len(node.inputs) - (version < 9)
        and scanned > 0
        and 0 <= states <= len(node.outputs)
        and lists
    )
