"""Facts across the borders of If, Loop, Scan and their bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import onnx_ir as ir

from freezer.facts.dims import Dim
from freezer.facts.fact import UNKNOWN, Fact
from freezer.facts.table import Facts, unknown_dim

Walk = Callable[[ir.Graph], None]  # computes the facts of a body's nodes, changing nothing


def join(value: ir.Value, facts: Sequence[Fact]) -> Fact:
    """What holds of a value that may be any of several."""
    first = facts[0]
    if any(f.dtype != first.dtype for f in facts):
        return UNKNOWN
    if first.dtype is None:
        return Fact(type=first.type) if all(f.type == first.type for f in facts) else UNKNOWN
    shapes = [f.shape for f in facts]
    if any(s is None or len(s) != len(first.shape or ()) for s in shapes) or first.shape is None:
        return Fact(first.dtype)
    columns = zip(*shapes, strict=True)
    dims = tuple(c[0] if len(set(c)) == 1 else unknown_dim(value, i) for i, c in enumerate(columns))
    return Fact(first.dtype, dims, low=_least(f.low for f in facts), high=_greatest(f.high for f in facts))


def of_if(node: ir.Node, facts: Facts) -> list[Fact]:
    """Outputs of an If: what both branches agree on."""
    branches = [node.attributes[name].as_graph() for name in ("then_branch", "else_branch")]
    pairs = zip(*(b.outputs for b in branches), strict=True)
    return [join(v, [facts.of(o) for o in outs]) for v, outs in zip(node.outputs, pairs, strict=True)]


def enter_loop(node: ir.Node, facts: Facts, walk: Walk) -> None:
    """Give a Loop body's inputs the facts that hold in every iteration."""
    body = node.attributes["body"].as_graph()
    trip, condition, *carried = body.inputs
    facts.set(trip, Fact(ir.DataType.INT64, (), low=0))
    facts.set(condition, Fact(ir.DataType.BOOL, ()))
    _settle(carried, node.inputs[2:], body.outputs[1 : 1 + len(carried)], body, facts, walk)


def of_loop(node: ir.Node, facts: Facts) -> list[Fact]:
    """Outputs of a Loop: the carried values, then the stacked scan outputs."""
    body = node.attributes["body"].as_graph()
    carried = len(body.inputs) - 2
    last = [join(v, [facts.of(i), facts.of(o)]) for v, i, o in zip(node.outputs, node.inputs[2:], body.outputs[1:])]  # noqa: B905
    stacked = zip(node.outputs[carried:], body.outputs[1 + carried :], strict=True)
    return last + [_stacked(v, facts.of(o), unknown_dim(v, 0), 0) for v, o in stacked]


def enter_scan(node: ir.Node, facts: Facts, walk: Walk) -> None:
    """Give a Scan body's inputs the facts that hold in every iteration. Opset 8's (batched) gets none."""
    if facts.opset_imports.get("", 0) < 9:
        return
    body, states, axes = _scan_parts(node)
    for value, outer, axis in zip(body.inputs[states:], node.inputs[states:], axes, strict=True):
        facts.set(value, _sliced(facts.of(outer), axis))
    _settle(body.inputs[:states], node.inputs[:states], body.outputs[:states], body, facts, walk)


def of_scan(node: ir.Node, facts: Facts) -> list[Fact]:
    """Outputs of a Scan: the states, then the stacked scan outputs, whose length is the scanned axis'."""
    if facts.opset_imports.get("", 0) < 9:
        return [UNKNOWN] * len(node.outputs)
    body, states, axes = _scan_parts(node)
    scanned = facts.shape(node.inputs[states]) if len(node.inputs) > states else None
    out_axes = _ints(node, "scan_output_axes", len(node.outputs) - states)
    last = [join(v, [facts.of(i), facts.of(o)]) for v, i, o in zip(node.outputs, node.inputs[:states], body.outputs)]  # noqa: B905
    for value, inner, axis in zip(node.outputs[states:], body.outputs[states:], out_axes, strict=True):
        length = scanned[axes[0]] if scanned and -len(scanned) <= axes[0] < len(scanned) else unknown_dim(value, axis)
        last.append(_stacked(value, facts.of(inner), length, axis))
    return last


def _scan_parts(node: ir.Node) -> tuple[ir.Graph, int, list[int]]:
    scanned = node.attributes["num_scan_inputs"].as_int()
    return node.attributes["body"].as_graph(), len(node.inputs) - scanned, _ints(node, "scan_input_axes", scanned)


def _ints(node: ir.Node, name: str, count: int) -> list[int]:
    attribute = node.attributes.get(name)
    return list(attribute.as_ints()) if attribute is not None else [0] * count


def _settle(
    inner: Sequence[ir.Value], outer: Sequence[ir.Value | None], after: Sequence[ir.Value],
    body: ir.Graph, facts: Facts, walk: Walk,
) -> None:  # fmt: skip
    """Assume that carried values keep their first shape; weaken what one iteration refutes, until nothing does."""
    for value, first in zip(inner, outer, strict=True):
        fact = facts.of(first)
        facts.set(value, Fact(fact.dtype, fact.shape, type=fact.type))
    for _ in range(4):
        walk(body)
        weaker = [join(v, [facts.of(v), _bare(facts.of(o))]) for v, o in zip(inner, after, strict=True)]
        if not any([facts.set(v, f) for v, f in zip(inner, weaker, strict=True)]):
            return
    for value in inner:
        fact = facts.of(value)
        facts.set(value, Fact(fact.dtype, type=fact.type))
    walk(body)


def _bare(fact: Fact) -> Fact:
    return Fact(fact.dtype, fact.shape, type=fact.type)


def _stacked(value: ir.Value, fact: Fact, length: Dim, axis: int) -> Fact:
    if fact.shape is None:
        return Fact(fact.dtype)
    place = axis % (len(fact.shape) + 1)
    shape = (*fact.shape[:place], length, *fact.shape[place:])
    return Fact(fact.dtype, tuple(d if i == place else _outer(d, value, i) for i, d in enumerate(shape)))


def _outer(dim: Dim, value: ir.Value, axis: int) -> Dim:
    """A dim that means the same outside the body: an inner symbol may differ between iterations."""
    return dim if isinstance(dim, int) else unknown_dim(value, axis)


def _sliced(fact: Fact, axis: int) -> Fact:
    if fact.shape is None or not -len(fact.shape) <= axis < len(fact.shape):
        return Fact(fact.dtype)
    place = axis % len(fact.shape)
    return Fact(fact.dtype, fact.shape[:place] + fact.shape[place + 1 :], low=fact.low, high=fact.high)


def _least(bounds: object) -> int | None:
    found = list(bounds)  # type: ignore[call-overload]
    return None if None in found else min(found)


def _greatest(bounds: object) -> int | None:
    found = list(bounds)  # type: ignore[call-overload]
    return None if None in found else max(found)
