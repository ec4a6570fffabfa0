"""Which of two operands goes first where the structure without constants leaves the choice.

So that constants are matched as people would: those that the two models share with each other, the rest by size.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from freezer.canonical.colour import upward
from freezer.canonical.distance import elements
from freezer.canonical.flat import LEAF, Flat
from freezer.canonical.form import BodyForm, Form
from freezer.canonical.order import Prefer

_HEAD = 64  # elements of a constant that are looked at
Key = tuple[bool, bytes, float]


def preferences(a: Form, b: Form) -> tuple[Prefer, Prefer]:
    """The preference in each of two models. a, b: their forms with exact constants."""
    mine, theirs = _Preference(a), _Preference(b)
    mine.common = theirs.common = mine.colours() & theirs.colours()
    return mine, theirs


class _Preference:
    def __init__(self, form: Form) -> None:
        self._bodies = [form.main, *form.functions.values()]
        self._colour = {node: colour for body in self._bodies for node, colour in _colours(body)}
        self._weight: dict[ir.Node, float] = {}
        self.common: set[bytes] = set()

    def colours(self) -> set[bytes]:
        """What the nodes compute."""
        return set(self._colour.values())

    def __call__(self, left: ir.Node, right: ir.Node) -> bool:
        if not self._weight:  # ties are rare, and weights are read for them only
            self._weight = {node: weight for body in self._bodies for node, weight in _weights(body.ordered.flat)}
        return self._key(left) <= self._key(right)

    def _key(self, node: ir.Node) -> Key:
        colour = self._colour[node]
        return (False, colour, 0.0) if colour in self.common else (True, b"", self._weight[node])


def _colours(body: BodyForm) -> Iterator[tuple[ir.Node, bytes]]:
    flat = body.ordered.flat
    colours = upward(flat, [term.label for term in flat.terms])
    return ((term.node, colour) for term, colour in zip(flat.terms, colours, strict=True))


def _weights(flat: Flat) -> Iterator[tuple[ir.Node, float]]:
    """A number for each node that changes little when the constants it hangs on do."""
    leaves = [0.0 if leaf.tensor is None else _mean(leaf.tensor) for leaf in flat.leaves]
    weights: list[float] = []
    for term in flat.terms:
        total = 0.0
        for slot, (source, output) in enumerate(term.operands):
            place = 0 if term.commutative and slot < 2 else slot
            total += (leaves[output] if source == LEAF else weights[source]) / (place + 1)
        weights.append(total / max(1, len(term.operands)))
        yield term.node, weights[-1]


def _mean(tensor: ir.TensorProtocol) -> float:
    if tensor.dtype == ir.DataType.STRING:
        return 0.0
    head = elements(tensor, _HEAD).astype(np.complex128).real
    finite = head[np.isfinite(head)]
    return float(np.tanh(finite / 16).mean()) if finite.size else 0.0
