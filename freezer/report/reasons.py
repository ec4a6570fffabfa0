"""Why something is in a frozen model, and what became of what is not."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from freezer.facts.table import known
from freezer.model_io.walk import graphs_in
from freezer.passes.why import live_inputs
from freezer.provenance import steps
from freezer.report.trace import Trace
from freezer.report.values import describe_value, value_words, with_article

_MOST_NAMES = 8


def explain(model: ir.Model, name: str, trace: Trace | None) -> list[str]:
    """Lines on the node or value of that name in the residual, or in the source; none if there is no such."""
    here = [*_input(model, name), *_constant(model, name, trace), *_node(model, name, trace)]
    return [*here, *_frozen(model, name), *_fate(name, trace)]


def names_in(model: ir.Model) -> Iterator[str]:
    """The names of a model's nodes and values."""
    for graph in graphs_in(model.graph):
        yield from (v.name or "" for v in (*graph.inputs, *graph.initializers.values()))
        for node in graph:
            yield node.name or ""
            yield from (v.name or "" for v in node.outputs)


def _input(model: ir.Model, name: str) -> Iterator[str]:
    for value in (v for v in model.graph.inputs if v.name == name):
        yield f"{name} is an input, {describe_value(value).type}, read by {_readers(value)}"


def _frozen(model: ir.Model, name: str) -> Iterator[str]:
    """What the metadata says of an input that is none any more."""
    for step in steps(model):
        if name in step.bindings:
            yield f"{name} was an input, frozen to {value_words(step.bindings[name])}"


def _constant(model: ir.Model, name: str, trace: Trace | None) -> Iterator[str]:
    found = [v for g in graphs_in(model.graph) for v in g.initializers.values() if v.name == name]
    for value in found:
        yield f"{name} is a constant, {describe_value(value).type}, read by {_readers(value)}"
    if found and trace is not None:
        nodes = trace.constants.get(name, [])
        yield f"computed from the source's {_list(nodes)}" if nodes else "it is a constant of the source, or frozen"


def _node(model: ir.Model, name: str, trace: Trace | None) -> Iterator[str]:
    for node in (n for g in graphs_in(model.graph) for n in g if n.name == name or name in [v.name for v in n.outputs]):
        reason = trace.reasons.get(node.name or "") if trace is not None else None
        yield f"{node.name} is {with_article(node.op_type)}: {reason or _depends(node)}"


def _depends(node: ir.Node) -> str:
    live = any(v is not None and known(v) is None for v in node.inputs)
    return f"it depends on {live_inputs(node.outputs[0])}" if live else "it is static, but storing it would cost more"


def _fate(name: str, trace: Trace | None) -> Iterator[str]:
    fate = trace.nodes.get(name) if trace is not None else None
    if fate is not None:
        place = f" in {fate.scope}" if fate.scope else ""
        yield f"the source's {fate.op_type} {name}{place} was {fate.fate}" + (f": {fate.why}" if fate.why else "")
        if others := [n for n in fate.into if n != name]:
            yield f"it lives on in {_list(others)}"


def _readers(value: ir.Value) -> str:
    return _list([n.name or n.op_type for n in value.consumers()]) or "nothing"


def _list(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (
        f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    )
