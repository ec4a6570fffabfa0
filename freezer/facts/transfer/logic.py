"""Comparison, logic and selection."""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir

from freezer.facts.dims import Expr, compare, is_signed
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.arithmetic import broadcast_shape, operand_elements
from freezer.facts.transfer.content import BOOL, RANGES, TRACKED, content

_Verdict = Callable[["int | None"], "bool | None"]  # from -1, 0, 1 or None as a <, ==, > b or not known


def _compared(node: ir.Node, facts: Facts, verdict: _Verdict, ordered: bool = True) -> list[Fact] | None:
    found = [facts.of(v) for v in node.inputs]
    shape = broadcast_shape(node, found)
    a, b = found
    if a.dtype not in RANGES and a.dtype != BOOL:
        return [Fact(BOOL, shape)]
    overall = verdict(_apart(a, b))
    columns = None if shape is None or a.dtype not in TRACKED else operand_elements(node, facts, found, shape)
    elements = None
    if columns is not None:
        order = _order if ordered else _equality
        elements = [overall if overall is not None else verdict(order(x, y)) for x, y in zip(*columns, strict=True)]
    bound = None if overall is None else int(overall)
    return [content(node.outputs[0], BOOL, shape, elements, bound, bound)]


def _apart(a: Fact, b: Fact) -> int | None:
    """The order of all elements of a to all of b, by their bounds."""
    if a.high is not None and b.low is not None and a.high < b.low:
        return -1
    if a.low is not None and b.high is not None and a.low > b.high:
        return 1
    same = a.low is not None and a.low == a.high == b.low == b.high
    return 0 if same else None


def _order(x: Element, y: Element) -> int | None:
    """Which is greater. Where arithmetic may have wrapped around only equality is certain."""
    found = compare(x, y)
    return None if found and (is_signed(x) or is_signed(y)) else found


def _equality(x: Element, y: Element) -> int | None:
    """Whether they are equal: that a difference is not zero survives wrapping around."""
    return compare(x, y)


@transfer("Equal")
def equal(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x == y."""
    return _compared(node, facts, lambda order: None if order is None else order == 0, ordered=False)


@transfer("Less")
def less(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x < y; also known False where x >= y is."""
    return _bounded(node, facts, lambda order: None if order is None else order < 0, strict=True)


@transfer("Greater")
def greater(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x > y."""
    return _bounded(node, facts, lambda order: None if order is None else order > 0, strict=True, swap=True)


@transfer("LessOrEqual")
def less_or_equal(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x <= y."""
    return _bounded(node, facts, lambda order: None if order is None else order <= 0, strict=False)


@transfer("GreaterOrEqual")
def greater_or_equal(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x >= y."""
    return _bounded(node, facts, lambda order: None if order is None else order >= 0, strict=False, swap=True)


def _bounded(node: ir.Node, facts: Facts, verdict: _Verdict, strict: bool, swap: bool = False) -> list[Fact] | None:
    """A comparison that is also decided where bounds touch: x < y is False where x >= y is certain."""
    found = _compared(node, facts, verdict)
    a, b = (facts.of(v) for v in (reversed(node.inputs) if swap else node.inputs))
    if found is None or found[0].low is not None or a.dtype not in RANGES:
        return found
    if strict:
        decided = False if a.low is not None and b.high is not None and a.low >= b.high else None
    else:
        decided = True if a.high is not None and b.low is not None and a.high <= b.low else None
    if decided is None:
        return found
    shape, count = found[0].shape, None if found[0].elements is None else len(found[0].elements)
    elements = None if count is None else [decided] * count
    return [content(node.outputs[0], BOOL, shape, elements, int(decided), int(decided))]


def _logic(
    node: ir.Node, facts: Facts, operation: Callable[[Element, Element], Element | None], decisive: bool | None = None
) -> list[Fact] | None:
    found = [facts.of(v) for v in node.inputs]
    bounds = (None, None) if decisive is None else _uniform(found, int(decisive))
    shape = broadcast_shape(node, found)
    columns = None if shape is None else operand_elements(node, facts, found, shape)
    elements = None if columns is None else [operation(x, y) for x, y in zip(*columns, strict=True)]
    return [content(node.outputs[0], BOOL, shape, elements, *bounds)]


@transfer("And")
def both(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x and y; False where either is."""
    return _logic(node, facts, lambda x, y: _absorbing(x, y, False), False)


@transfer("Or")
def either(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x or y; True where either is."""
    return _logic(node, facts, lambda x, y: _absorbing(x, y, True), True)


def _uniform(found: list[Fact], decisive: int) -> tuple[int | None, int | None]:
    """Both bounds, where one operand is all decisive or all are all the other."""
    if any(f.low == f.high == decisive for f in found):
        return decisive, decisive
    if all(f.low == f.high == 1 - decisive for f in found):
        return 1 - decisive, 1 - decisive
    return None, None


def _absorbing(x: Element, y: Element, decisive: bool) -> Element | None:
    if x is decisive or y is decisive:
        return decisive
    if not isinstance(x, Expr):
        return y
    return x if not isinstance(y, Expr) or x == y else None


@transfer("Xor")
def exclusive(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x or y but not both."""
    return _logic(node, facts, _exclusive)


def _exclusive(x: Element, y: Element) -> Element | None:
    if not isinstance(x, Expr) and not isinstance(y, Expr):
        return x is not y
    if x is False or y is False:
        return y if x is False else x
    return False if x == y else None


@transfer("Where")
def where(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The element of x where the condition is true, else of y."""
    condition, x, y = found = [facts.of(v) for v in node.inputs]
    shape = broadcast_shape(node, found)
    dtype = x.dtype if x.dtype is not None else y.dtype
    low = None if x.low is None or y.low is None else min(x.low, y.low)
    high = None if x.high is None or y.high is None else max(x.high, y.high)
    if condition.low is not None and condition.low == condition.high:
        low, high = (x.low, x.high) if condition.low else (y.low, y.high)
    columns = None if shape is None or dtype not in TRACKED else operand_elements(node, facts, found, shape)
    elements = None if columns is None else [_selected(*row) for row in zip(*columns, strict=True)]
    return [content(node.outputs[0], dtype, shape, elements, low, high)]


def _selected(condition: Element, x: Element, y: Element) -> Element | None:
    if isinstance(condition, Expr):
        return x if x == y else None
    return x if condition else y
