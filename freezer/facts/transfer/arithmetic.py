"""Ops of several operands that broadcast: arithmetic."""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir

from freezer.facts.dims import Dim, Expr, at_least, compare, exact_div, floor_div, is_signed, maximum, minimum
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import integer
from freezer.facts.transfer.broadcast import broadcast
from freezer.facts.transfer.content import RANGES, TRACKED, Elements, content, count_of, elements_of, spread

Bounds = tuple["int | None", "int | None"]
NO_BOUNDS: Bounds = (None, None)


def operand_elements(node: ir.Node, facts: Facts, found: list[Fact], shape: tuple[Dim, ...]) -> list[Elements] | None:
    """The elements of each operand broadcast to the output's shape; None if none of them is known."""
    if all(f.elements is None for f in found) or count_of(shape) is None:
        return None
    columns = []
    for value, fact in zip(node.inputs, found, strict=True):
        elements = elements_of(value, fact)  # type: ignore[arg-type]
        if elements is None or fact.shape is None:
            return None
        columns.append(spread(elements, fact.shape, shape))
    return columns


def broadcast_shape(node: ir.Node, found: list[Fact]) -> tuple[Dim, ...] | None:
    """The shape operands broadcast to; None if a rank is unknown."""
    shapes = [f.shape for f in found]
    return None if None in shapes else broadcast(node.outputs[0], *shapes)  # type: ignore[arg-type]


def common_dtype(found: list[Fact]) -> ir.DataType | None:
    """The element type that operands of one type share, of those that are known."""
    return next((f.dtype for f in found if f.dtype is not None), None)


_FLOAT_ONLY = ("PRelu",)


@transfer("Sum", "Mean", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift", *_FLOAT_ONLY)
@transfer("BiasAdd", "QuickGelu", domain="com.microsoft")
def broadcasting(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Type and shape only."""
    found = [facts.of(v) for v in node.inputs]
    return [Fact(common_dtype(found), broadcast_shape(node, found))]


@transfer("Pow")
def power(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The first operand's type; small known integers are computed."""
    found = [facts.of(v) for v in node.inputs]
    shape = broadcast_shape(node, found)
    dtype = found[0].dtype
    if dtype not in TRACKED or dtype != found[1].dtype or shape is None:
        return [Fact(dtype, shape)]
    columns = operand_elements(node, facts, found, shape)
    elements = None if columns is None else [_power(a, b) for a, b in zip(*columns, strict=True)]
    return [content(node.outputs[0], dtype, shape, elements)]


def _power(a: Element, b: Element) -> Element | None:
    """Only where the result is exact in the float64 that a runtime may compute it in."""
    if isinstance(a, Expr) or isinstance(b, Expr):
        return a if b == 1 else None
    found = a**b if 0 <= b <= 62 else 1 << 62
    return found if abs(found) <= 1 << 52 else None


def _arithmetic(
    node: ir.Node, facts: Facts, operation: Callable[[Element, Element], Element | None],
    bounds: Callable[[Fact, Fact], Bounds],
) -> list[Fact] | None:  # fmt: skip
    a, b = facts.of(node.inputs[0]), facts.of(node.inputs[1])
    dtype = a.dtype if a.dtype is not None else b.dtype
    if a.shape is None or b.shape is None:
        shape = None
    elif a.shape == b.shape:
        shape = a.shape
    else:
        shape = broadcast(node.outputs[0], a.shape, b.shape)
    if dtype not in RANGES:
        return [Fact(dtype, shape)]
    low, high = _in_range(dtype, bounds(a, b)) if a.dtype == b.dtype else NO_BOUNDS
    columns = None if shape is None or dtype not in TRACKED else operand_elements(node, facts, [a, b], shape)
    elements = None if columns is None else [operation(x, y) for x, y in zip(*columns, strict=True)]
    return [content(node.outputs[0], dtype, shape, elements, low, high)]


def _in_range(dtype: ir.DataType, bounds: Bounds) -> Bounds:
    """Bounds of a result that cannot wrap around; none if it can."""
    least, most = RANGES[dtype]
    low, high = bounds
    return bounds if low is not None and high is not None and least <= low and high <= most else NO_BOUNDS


def _corners(a: Fact, b: Fact, operation: Callable[[int, int], int]) -> Bounds:
    """Bounds of an operation that takes its extremes where its operands do."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return NO_BOUNDS
    found = [operation(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(found), max(found)


@transfer("Add")
def add(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x + y."""
    return _arithmetic(node, facts, lambda x, y: x + y, lambda a, b: _corners(a, b, lambda x, y: x + y))


@transfer("Sub")
def subtract(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x - y."""
    return _arithmetic(node, facts, lambda x, y: x - y, lambda a, b: _corners(a, b, lambda x, y: x - y))


@transfer("Mul")
def multiply(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x * y."""
    return _arithmetic(node, facts, lambda x, y: x * y, lambda a, b: _corners(a, b, lambda x, y: x * y))


@transfer("Div")
def divide(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """x / y, rounded towards zero as C++ does."""
    return _arithmetic(node, facts, _quotient, _quotient_bounds)


def _quotient(x: Element, y: Element) -> Element | None:
    if not isinstance(y, Expr) and y == 0:
        return None
    if not isinstance(x, Expr) and not isinstance(y, Expr):
        return -(-x // y) if (x < 0) != (y < 0) else x // y
    if not is_signed(x) and (whole := exact_div(x, y)) is not None:
        return whole
    if y == 1 or isinstance(y, Expr):
        return x if y == 1 else None
    return floor_div(x, y) if y > 0 and at_least(x, 0) and not is_signed(x) else None


def _quotient_bounds(a: Fact, b: Fact) -> Bounds:
    if a.low is None or a.high is None or a.low < 0 or b.low is None or b.low < 1:
        return NO_BOUNDS
    return 0, a.high // b.low


@transfer("Mod")
def modulo(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The remainder: of the divisor's sign (of the dividend's with fmod=1)."""
    truncated = integer(node, "fmod", 0) != 0

    def bounds(a: Fact, b: Fact) -> Bounds:
        positive = b.low is not None and b.low > 0 and (not truncated or (a.low is not None and a.low >= 0))
        return (0, b.high - 1) if positive and b.high is not None else NO_BOUNDS

    return _arithmetic(node, facts, lambda x, y: _remainder(x, y, truncated), bounds)


def _remainder(x: Element, y: Element, truncated: bool) -> Element | None:
    if isinstance(y, Expr) or y == 0:
        return None
    if not isinstance(x, Expr):
        found = x % y
        return found - y if truncated and found and (x < 0) != (y < 0) else found
    if is_signed(x) or y < 0 or (truncated and not at_least(x, 0)):
        return None
    whole = floor_div(x, y)
    return None if whole is None else x - whole * y


def _folded(node: ir.Node, facts: Facts, choose: Callable[[list[Element]], Element | None], low_of: Callable,
            high_of: Callable) -> list[Fact] | None:  # fmt: skip
    found = [facts.of(v) for v in node.inputs]
    dtype, shape = common_dtype(found), broadcast_shape(node, found)
    if dtype not in RANGES:
        return [Fact(dtype, shape)]
    low, high = low_of([f.low for f in found]), high_of([f.high for f in found])
    columns = None if shape is None or dtype not in TRACKED else operand_elements(node, facts, found, shape)
    elements = None if columns is None else [choose(list(row)) for row in zip(*columns, strict=True)]
    return [content(node.outputs[0], dtype, shape, elements, low, high)]


def _all(choose: Callable[[list[int]], int]) -> Callable[[list[int | None]], int | None]:
    return lambda bounds: None if None in bounds else choose(bounds)  # type: ignore[arg-type]


def _any(choose: Callable[[list[int]], int]) -> Callable[[list[int | None]], int | None]:
    return lambda bounds: choose(kept) if (kept := [b for b in bounds if b is not None]) else None


@transfer("Max")
def greatest(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The greatest operand, element by element."""
    return _folded(node, facts, lambda row: _extreme(row, maximum), _any(max), _all(max))


@transfer("Min")
def least(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The least operand, element by element."""
    return _folded(node, facts, lambda row: _extreme(row, minimum), _all(min), _any(min))


def _extreme(row: list[Element], choose: Callable[[Dim, Dim], Dim | None]) -> Element | None:
    found: Element | None = row[0]
    for other in row[1:]:
        if found is None or ((is_signed(found) or is_signed(other)) and compare(found, other) != 0):
            return None
        found = choose(found, other)
    return found
