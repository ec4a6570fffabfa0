"""Calls: of operators whose set is imported, of functions that take what they are given and do not call themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

import onnx

from freezer.errors import LimitError, ModelError

Call = tuple[str, str, str]
MOST_NODES = 1 << 20  # of a model with every call in the place of its function's nodes, as onnxruntime loads it


def call_of(node: onnx.NodeProto) -> Call:
    """What a node calls: domain, name, overload."""
    return _domain(node.domain), node.op_type, node.overload


def identity_of(function: onnx.FunctionProto) -> Call:
    """What calls a function: domain, name, overload."""
    return _domain(function.domain), function.name, function.overload


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def check_calls(model: onnx.ModelProto, main: set[Call], calls: dict[Call, set[Call]]) -> None:
    """Raise ModelError for standard operators of no known version, wrong calls and recursion, LimitError for too many.

    main: what the main graph calls. calls: what each function does.
    """
    standard = next((name for domain, name, _ in main - calls.keys() if not domain), None)
    if standard is not None and all(o.domain for o in model.opset_import):
        raise ModelError(f"the model uses {standard} but imports no version of the operator set 'ai.onnx'")
    if calls:
        _check_names(calls)
        _check_recursion(calls)
        _check_counts(model)
        _check_sizes(model)


def _check_names(calls: Iterable[Call]) -> None:
    """Raise ModelError for a function in the place of a standard operator: onnxruntime takes the operator."""
    for domain, name, _ in calls:
        if not domain and onnx.defs.has(name):
            raise ModelError(f"function '{name}' has the name of a standard operator; give it a domain of its own")


def _check_counts(model: onnx.ModelProto) -> None:
    taken = {identity_of(f): (len(f.input), len(f.output)) for f in model.functions}
    for node in _all_nodes([*model.graph.node, *(n for f in model.functions for n in f.node)]):
        inputs, outputs = taken.get(call_of(node), (len(node.input), len(node.output)))
        if len(node.input) > inputs or len(node.output) > outputs:
            raise ModelError(
                f"node '{node.name}' calls '{node.op_type}' with {len(node.input)} inputs and {len(node.output)} "
                f"outputs; the function has {inputs} and {outputs}"
            )


def _check_sizes(model: onnx.ModelProto) -> None:
    """Raise LimitError if calls of calls make more than MOST_NODES nodes; nothing calls itself."""
    bodies = {identity_of(f): [call_of(n) for n in _all_nodes(f.node)] for f in model.functions}
    inner = {caller: {c for c in body if c in bodies} for caller, body in bodies.items()}
    sizes: dict[Call, int] = {}
    for caller in TopologicalSorter(inner).static_order():
        sizes[caller] = sum(sizes.get(c, 1) for c in bodies[caller])
    total = sum(sizes.get(call_of(n), 1) for n in _all_nodes(model.graph.node))
    if total > MOST_NODES:
        raise LimitError(f"the model's functions call each other for {total} nodes; at most {MOST_NODES} are allowed")


def _all_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                yield from _all_nodes(graph.node)


def _check_recursion(calls: dict[Call, set[Call]]) -> None:
    """Raise ModelError if a function can reach itself."""
    own = {caller: sorted(c for c in called if c in calls) for caller, called in calls.items()}
    try:
        TopologicalSorter(own).prepare()
    except CycleError as error:
        way = " -> ".join(f"'{'::'.join(call[:2])}'" for call in error.args[1][:5])
        raise ModelError(f"a function calls itself: {way}") from None
