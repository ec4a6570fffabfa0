"""Loops and scans with a known number of iterations become one copy of the body each, under a budget."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from freezer.facts.determinism import is_deterministic
from freezer.model_io.walk import all_nodes
from freezer.naming import name_of
from freezer.passes.edit import Editor, make_node
from freezer.passes.slim import slim_loop
from freezer.passes.splice import Context, copy_body, finish, splice
from freezer.passes.tensors import scalar, vector


def unroll_loop(node: ir.Node, count: int, context: Context) -> bool:
    """A Loop that runs `count` >= 1 iterations and never breaks. True if it is gone or was slimmed."""
    body, editor = node.attributes["body"].as_graph(), context.editor
    if not _fits(node, body, count, context):
        return slim_loop(node, editor)
    values = list(node.inputs[2:])
    stacks: list[list[ir.Value]] = [[] for _ in node.outputs[len(values) :]]
    _share_constants(body, node)
    for i in range(count):
        counters = [_constant(scalar(c), node, editor) for c in (i, True)]
        outputs = splice(copy_body(body, editor), node, [*counters, *values], editor)
        values = list(outputs[1 : 1 + len(values)])
        for stack, value in zip(stacks, outputs[1 + len(values) :], strict=True):
            stack.append(value)
    stacked = [_stack(stack, 0, False, node, editor) for stack in stacks]
    return finish(node, [*values, *stacked], context)  # type: ignore[list-item]


def unroll_scan(node: ir.Node, context: Context) -> bool:
    """A Scan over an axis of known length. True if it is gone."""
    body, scanned = node.attributes["body"].as_graph(), node.attributes["num_scan_inputs"].as_int()
    states, editor = len(node.inputs) - scanned, context.editor
    axes = _ints(node, "scan_input_axes", scanned)
    if context.facts.of(node.outputs[0]).static:
        return False  # to be evaluated as a whole
    count = _length(node, states, axes, context)
    if count is None or not _fits(node, body, count, context):
        return False
    values = list(node.inputs[:states])
    stacks: list[list[ir.Value]] = [[] for _ in node.outputs[states:]]
    _share_constants(body, node)
    for i in range(count):
        outputs = splice(copy_body(body, editor), node, [*values, *_slices(node, i, count, axes, editor)], editor)
        values = list(outputs[:states])
        for stack, value in zip(stacks, outputs[states:], strict=True):
            stack.append(value)
    stacked = [_stack(s, *place, node, editor) for s, place in zip(stacks, _places(node, len(stacks)), strict=True)]
    return finish(node, [*values, *stacked], context)  # type: ignore[list-item]


def _length(node: ir.Node, states: int, axes: Sequence[int], context: Context) -> int | None:
    """How many iterations a Scan runs, if that is known and not 0."""
    shape = context.facts.shape(node.inputs[states])
    count = shape[axes[0]] if shape and -len(shape) <= axes[0] < len(shape) else None
    if context.facts.opset_imports.get("", 0) < 9 or not isinstance(count, int) or count < 1:
        context.log.reasons[node] = "the length of its scanned axis is not known"
        return None
    return count


def _fits(node: ir.Node, body: ir.Graph, count: int, context: Context) -> bool:
    """Whether it pays; a random node would begin anew in each copy."""
    if count > 1 and not all(is_deterministic(n, context.facts) for n in all_nodes(body)):
        context.log.reasons[node] = "it draws random numbers, or uses an unknown domain, in each iteration"
        return False
    size = count * max(1, sum(1 for _ in all_nodes(body)))
    if count == 1 or size <= context.options.unroll_nodes:
        return context.log.spend(f"unroll_{node.op_type.lower()}", node.name)
    context.log.reasons[node] = f"unrolling its {count} iterations would make {size} nodes (--unroll-nodes)"
    return False


def _slices(node: ir.Node, step: int, count: int, axes: Sequence[int], editor: Editor) -> list[ir.Value]:
    """What a Scan's body gets of each scanned input in one iteration."""
    states = len(node.inputs) - len(axes)
    backward = _ints(node, "scan_input_directions", len(axes))
    parts = []
    for value, axis, is_backward in zip(node.inputs[states:], axes, backward, strict=True):
        index = _constant(scalar(count - 1 - step if is_backward else step), node, editor)
        parts.append(make_node("Gather", [value, index], axis=axis))
    _insert(parts, node, editor)
    return [p.outputs[0] for p in parts]


def _places(node: ir.Node, count: int) -> list[tuple[int, bool]]:
    """Axis and direction of each scan output."""
    axes, backward = _ints(node, "scan_output_axes", count), _ints(node, "scan_output_directions", count)
    return list(zip(axes, map(bool, backward), strict=True))


def _ints(node: ir.Node, name: str, count: int) -> list[int]:
    attribute = node.attributes.get(name)
    return list(attribute.as_ints()) if attribute is not None else [0] * count


def _stack(values: list[ir.Value], axis: int, backward: bool, node: ir.Node, editor: Editor) -> ir.Value:
    """Values stacked along a new axis, by nodes before `node`."""
    if editor.facts.opset_imports.get("", 0) < 13:
        parts = [make_node("Unsqueeze", [v], axes=[axis]) for v in values]
    else:
        axes = _constant(vector([axis]), node, editor)
        parts = [make_node("Unsqueeze", [v, axes]) for v in values]
    ordered = parts[::-1] if backward else parts
    joined = make_node("Concat", [p.outputs[0] for p in ordered], axis=axis)
    _insert([*parts, joined], node, editor)
    return joined.outputs[0]


def _insert(new: list[ir.Node], before: ir.Node, editor: Editor) -> None:
    assert before.graph is not None
    for node in new:
        base = f"{before.outputs[0].name}_{node.op_type.lower()}"
        node.outputs[0].name, node.name = editor.names.fresh(base), editor.node_names.fresh(base)
    before.graph.insert_before(before, new)
    editor.origins.replace(before, new)
    for node in new:
        editor.touch(node)


def _constant(tensor: ir.TensorProtocol, node: ir.Node, editor: Editor) -> ir.Value:
    assert node.graph is not None
    made = editor.constant(node.graph, tensor, editor.names.fresh(f"{node.outputs[0].name}_const"))
    editor.origins.make(made, node)
    return made


def _share_constants(body: ir.Graph, node: ir.Node) -> None:
    """Move a body's constants outside, so that its copies share them."""
    assert node.graph is not None
    for value in list(body.initializers.values()):
        if not value.is_graph_output():
            body.initializers.pop(name_of(value))
            node.graph.register_initializer(value)
