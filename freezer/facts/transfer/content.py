"""Facts of integer and bool tensors: their elements and their bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import onnx_ir as ir

from freezer.facts.dims import SIGNED, Derived, Expr, Shape, is_short, lower_bound, symbol, upper_bound
from freezer.facts.fact import Element, Fact
from freezer.facts.table import LARGEST_ELEMENTS
from freezer.facts.transfer.attributes import Unclear

Elements = tuple[Element, ...]
BOOL, INT32, INT64 = ir.DataType.BOOL, ir.DataType.INT32, ir.DataType.INT64
TRACKED = frozenset({BOOL, INT32, INT64})
RANGES = {
    ir.DataType.INT64: (-(1 << 63), (1 << 63) - 1), ir.DataType.INT32: (-(1 << 31), (1 << 31) - 1),
    ir.DataType.INT16: (-(1 << 15), (1 << 15) - 1), ir.DataType.INT8: (-(1 << 7), (1 << 7) - 1),
    ir.DataType.UINT64: (0, (1 << 64) - 1), ir.DataType.UINT32: (0, (1 << 32) - 1),
    ir.DataType.UINT16: (0, (1 << 16) - 1), ir.DataType.UINT8: (0, (1 << 8) - 1),
    ir.DataType.INT4: (-8, 7), ir.DataType.UINT4: (0, 15),
}  # fmt: skip


def fresh(value: ir.Value, index: int) -> Expr:
    """The symbol for one element of a value of which nothing is known."""
    return symbol(f"{SIGNED}{value.name}[{index}]")


def count_of(shape: Shape | None) -> int | None:
    """Number of elements, if it is known and small enough to track them one by one."""
    total = 1
    for dim in shape if shape is not None else (-1,):
        if not isinstance(dim, int) or dim < 0:
            return None
        total *= dim
    return total if total <= LARGEST_ELEMENTS else None


def elements_of(value: ir.Value, fact: Fact) -> Elements | None:
    """The elements; a symbol for each if only their number is known; None if that is large or unknown."""
    if fact.elements is not None:
        return fact.elements
    count = count_of(fact.shape) if fact.dtype in TRACKED else None
    return None if count is None else tuple(fresh(value, i) for i in range(count))


def says_nothing(element: Element) -> bool:
    """Whether an element is a bare symbol of its own."""
    if not isinstance(element, Expr) or len(element.terms) > 1:
        return False
    monomial, factor = element.terms[0]
    return factor == 1 and len(monomial) == 1 and not isinstance(monomial[0], Derived) and monomial[0][:1] == SIGNED


def content(
    value: ir.Value, dtype: ir.DataType | None, shape: Shape | None, elements: Iterable[Element | None] | None,
    low: int | None = None, high: int | None = None,
) -> Fact:  # fmt: skip
    """The fact of an integer or bool output. An element that is None, too long or beyond dtype becomes a symbol."""
    if elements is None or dtype not in TRACKED:
        return Fact(dtype, shape, None, False, low, high)
    least, most = RANGES.get(dtype, (0, 1))
    kept: Elements = tuple([e if _fits(e, least, most) else fresh(value, i) for i, e in enumerate(elements)])  # type: ignore[misc]
    if not kept:
        return Fact(dtype, shape, kept)
    low, high = _tighter(max, low, _least(kept)), _tighter(min, high, _most(kept))
    if all(map(says_nothing, kept)):
        return Fact(dtype, shape, None, False, low, high)
    return Fact(dtype, shape, kept, False, low, high)


def _fits(element: Element | None, least: int, most: int) -> bool:
    if element is None:
        return False
    return is_short(element, most >> 1) if isinstance(element, Expr) else least <= element <= most


def _tighter(choose: Callable[..., int], a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return choose(a, b)


def _least(elements: Elements) -> int | None:
    found = [lower_bound(e) if isinstance(e, Expr) else int(e) for e in elements]
    return None if None in found else min(found)  # type: ignore[type-var]


def _most(elements: Elements) -> int | None:
    found = [upper_bound(e) if isinstance(e, Expr) else int(e) for e in elements]
    return None if None in found else max(found)  # type: ignore[type-var]


def moved(fact: Fact, shape: Shape, move: Callable[[np.ndarray], np.ndarray] | None = None) -> Fact:
    """The fact of a tensor whose elements are among those of another, moved as `move` moves an array of them."""
    elements = fact.elements
    if elements is not None and move is not None:
        elements = _moved(elements, fact.shape, shape, move)
    return Fact(fact.dtype, shape, elements, False, fact.low, fact.high)


def _moved(
    elements: Elements, before: Shape | None, after: Shape, move: Callable[[np.ndarray], np.ndarray]
) -> Elements | None:
    if count_of(after) is None or before is None:
        return None
    places = move(np.arange(len(elements)).reshape(before))
    if places.shape != after:
        raise Unclear("the elements do not fit the shape")
    return tuple([elements[i] for i in places.reshape(-1).tolist()])


def spread(elements: Elements, before: Shape, after: Shape) -> Elements:
    """Elements broadcast to a known shape."""
    if before == after:
        return elements
    if len(elements) == 1:
        return elements * (count_of(after) or 0)
    places = np.broadcast_to(np.arange(len(elements)).reshape(before), after)  # type: ignore[arg-type]
    return tuple([elements[i] for i in places.reshape(-1).tolist()])
