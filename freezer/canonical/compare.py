"""Where two models differ, up to isomorphism."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from freezer.canonical.content import Contents, dims
from freezer.canonical.difference import ConstantDifference, Difference
from freezer.canonical.distance import distance
from freezer.canonical.flat import Leaf
from freezer.canonical.form import BodyForm, Form, canonical_form
from freezer.canonical.locate import locate
from freezer.canonical.preference import preferences

Pair = tuple[str, ir.TensorProtocol, str, ir.TensorProtocol]


def diff(a: ir.Model, b: ir.Model) -> Difference:
    """What distinguishes two models: nothing, constants of the same graph, or the graph.

    Weights are read in pieces, never held. Raises ModelError for broken graphs, LimitError for graphs too symmetric
    to be put into order.
    """
    contents = Contents(), Contents()
    forms = canonical_form(a, contents[0]), canonical_form(b, contents[1])
    prints = forms[0].fingerprint(), forms[1].fingerprint()
    if prints[0] == prints[1]:
        return Difference("identical", prints)
    prefer_a, prefer_b = preferences(*forms)
    kinds = Contents(loose=True)
    loose_a = canonical_form(a, contents[0], kinds, prefer_a)
    loose_b = canonical_form(b, contents[1], kinds, prefer_b)
    if loose_a.fingerprint() != loose_b.fingerprint():
        return Difference("structure", prints, structure=locate(loose_a, loose_b))
    pairs = {(p[0], p[2]): p for p in _pairs(loose_a, loose_b) if contents[0].label(p[1]) != contents[1].label(p[3])}
    return Difference("constants", prints, constants=tuple(_compare(*pair) for pair in pairs.values()))


def _compare(a: str, x: ir.TensorProtocol, b: str, y: ir.TensorProtocol) -> ConstantDifference:
    far = distance(x, y)
    return ConstantDifference(a, b, dims(x), x.dtype.name, x.size, far.differing, far.max_ulp, far.max_abs)


def _pairs(a: Form, b: Form) -> Iterator[Pair]:
    """The constants in the same place of two isomorphic forms, functions included."""
    todo: list[tuple[str, BodyForm, str, BodyForm]] = [("", a.main, "", b.main)]
    seen: set[tuple[str, str]] = set()
    yield from _defaults(a.main.body, b.main.body)
    while todo:
        where_a, mine, where_b, theirs = todo.pop()
        yield from _body_pairs(where_a, mine, where_b, theirs)
        for x, y in zip(mine.ordered.terms, theirs.ordered.terms, strict=True):
            called = [form.ordered.flat.terms[i].node.op_identifier() for form, i in ((mine, x), (theirs, y))]
            if called[0] in a.functions and called[1] in b.functions:
                names = "::".join(called[0][:2]) + "/", "::".join(called[1][:2]) + "/"
                if names not in seen:
                    seen.add(names)
                    todo.append((names[0], a.functions[called[0]], names[1], b.functions[called[1]]))


def _defaults(a: ir.Graph | ir.Function, b: ir.Graph | ir.Function) -> Iterator[Pair]:
    for x, y in zip(a.inputs, b.inputs, strict=True):
        if x.const_value is not None and y.const_value is not None:
            yield x.name or "", x.const_value, y.name or "", y.const_value


def _body_pairs(where_a: str, a: BodyForm, where_b: str, b: BodyForm) -> Iterator[Pair]:
    for mine, theirs in zip(_leaves(a), _leaves(b), strict=True):
        if mine and theirs and mine.tensor is not None and theirs.tensor is not None:
            yield _name(where_a, mine), mine.tensor, _name(where_b, theirs), theirs.tensor


def _leaves(form: BodyForm) -> Iterator[Leaf | None]:
    """What every operand, in canonical order, and every output is, if it is a leaf."""
    flat = form.ordered.flat
    for term in form.ordered.terms:
        yield from map(flat.leaf, form.ordered.operands[term])
    yield from map(flat.leaf, flat.outputs)


def _name(where: str, leaf: Leaf) -> str:
    return where + ((leaf.value.name or "") if leaf.value is not None else "")
