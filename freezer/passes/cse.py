"""Common subexpressions: deterministic nodes that do the same to the same values become one.

So do those that give the same sizes, in whatever way: a small tensor of which every element is a known formula is
equal, for every feed, to one of the same formulas.
"""

from __future__ import annotations

from collections.abc import Hashable

import onnx_ir as ir

from freezer.facts.determinism import is_deterministic
from freezer.model_io.walk import subgraphs
from freezer.passes.edit import Editor
from freezer.passes.half import move_alike
from freezer.passes.log import Log


def merge_equal_nodes(model: ir.Model, editor: Editor, log: Log) -> int:
    """Merge equal nodes, in bodies with those of the graphs around them too. How many went."""
    before = log.events["merge_nodes"]
    _merge(model.graph, {}, model, editor, log)
    return log.events["merge_nodes"] - before


def _merge(graph: ir.Graph, outer: dict[Hashable, ir.Node], model: ir.Model, editor: Editor, log: Log) -> None:
    seen = dict(outer) if outer else {}
    for node in list(graph):
        for body in subgraphs(node):
            _merge(body, seen, model, editor, log)
        first = _first(node, seen, model, editor)
        if first is node or _clash(first, node) or not move_alike(first, node, editor.facts):
            continue
        if log.spend("merge_nodes", node.name):
            editor.origins.resolve(node)
            for mine, theirs in zip(node.outputs, first.outputs, strict=True):
                editor.replace(mine, theirs)
            editor.remove(node)


def _first(node: ir.Node, seen: dict[Hashable, ir.Node], model: ir.Model, editor: Editor) -> ir.Node:
    """The first node that gives the same as this one; it itself if there is none."""
    if node.op_identifier() in model.functions or (key := _key(node, editor)) is None:
        return node
    formulas = _formulas(node, editor)
    first = seen.get(key) or (seen.get(formulas) if formulas is not None else None) or node
    seen.setdefault(key, first)
    if formulas is not None:
        seen.setdefault(formulas, first)
    return first


def _formulas(node: ir.Node, editor: Editor) -> Hashable | None:
    """Type, shape and elements of the only output, if each is known as a number or a formula."""
    fact = editor.facts.of(node.outputs[0]) if len(node.outputs) == 1 else None
    if fact is None or not fact.elements or fact.known_shape is None:
        return None
    return "formulas", fact.dtype, fact.shape, fact.elements


def _key(node: ir.Node, editor: Editor) -> Hashable | None:
    """Op, inputs and attributes; None for a node with bodies or a random one."""
    if subgraphs(node) or not is_deterministic(node, editor.facts):
        return None
    attributes = sorted((name, _attribute(a)) for name, a in node.attributes.items())
    if any(text is None for _, text in attributes):
        return None
    present = tuple(bool(v.name) for v in node.outputs)
    return node.domain, node.op_type, tuple(id(v) for v in node.inputs), tuple(attributes), present


def _attribute(attribute: ir.Attr) -> str | None:
    if attribute.is_ref() or attribute.type not in _PLAIN:
        return None
    return f"{attribute.type}:{attribute.value!r}"


_PLAIN = {
    ir.AttributeType.INT, ir.AttributeType.INTS, ir.AttributeType.FLOAT, ir.AttributeType.FLOATS,
    ir.AttributeType.STRING, ir.AttributeType.STRINGS,
}  # fmt: skip


def _clash(first: ir.Node, node: ir.Node) -> bool:
    """Both are graph outputs: merging would only put an Identity in the place of a node."""
    pairs = zip(first.outputs, node.outputs, strict=True)
    return any(a.is_graph_output() and b.is_graph_output() for a, b in pairs)
