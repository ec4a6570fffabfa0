"""Control flow that stays loses what it need not carry: outputs nobody reads, values that never change."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

import onnx_ir as ir

from freezer.model_io.walk import subgraphs
from freezer.passes.edit import Editor
from freezer.passes.splice import through_identity


def slim_if(node: ir.Node, editor: Editor) -> bool:
    """Drop outputs that nobody reads, in both branches. True if the node was replaced."""
    dead = [i for i, v in enumerate(node.outputs) if not _is_read(v)]
    if not dead or len(dead) == len(node.outputs):
        return False
    for branch in subgraphs(node):
        _drop(branch.outputs, dead)
    _rebuild(node, list(node.inputs), dead, editor)
    return True


def slim_loop(node: ir.Node, editor: Editor) -> bool:
    """Drop carried values that no iteration changes, and outputs nobody reads. True if the node was replaced."""
    body = node.attributes["body"].as_graph()
    carried = len(body.inputs) - 2
    for i in range(carried):
        if through_identity(body.outputs[1 + i]) is body.inputs[2 + i]:
            _use_outer(node, body, i, editor)
    dead = [i for i, v in enumerate(node.outputs) if not _is_read(v) and not (i < carried and _is_used(body, i))]
    if not dead or len(dead) == len(node.outputs):
        return False
    slots = [i for i in dead if i < carried]
    _drop(body.outputs, [1 + i for i in dead])
    for slot in slots:
        _release(body.inputs[2 + slot], editor)
    _drop(body.inputs, [2 + i for i in slots])
    _rebuild(node, [v for i, v in enumerate(node.inputs) if i - 2 not in slots], dead, editor)
    return True


def _use_outer(node: ir.Node, body: ir.Graph, slot: int, editor: Editor) -> None:
    """An invariant carried value is the value it started as, inside and after the loop."""
    outer = node.inputs[2 + slot]
    assert outer is not None
    for user, index in body.inputs[2 + slot].uses():
        if not _passes_on(user, body, slot):
            user.replace_input_with(index, outer)
            editor.touch(user)
    if _is_read(node.outputs[slot]):
        editor.replace(node.outputs[slot], outer)


def _is_used(body: ir.Graph, slot: int) -> bool:
    """Whether the body does more with a carried value than pass it on."""
    return any(not _passes_on(u, body, slot) for u in body.inputs[2 + slot].consumers())


def _passes_on(user: ir.Node, body: ir.Graph, slot: int) -> bool:
    return user.op_type == "Identity" and user.outputs[0] is body.outputs[1 + slot] and not user.outputs[0].uses()


def _release(value: ir.Value, editor: Editor) -> None:
    """Take the Identity nodes off a carried value that goes."""
    for user in value.consumers():
        editor.remove(user)


def _rebuild(node: ir.Node, inputs: Sequence[ir.Value | None], dead: Sequence[int], editor: Editor) -> None:
    """The same node without the dead outputs; the bodies move over to it."""
    assert node.graph is not None
    attributes = list(node.attributes.values())
    kept = [v for i, v in enumerate(node.outputs) if i not in dead]
    name, node.name = node.name, editor.node_names.fresh(node.name or "")
    new = ir.Node(node.domain, node.op_type, inputs, attributes, num_outputs=len(kept), name=name)
    for old, value in zip(kept, new.outputs, strict=True):
        value.name = editor.names.fresh(old.name or "") if old.is_graph_output() else editor.retire(old)
    node.graph.insert_before(node, new)
    editor.origins.replace(node, [new], "slim")
    for attribute in list(node.attributes):
        node.attributes.pop(attribute)
    editor.adopt(new)
    for old, value in zip(kept, new.outputs, strict=True):
        editor.facts.set(value, editor.facts.of(old))
        editor.replace(old, value)
    editor.remove(node)
    for touched in [new, *(inner for body in subgraphs(new) for inner in body)]:
        editor.touch(touched)


def _drop(values: MutableSequence[ir.Value], positions: Sequence[int]) -> None:
    for position in sorted(positions, reverse=True):
        values.pop(position)


def _is_read(value: ir.Value) -> bool:
    return bool(value.uses()) or value.is_graph_output()
