"""Branches that no run can take: their result would have a rank that a later node refuses.

An LSTM takes X of rank 3 only, a Conv X of its weight's rank, a Transpose what its perm is for; onnxruntime
raises otherwise. Where such a node always runs after an If, in the same graph, a branch whose output can only
have another rank is never taken in a run that ends well, so the If is the other branch. Nor is a branch taken
in which such a node reads a value of another rank.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from freezer.facts.schema import well_formed
from freezer.facts.table import Facts
from freezer.model_io.walk import all_nodes, graphs_in

_SAME_RANK = {
    "Identity", "Cast", "Relu", "Sigmoid", "Tanh", "Neg", "Exp", "Sqrt", "Abs", "Not", "Erf", "LeakyRelu", "Clip",
    "Softmax", "Dropout",
}  # fmt: skip
_DEMANDING = {"LSTM", "GRU", "RNN", "Conv", "ConvTranspose", "Transpose"}
_DEEPEST = 50  # steps from a requirement back to an If


def decided_by_ranks(model: ir.Model, facts: Facts) -> dict[ir.Node, bool]:
    """Ifs whose condition follows from the rank that a later node requires: node to condition."""
    found: dict[ir.Node, bool] = {}
    for graph, value, rank in _demands(model, facts):
        if facts.rank(value) is None:
            _follow(value, rank, graph, facts, found)
    return found


def decided_by_failure(model: ir.Model, facts: Facts) -> dict[ir.Node, bool]:
    """Ifs of which one branch, and not the other, holds a value of a rank that its reader refuses."""
    failing = {graph for graph, value, rank in _demands(model, facts) if facts.rank(value) not in (None, rank)}
    found = {}
    for node in all_nodes(model.graph) if failing else ():
        if _is_if(node, facts):
            passes = [node.attributes[name].as_graph() not in failing for name in ("then_branch", "else_branch")]
            if any(passes) and not all(passes):
                found[node] = passes[0]
    return found


def _demands(model: ir.Model, facts: Facts) -> Iterator[tuple[ir.Graph, ir.Value, int]]:
    """Each value that a node demands a rank of, with the graph of that node."""
    for graph in graphs_in(model.graph):
        for node in graph:
            yield from ((graph, value, rank) for value, rank in _required(node, facts))


def _required(node: ir.Node, facts: Facts) -> Iterator[tuple[ir.Value, int]]:
    """The ranks that a node's inputs must have for it to run."""
    if node.domain or node.op_type not in _DEMANDING or not well_formed(node, facts.opset_imports):
        return
    if node.op_type in ("LSTM", "GRU", "RNN"):
        wanted: dict[int, int | None] = {0: 3, 5: 3, 6: 3}
    elif node.op_type in ("Conv", "ConvTranspose") and facts.rank(node.inputs[1]) is not None:
        wanted = {0: facts.rank(node.inputs[1])}
    elif node.op_type == "Transpose" and "perm" in node.attributes and not node.attributes["perm"].is_ref():
        wanted = {0: len(node.attributes["perm"].value)}
    else:
        return
    for index, rank in wanted.items():
        value = node.inputs[index] if index < len(node.inputs) else None
        if value is not None and rank is not None:
            yield value, rank


def _follow(value: ir.Value, rank: int, graph: ir.Graph, facts: Facts, found: dict[ir.Node, bool]) -> None:
    """From a value of required rank back to the If that makes it, within one graph."""
    for _ in range(_DEEPEST):
        node = value.producer()
        if node is None or node.graph is not graph or node.domain:
            return
        if _is_if(node, facts):
            _decide(node, value, rank, facts, found)
            return
        change = _rank_change(node, facts)
        if change is None or node.inputs[0] is None:
            return
        value, rank = node.inputs[0], rank - change


def _decide(node: ir.Node, value: ir.Value, rank: int, facts: Facts, found: dict[ir.Node, bool]) -> None:
    place = value.index()
    assert place is not None
    branches = [node.attributes[name].as_graph().outputs[place] for name in ("then_branch", "else_branch")]
    possible = [rank in ranks if (ranks := _possible_ranks(v, facts)) else True for v in branches]
    if possible == [True, False] or possible == [False, True]:
        found[node] = possible[0]


def _is_if(node: ir.Node, facts: Facts) -> bool:
    return node.op_type == "If" and not node.domain and well_formed(node, facts.opset_imports)


def _possible_ranks(value: ir.Value, facts: Facts, depth: int = 8) -> set[int] | None:
    """The ranks a value can have; None if that is not known."""
    if (rank := facts.rank(value)) is not None:
        return {rank}
    node = value.producer()
    if node is None or node.domain or depth == 0:
        return None
    if _is_if(node, facts):
        place = value.index() or 0
        outputs = [node.attributes[n].as_graph().outputs[place] for n in ("then_branch", "else_branch")]
        sets = [_possible_ranks(v, facts, depth - 1) for v in outputs]
        return None if None in sets else set().union(*sets)  # type: ignore[arg-type]
    change = _rank_change(node, facts)
    inner = _possible_ranks(node.inputs[0], facts, depth - 1) if change is not None and node.inputs[0] else None
    return None if inner is None or change is None else {r + change for r in inner}


def _rank_change(node: ir.Node, facts: Facts) -> int | None:
    """Rank of the output less that of the first input."""
    if node.op_type in _SAME_RANK:
        return 0
    if node.op_type not in ("Squeeze", "Unsqueeze"):
        return None
    attribute = node.attributes.get("axes")
    axes = attribute.value if attribute is not None else facts.ints(node.inputs[1]) if len(node.inputs) > 1 else None
    return None if axes is None else len(axes) * (1 if node.op_type == "Unsqueeze" else -1)
