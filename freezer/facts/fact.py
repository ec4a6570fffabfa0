"""What is known of one value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Union

import onnx_ir as ir

from freezer.facts.dims import Expr, Shape, product

Element = Union[int, bool, Expr]


@dataclass(frozen=True, slots=True)
class Fact:
    """Type, shape and content of a value, as far as they are certain for every feed.

    dtype: element type, None if unknown or if the value is not a tensor.
    shape: one Dim an axis (an unknown dim is a symbol of its own); None if the rank is unknown.
    elements: the content of a small int32, int64 or bool tensor in row-major order, each element
        an int or bool, or an Expr for one that is only partly known; None if nothing is known.
    static: computed from constants alone by deterministic nodes, so freezer could evaluate it.
    low, high: bounds of every element of an integer tensor, where known.
    type: the full ONNX type, for sequences, optionals and maps (and for tensors when given).
    """

    dtype: ir.DataType | None = None
    shape: Shape | None = None
    elements: tuple[Element, ...] | None = None
    static: bool = False
    low: int | None = None
    high: int | None = None
    type: ir.TypeProtocol | None = None

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    @property
    def known_shape(self) -> tuple[int, ...] | None:
        """The shape if every dim is an integer."""
        if self.shape is None or not all(isinstance(d, int) for d in self.shape):
            return None
        return self.shape  # type: ignore[return-value]

    @property
    def known_elements(self) -> tuple[int | bool, ...] | None:
        """The elements if each is a plain integer or bool, and the shape is known too."""
        if self.elements is None or self.known_shape is None:
            return None
        return None if any(isinstance(e, Expr) for e in self.elements) else self.elements  # type: ignore[return-value]

    @property
    def size(self) -> int | None:
        """Number of elements, where known."""
        return None if self.known_shape is None else int(product(self.known_shape))  # type: ignore[arg-type]

    @property
    def nbytes(self) -> int | None:
        """Bytes when stored; strings are counted as 16 each."""
        if self.size is None or self.dtype is None:
            return None
        if self.dtype == ir.DataType.STRING:
            return 16 * self.size
        return -(-self.size * self.dtype.bitwidth // 8)

    def but(self, **changes: object) -> Fact:
        return replace(self, **changes)  # type: ignore[arg-type]


UNKNOWN = Fact()
