"""Puts a body in the place of the node it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.model_io.walk import all_nodes, subgraphs
from freezer.options import Options
from freezer.passes.edit import Editor
from freezer.passes.log import Log


class Context(Protocol):
    """What resolving control flow needs of the specialiser."""

    model: ir.Model
    facts: Facts
    editor: Editor
    options: Options
    log: Log
    decided: dict[ir.Node, tuple[bool]]


def splice(body: ir.Graph, before: ir.Node, arguments: Sequence[ir.Value | None], editor: Editor) -> list[ir.Value]:
    """Inline a body with its inputs replaced by arguments; the values that its outputs became."""
    given = dict(zip(body.inputs, arguments, strict=False))
    outputs = editor.inline(body, before)
    for parameter, argument in given.items():
        for user, index in parameter.uses():
            user.replace_input_with(index, argument)
    return [given.get(v, v) for v in outputs]  # type: ignore[misc]


def through_identity(value: ir.Value) -> ir.Value:
    """The value that this one is a copy of."""
    node = value.producer()
    while node is not None and node.op_type == "Identity" and not node.domain and node.inputs and node.inputs[0]:
        value, node = node.inputs[0], node.inputs[0].producer()
    return value


def finish(node: ir.Node, values: Sequence[ir.Value], context: Context) -> bool:
    """Let the readers of a resolved node read these values; the node goes."""
    context.editor.origins.resolve(node)
    for old, new in zip(node.outputs, values, strict=False):
        context.editor.replace(old, new)
    context.editor.remove(node)
    return True


def copy_body(body: ir.Graph, editor: Editor) -> ir.Graph:
    """A copy with fresh names everywhere."""
    copy = body.clone(allow_outer_scope_values=True)
    editor.origins.copy(body, copy)
    graphs = [copy, *(g for n in all_nodes(copy) for g in subgraphs(n))]
    for graph in graphs:
        for value in [*graph.inputs, *graph.initializers.values(), *(v for n in graph for v in n.outputs)]:
            value.name = editor.names.fresh(value.name or "")
        for node in graph:
            node.name = editor.node_names.fresh(node.name or node.op_type)
    for node in copy:
        editor.adopt(node)
    return copy
