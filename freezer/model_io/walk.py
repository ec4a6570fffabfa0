"""Every graph and node of a model, bodies included; in a third of the time of onnx_ir's iterators."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir


def subgraphs(node: ir.Node) -> Iterator[ir.Graph]:
    """The bodies of a node, in the order of its attributes."""
    for attribute in node.attributes.values():
        kind = attribute.type
        if kind == ir.AttributeType.GRAPH and not attribute.is_ref():
            yield attribute.value  # as_graph() checks a protocol, which costs more than all the rest
        elif kind == ir.AttributeType.GRAPHS and not attribute.is_ref():
            yield from attribute.value


def all_nodes(graph: ir.Graph) -> Iterator[ir.Node]:
    """The nodes of a graph and of its bodies, each before its own."""
    for node in graph:
        yield node
        if node.attributes:
            for body in subgraphs(node):
                yield from all_nodes(body)


def graphs_in(graph: ir.Graph) -> Iterator[ir.Graph]:
    """A graph and every body in it, outer ones first."""
    yield graph
    for node in graph:
        if node.attributes:
            for body in subgraphs(node):
                yield from graphs_in(body)


def graphs(model: ir.Model) -> Iterator[ir.Graph]:
    """The main graph, the graphs of the functions, and every body in them."""
    for owner in (model.graph, *(f.graph for f in model.functions.values())):
        yield from graphs_in(owner)
