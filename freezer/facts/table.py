"""The table of facts: one place that knows what is known of a value."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts import dims
from freezer.facts.fact import UNKNOWN, Element, Fact

LARGEST_ELEMENTS = 256  # tensors up to this many elements are tracked element by element
_INTEGERS = (ir.DataType.INT64, ir.DataType.INT32, ir.DataType.BOOL)


class Facts:
    """Facts by value. A value without an entry has the fact that its constant or its type gives."""

    def __init__(self, opset_imports: dict[str, int] | None = None) -> None:
        self.opset_imports = dict(opset_imports or {})
        self._facts: dict[ir.Value, Fact] = {}
        self._arrays: dict[ir.Value, np.ndarray] = {}

    def of(self, value: ir.Value | None) -> Fact:
        """The fact of a value; UNKNOWN for an absent optional input."""
        if value is None:
            return UNKNOWN
        fact = self._facts.get(value)
        if fact is None and (tensor := known(value)) is not None:
            fact = self._facts[value] = of_tensor(tensor)
        return fact or UNKNOWN

    def set(self, value: ir.Value, fact: Fact) -> bool:
        """Record a fact; True if it is news."""
        if self._facts.get(value) == fact:
            return False
        self._facts[value] = fact
        return True

    def forget(self, value: ir.Value) -> None:
        """Drop what is recorded of a value that left the graph or changed its producer."""
        self._facts.pop(value, None)
        self._arrays.pop(value, None)

    def clear(self) -> None:
        """Drop all that is recorded."""
        self._facts.clear()
        self._arrays.clear()

    def shape(self, value: ir.Value | None) -> dims.Shape | None:
        return self.of(value).shape

    def rank(self, value: ir.Value | None) -> int | None:
        return self.of(value).rank

    def dtype(self, value: ir.Value | None) -> ir.DataType | None:
        return self.of(value).dtype

    def elements(self, value: ir.Value | None) -> tuple[Element, ...] | None:
        return self.of(value).elements

    def array(self, value: ir.Value | None, largest: int = 1 << 26) -> np.ndarray | None:
        """The content of a constant of at most `largest` bytes, else None. Never for strings."""
        if value is None or (tensor := known(value)) is None:
            return None
        if tensor.dtype == ir.DataType.STRING or tensor.nbytes > largest:
            return None
        if value not in self._arrays:
            self._arrays[value] = tensor.numpy()
        return self._arrays[value]

    def ints(self, value: ir.Value | None) -> tuple[int, ...] | None:
        """The content of a known small integer tensor (axes, a shape, a perm), flattened."""
        elements = self.of(value).known_elements
        return None if elements is None else tuple(int(e) for e in elements)


def known(value: ir.Value) -> ir.TensorProtocol | None:
    """The constant a value is, or None. An initializer that is also a graph input is only a default."""
    if value.is_initializer() and not value.is_graph_input():
        return value.const_value
    return None


def of_tensor(tensor: ir.TensorProtocol) -> Fact:
    """The fact of a constant. Reads its content only if it is a small integer tensor."""
    shape = tuple(int(d) for d in tensor.shape)  # type: ignore[arg-type]
    fact = Fact(tensor.dtype, shape, static=True, type=ir.TensorType(tensor.dtype))
    if tensor.dtype not in _INTEGERS or tensor.size > LARGEST_ELEMENTS:
        return fact
    content = tensor.numpy().reshape(-1).tolist()
    low, high = (min(content), max(content)) if content else (None, None)
    return fact.but(elements=tuple(content), low=low, high=high)


def unknown_dim(value: ir.Value, axis: int) -> dims.Expr:
    """The symbol for a dimension of a value of which nothing is known."""
    return dims.symbol(f"?{value.name}:{axis}")


def unknown_shape(value: ir.Value, rank: int) -> dims.Shape:
    """A shape of known rank and unknown dims."""
    return tuple(unknown_dim(value, axis) for axis in range(rank))
