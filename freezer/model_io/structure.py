"""Whether a model's names hold together: everything read is defined, once, and nothing calls itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import onnx

from freezer.errors import ModelError
from freezer.model_io.calls import Call, call_of, check_calls, identity_of

_GRAPH, _GRAPHS = onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS


class Scope:
    """The names one graph defines, and those of them that were defined before the node being looked at."""

    __slots__ = ("local", "seen", "sorted", "where")

    def __init__(self, where: str, seen: set[str]) -> None:
        self.where = where
        self.seen = seen
        self.local = set(seen)
        self.sorted = True


def check_structure(model: onnx.ModelProto) -> bool:
    """Raise ModelError for names that are missing or defined twice; whether every graph is sorted."""
    main: set[Call] = set()
    is_sorted = _check_graph(model.graph, [], main, "the graph")
    calls: dict[Call, set[Call]] = {}
    for function in model.functions:
        identity = identity_of(function)
        if identity in calls:
            raise ModelError(f"function '{'::'.join(identity[:2])}' is defined twice")
        calls[identity] = set()
        is_sorted &= _check_function(function, calls[identity])
    check_calls(model, main, calls)
    return is_sorted


def _check_graph(graph: onnx.GraphProto, outer: list[Scope], calls: set[Call], where: str) -> bool:
    if isinstance(graph.name, bytes):
        raise ModelError(f"{where} has a name that is not UTF-8 text")
    inputs = [v.name for v in graph.input]
    _check_unique(inputs, f"input of {where}")
    for value in (*graph.input, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if any(isinstance(text, bytes) for text in (value.doc_string, *(d.dim_param for d in dims))):
            raise ModelError(f"'{value.name}' of {where} has a dimension or a description that is not UTF-8 text")
    constants = [t.name for t in graph.initializer]
    constants += [t.values.name for t in graph.sparse_initializer]
    _check_unique(constants, f"initializer of {where}")
    _check_outputs(graph.output, where)
    scope = Scope(where, {*inputs, *constants})
    return _check_nodes(graph.node, (v.name for v in graph.output), [*outer, scope], calls)


def _check_outputs(outputs: Iterable[onnx.ValueInfoProto], where: str) -> None:
    """One value may be several outputs, of one type."""
    types: dict[str, onnx.TypeProto] = {}
    for value in outputs:
        if types.setdefault(value.name, value.type) != value.type:
            raise ModelError(f"output '{value.name}' of {where} is listed twice, with different types")


def _check_function(function: onnx.FunctionProto, calls: set[Call]) -> bool:
    where = f"function '{function.name}'"
    _check_unique(list(function.input), f"input of {where}")
    return _check_nodes(function.node, function.output, [Scope(where, set(function.input))], calls)


def _check_unique(names: list[str], what: str) -> None:
    if any(isinstance(n, bytes) for n in names):
        raise ModelError(f"an {what} has a name that is not UTF-8 text")
    if len(set(names)) == len(names) and "" not in names:
        return
    if "" in names:
        raise ModelError(f"an {what} has no name")
    twice = next(n for n, count in Counter(names).items() if count > 1)
    raise ModelError(f"'{twice}' is defined twice as an {what}")


def _check_nodes(
    nodes: Iterable[onnx.NodeProto], outputs: Iterable[str], scopes: list[Scope], calls: set[Call]
) -> bool:
    scope, is_sorted = scopes[-1], True
    read = [(node, list(node.output)) for node in nodes]
    for node, defined in read:
        _define(defined, node, scope)
    for node, defined in read:
        for name in node.input:
            if name and name not in scope.seen:
                _check_read(name, node, scopes)
        calls.add(call_of(node))
        for graph in subgraphs(node):
            is_sorted &= _check_graph(graph, scopes, calls, f"a subgraph of {describe(node)}")
        scope.seen.update(defined)
    for name in outputs:
        if name not in scope.local:
            raise ModelError(f"output '{name}' of {scope.where} is not produced by any of its nodes")
    return is_sorted and scope.sorted


def _define(defined: list[str], node: onnx.NodeProto, scope: Scope) -> None:
    if not defined:
        raise ModelError(f"node '{node.name}' ({node.op_type}) has no output")
    if any(isinstance(n, bytes) for n in (node.op_type, node.domain, node.doc_string, node.overload, *defined)):
        raise ModelError(f"{describe(node)} has a name that is not UTF-8 text")
    for name in filter(None, defined):
        if name in scope.local:
            raise ModelError(f"'{name}' is defined twice in {scope.where}, the second time by {describe(node)}")
        scope.local.add(name)


def _check_read(name: str, node: onnx.NodeProto, scopes: list[Scope]) -> None:
    for scope in reversed(scopes):
        if name in scope.local:
            scope.sorted &= name in scope.seen
            return
    raise ModelError(f"{describe(node)} reads '{name}', which nothing in the model defines")


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs among a node's attributes."""
    for attribute in node.attribute:
        if attribute.type == _GRAPH:
            yield attribute.g
        elif attribute.type == _GRAPHS:
            yield from attribute.graphs


def describe(node: onnx.NodeProto) -> str:
    """A node in words, for messages."""
    if node.name:
        return f"node '{node.name}' ({node.op_type})"
    return f"the {node.op_type} node that makes '{next(iter(node.output), '')}'"
