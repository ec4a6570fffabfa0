"""Every graph and node of a model, bodies included; in a third of the time of onnx_ir's iterators."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

_GRAPH, _GRAPHS = ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS


def subgraphs(node: ir.Node) -> list[ir.Graph]:
    """The bodies of a node, in the order of its attributes."""
    attributes, found = node.attributes.data, []  # the plain dict in it: its own views run in Python
    for attribute in attributes.values() if attributes else ():
        kind = attribute.type
        if kind == _GRAPH and not attribute.is_ref():
            found.append(attribute.value)  # as_graph() checks a protocol, which costs more than all the rest
        elif kind == _GRAPHS and not attribute.is_ref():
            found.extend(attribute.value)
    return found


def all_nodes(graph: ir.Graph) -> Iterator[ir.Node]:
    """The nodes of a graph and of its bodies, each before its own."""
    for node in graph:
        yield node
        for body in subgraphs(node):
            yield from all_nodes(body)


def graphs_in(graph: ir.Graph) -> Iterator[ir.Graph]:
    """A graph and every body in it, outer ones first."""
    yield graph
    for node in graph:
        for body in subgraphs(node):
            yield from graphs_in(body)


def graphs(model: ir.Model) -> Iterator[ir.Graph]:
    """The main graph, the graphs of the functions, and every body in them."""
    for owner in (model.graph, *(f.graph for f in model.functions.values())):
        yield from graphs_in(owner)
