"""Cast and CastLike."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Expr, differ, is_signed
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import dtype as dtype_of
from freezer.facts.transfer.attributes import opset, text
from freezer.facts.transfer.content import BOOL, INT32, RANGES, TRACKED, content


@transfer("Cast")
def cast(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """To the type that `to` names (a number; a name before opset 6)."""
    if opset(facts) < 6:
        to = ir.DataType[text(node, "to", "")] if text(node, "to", "") in ir.DataType.__members__ else None
    else:
        to = dtype_of(node, "to", None)
    return None if to is None else [converted(node.outputs[0], facts.of(node.inputs[0]), to)]


@transfer("CastLike")
def cast_like(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """To the type of the second operand."""
    to = facts.of(node.inputs[1]).dtype
    return (
        [Fact(None, facts.shape(node.inputs[0]))]
        if to is None
        else [converted(node.outputs[0], facts.of(node.inputs[0]), to)]
    )


def converted(value: ir.Value, fact: Fact, to: ir.DataType) -> Fact:
    """The fact of a tensor converted to another type; content is kept between integers and bool."""
    if to == fact.dtype:
        return fact
    if (to not in RANGES and to != BOOL) or (fact.dtype not in RANGES and fact.dtype != BOOL):
        return Fact(to, fact.shape)
    elements = None
    if fact.elements is not None and to in TRACKED:
        elements = [_element(e, fact.dtype, to) for e in fact.elements]
    return content(value, to, fact.shape, elements, *_bounds(fact, to))


def _element(element: Element, before: ir.DataType, to: ir.DataType) -> Element | None:
    """None for what could be cut off: a SIGNED symbol may be too large for a smaller type."""
    if to == BOOL:
        if isinstance(element, Expr):
            return True if differ(element, 0) else None
        return bool(element)
    if not isinstance(element, Expr):
        return int(element)
    if not is_signed(element):
        return element if before != BOOL else None
    # A sum that wrapped around in int32 is another one in int64; a lone symbol is what it was.
    return element if before == INT32 and _is_one_symbol(element) else None


def _is_one_symbol(element: Expr) -> bool:
    return len(element.terms) == 1 and element.terms[0][1] == 1 and len(element.terms[0][0]) == 1


def _bounds(fact: Fact, to: ir.DataType) -> tuple[int | None, int | None]:
    if fact.dtype == BOOL or to == BOOL:
        if fact.dtype == BOOL:
            return fact.low if fact.low is not None else 0, fact.high if fact.high is not None else 1
        nonzero = (fact.low is not None and fact.low > 0) or (fact.high is not None and fact.high < 0)
        return (1, 1) if nonzero else (0, 0) if fact.low == fact.high == 0 else (None, None)
    least, most = RANGES[fact.dtype]  # type: ignore[index]
    low = fact.low if fact.low is not None else least
    high = fact.high if fact.high is not None else most
    if low < RANGES[to][0] or high > RANGES[to][1]:
        return None, None
    return low, high
