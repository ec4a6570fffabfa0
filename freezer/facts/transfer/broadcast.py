"""Shapes that broadcast, as NumPy and ONNX do it, on dims that may be symbols."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape, lower_bound
from freezer.facts.table import unknown_dim
from freezer.facts.transfer.attributes import Unclear


def broadcast(value: ir.Value, *shapes: Shape) -> Shape:
    """The shape of `value`, which is computed from tensors of these shapes.

    A dim other than 1 wins, since the others must be equal to it or 1; a symbol may be 1, so two
    different symbols give an unknown dim. Unclear if two known dims clash.
    """
    first = shapes[0]
    if all(s == first for s in shapes):
        return first
    rank = max(map(len, shapes))
    return tuple(
        broadcast_dim(value, axis, [s[axis - rank + len(s)] for s in shapes if axis - rank + len(s) >= 0])
        for axis in range(rank)
    )


def broadcast_dim(value: ir.Value, axis: int, dims: list[Dim]) -> Dim:
    """The dim that these broadcast to, on one axis of `value`."""
    found: Dim = 1
    for dim in dims:
        if isinstance(dim, int) and dim != 1:
            if isinstance(found, int) and found not in (1, dim):
                raise Unclear(f"{found} and {dim} do not broadcast")
            found = dim
    if found != 1:
        return found
    others = {dim for dim in dims if dim != 1}
    if len(others) <= 1:
        return others.pop() if others else 1
    sure = [dim for dim in dims if (lower_bound(dim) or 0) > 1]
    return sure[0] if sure else unknown_dim(value, axis)


def agreed(dims: list[Dim]) -> Dim:
    """One dim that is known to be equal to all of these: a number if there is one, else the simplest."""
    numbers = {dim for dim in dims if isinstance(dim, int)}
    if len(numbers) > 1:
        raise Unclear(f"{dims} are not equal")
    if numbers:
        return numbers.pop()
    return min(dims, key=lambda dim: len(dim.terms))  # type: ignore[union-attr]
