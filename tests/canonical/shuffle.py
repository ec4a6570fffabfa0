"""Other names, and the nodes of every graph in another order: of a private copy, so that weights are not read."""

from __future__ import annotations

import heapq
from random import Random

import onnx_ir as ir


def shuffle(model: ir.Model, seed: int) -> ir.Model:
    """The model, changed in place: what lies inside is renamed and reordered."""
    rng = Random(seed)
    fixed = {id(value) for value in (*model.graph.inputs, *model.graph.outputs)}
    for root in (model.graph, *(function.graph for function in model.functions.values())):
        for graph in (root, *root.subgraphs()):
            _rename(graph, fixed, rng)
            _reorder(graph, rng)
    return model


def _rename(graph: ir.Graph, fixed: set[int], rng: Random) -> None:
    for node in graph:
        node.name = f"n{rng.random()}"
    for value in [*graph.inputs, *graph.initializers.values(), *(v for node in graph for v in node.outputs)]:
        if value.name and id(value) not in fixed:
            value.name = f"v{rng.random()}"


def _reorder(graph: ir.Graph, rng: Random) -> None:
    nodes = list(graph)
    needs = {node: {n for n in map(_within(graph), _read(node)) if n not in (None, node)} for node in nodes}
    users: dict[ir.Node, list[ir.Node]] = {node: [] for node in nodes}
    for node, made_by in needs.items():
        for maker in made_by:
            users[maker].append(node)
    count = {node: len(made_by) for node, made_by in needs.items()}
    heap = [(rng.random(), i, node) for i, node in enumerate(nodes) if not count[node]]
    heapq.heapify(heap)
    order: list[ir.Node] = []
    while heap:
        order.append(heapq.heappop(heap)[2])
        for user in users[order[-1]]:
            count[user] -= 1
            if not count[user]:
                heapq.heappush(heap, (rng.random(), len(order), user))
    graph.remove(nodes)
    graph.extend(order)


def _within(graph: ir.Graph):
    return lambda value: value.producer() if value is not None and value.graph is graph else None


def _read(node: ir.Node) -> list[ir.Value | None]:
    """The values a node reads, with those that are read or returned inside it."""
    values = list(node.inputs)
    for attribute in node.attributes.values():
        if attribute.type == ir.AttributeType.GRAPH and not attribute.is_ref():
            values += [*attribute.as_graph().outputs, *(v for inner in attribute.as_graph() for v in _read(inner))]
    return values
