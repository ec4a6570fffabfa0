"""Where two graphs of different structure part first, walking from the inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import onnx_ir as ir

from freezer.canonical.colour import rank, refine
from freezer.canonical.difference import StructureDifference
from freezer.canonical.encode import interface_bytes
from freezer.canonical.form import BodyForm, Form
from freezer.canonical.pairs import Side, best_partner, what_differs
from freezer.canonical.text import surroundings, value_text

_MOST = 5
Called = tuple[ir.OperatorIdentifier, ir.OperatorIdentifier]


def locate(a: Form, b: Form) -> tuple[StructureDifference, ...]:
    """The first differences of two forms: of the interface, then of the nodes. a, b: constants by kind alone."""
    outside = [*_interface(a.main.body, b.main.body), *_opsets(a.main, b.main)]
    inside = _inside(a, b)
    if not outside + inside:
        inside = [StructureDifference("both compute the same values, wired in another way")]
    return tuple(outside[:_MOST] + inside[:_MOST])


def _inside(a: Form, b: Form) -> list[StructureDifference]:
    """The first differences of nodes, of the main graph and of functions that are called in the same place."""
    found: list[StructureDifference] = []
    todo: list[tuple[BodyForm, BodyForm]] = [(a.main, b.main)]
    seen: set[Called] = set()
    while todo and len(found) < _MOST:
        mine, theirs = map(Side.of, todo.pop(0))
        pairs = _frontier_pairs(mine, theirs)[:_MOST]
        for called in (_called(mine, x, theirs, y) for x, y in pairs):
            if called and called not in seen and called[0] in a.functions and called[1] in b.functions:
                seen.add(called)
                todo.append((a.functions[called[0]], b.functions[called[1]]))
        found += [_place(mine, x, theirs, y) for x, y in pairs] or _same_values(mine, theirs)
    return found


def _interface(a: ir.Graph | ir.Function, b: ir.Graph | ir.Function) -> Iterator[StructureDifference]:
    for word, mine, theirs in (("input", a.inputs, b.inputs), ("output", a.outputs, b.outputs)):
        if len(mine) != len(theirs):
            lists = [tuple(map(value_text, values)) for values in (mine, theirs)]
            yield StructureDifference(f"{word}s: {len(mine)} in A, {len(theirs)} in B", *lists)
            continue
        for position, (x, y) in enumerate(zip(mine, theirs, strict=True)):
            if interface_bytes(x) != interface_bytes(y) or (x.const_value is None) != (y.const_value is None):
                yield StructureDifference(f"{word} {position}", (_declared(x),), (_declared(y),))


def _declared(value: ir.Value) -> str:
    default = value.const_value is not None and value.is_graph_input()
    return value_text(value) + (", with a default" if default else "")


def _opsets(a: BodyForm, b: BodyForm) -> Iterator[StructureDifference]:
    for domain in sorted(a.opsets.keys() | b.opsets.keys()):
        mine, theirs = a.opsets.get(domain), b.opsets.get(domain)
        if mine != theirs:
            said = ["not used" if version is None else str(version) for version in (mine, theirs)]
            yield StructureDifference(f"opset of '{domain or 'ai.onnx'}': {said[0]} in A, {said[1]} in B")


def _frontier_pairs(a: Side, b: Side) -> list[tuple[int | None, int | None]]:
    mine, theirs = a.frontier(b), b.frontier(a)
    pairs: list[tuple[int | None, int | None]] = []
    for x in mine[:_MOST]:
        y = best_partner(a, x, b, theirs)
        if y is not None:
            theirs.remove(y)
        pairs.append((x, y))
    return pairs + [(None, y) for y in theirs]


def _called(a: Side, x: int | None, b: Side, y: int | None) -> Called | None:
    if x is None or y is None:
        return None
    return a.term(x).node.op_identifier(), b.term(y).node.op_identifier()


def _place(a: Side, x: int | None, b: Side, y: int | None) -> StructureDifference:
    mine = () if x is None else surroundings(a.term(x).node)
    theirs = () if y is None else surroundings(b.term(y).node)
    if x is not None and y is not None:
        return StructureDifference(what_differs(a, x, b, y), mine, theirs)
    side, index = (a, x) if x is not None else (b, y)
    assert index is not None
    return StructureDifference(f"{side.term(index).node.op_type} only in {'A' if side is a else 'B'}", mine, theirs)


def _same_values(a: Side, b: Side) -> list[StructureDifference]:
    """Both compute the same values, so that outputs, or how often and where values are used, must differ."""
    return [*_outputs(a, b), *_counts(a, b)] or _uses(a, b)


def _outputs(a: Side, b: Side) -> Iterator[StructureDifference]:
    x, y = a.form.ordered.flat, b.form.ordered.flat
    for position, (mine, theirs) in enumerate(zip(x.outputs, y.outputs, strict=False)):
        if rank(x, a.colours, mine) != rank(y, b.colours, theirs):
            values = a.form.body.outputs[position], b.form.body.outputs[position]
            lines = [() if (node := v.producer()) is None else surroundings(node) for v in values]
            yield StructureDifference(f"output {position} is another value", *lines)


def _counts(a: Side, b: Side) -> Iterator[StructureDifference]:
    """The first value that one side computes more often."""
    mine, theirs = Counter(a.colours), Counter(b.colours)
    for x in a.form.ordered.terms:
        colour = a.colours[x]
        if mine[colour] != theirs[colour]:
            op_type = a.term(x).node.op_type
            what = f"{op_type} computed {mine[colour]} times in A, {theirs[colour]} times in B"
            yield _place_of(what, a, x, b, b.colours.index(colour))
            return


def _uses(a: Side, b: Side) -> list[StructureDifference]:
    """The first value that is used in other places, though its equals are."""
    fine_a, fine_b = (refine(side.form.ordered.flat, side.colours) for side in (a, b))
    for x in a.form.ordered.terms:
        if fine_a[x] not in fine_b:
            known = set(fine_a)
            equals = [i for i, colour in enumerate(b.colours) if colour == a.colours[x]]
            y = next((i for i in equals if fine_b[i] not in known), equals[0])
            return [_place_of(f"{a.term(x).node.op_type} is used in other places", a, x, b, y)]
    return []


def _place_of(what: str, a: Side, x: int, b: Side, y: int) -> StructureDifference:
    return StructureDifference(what, surroundings(a.term(x).node), surroundings(b.term(y).node))
