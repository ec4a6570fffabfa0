"""The canonical order of the terms of a body.

A body is walked from its outputs, operands in order; the operands of a commutative node in the order of their
colours. Operands of the same colour: one already met goes first; if neither is, and a local proof finds them
interchangeable, either may. What is left is tried both ways, and the way whose bytes are smaller wins. A second way
that gives the bytes of the first shows that the two are automorphic, so that one branch is enough (McKay's pruning).

The bytes describe the body completely, so equal bytes always mean isomorphic bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import onnx_ir as ir

from freezer.canonical.colour import first_colours, rank, refine, short
from freezer.canonical.encode import pack
from freezer.canonical.flat import LEAF, Flat, Ref
from freezer.canonical.symmetry import Symmetry, symmetry
from freezer.errors import LimitError

TERMS_TRIED = 4_000_000  # some twenty seconds
_TRIES = 64  # but at least so many walks, however large the body

Prefer = Callable[[ir.Node, ir.Node], bool]


@dataclass(slots=True)
class Ordered:
    """A walk: the terms in canonical order, the operands of each in canonical order, the ways taken at open ties."""

    flat: Flat
    terms: list[int]
    operands: dict[int, tuple[Ref, ...]]
    ways: tuple[bool, ...]

    def lines(self) -> list[bytes]:
        """The body as bytes: one line a term, in order, then the outputs."""
        number = {term: position for position, term in enumerate(self.terms)}
        flat = self.flat

        def refs(operands: tuple[Ref, ...]) -> Iterator[bytes]:
            for source, output in operands:
                yield flat.leaves[output].label if source == LEAF else pack(number[source], output)

        lines = [pack(flat.terms[term].label, *refs(self.operands[term])) for term in self.terms]
        return [*lines, pack("outputs", *refs(flat.outputs))]


def canonical_order(flat: Flat, prefer: Prefer | None = None) -> Ordered:
    """The canonical order. prefer(a, b): should node a go first where either of a and b may?

    Raises LimitError when the graph is so regular that too many orders have to be tried.
    """
    search = _Search(flat, prefer or (lambda left, right: True))
    first = search.walk(())
    return search.best(first)[0] if first.ways else first


class _Search:
    def __init__(self, flat: Flat, prefer: Prefer) -> None:
        self._flat, self._prefer = flat, prefer
        self._colours = first_colours(flat)
        self._left = max(TERMS_TRIED, _TRIES * len(flat.terms))

    def walk(self, ways: tuple[bool, ...]) -> Ordered:
        """One walk. ways: what to choose at the first open ties; the preferred operand at the others."""
        self._left -= len(self._flat.terms)
        if self._left < 0:
            size = len(self._flat.terms)
            raise LimitError(f"the graph of {size} nodes is too symmetric to compare: freezer gave up trying orders")
        walk = _Walk(self._flat, self._colours, ways, self._prefer)
        ordered = walk.run()
        self._left -= walk.refinements * len(self._flat.terms)
        return ordered

    def best(self, first: Ordered, fixed: int = 0) -> tuple[Ordered, list[bytes]]:
        """The walk with the smallest bytes among those that take the same first `fixed` ways as this one."""
        best, best_lines = first, first.lines()
        first_lines = best_lines
        for depth in range(len(first.ways) - 1, fixed - 1, -1):
            other = self.walk((*first.ways[:depth], not first.ways[depth]))
            if other.lines() in (first_lines, best_lines):
                continue
            other, lines = self.best(other, depth + 1)
            if lines < best_lines:
                best, best_lines = other, lines
        return best, best_lines


class _Walk:
    def __init__(self, flat: Flat, colours: list[bytes], ways: tuple[bool, ...], prefer: Prefer) -> None:
        self._flat, self._colours, self._given, self._prefer = flat, colours, ways, prefer
        self._entered = [False] * len(flat.terms)
        self._number: dict[int, int] = {}
        self._operands: dict[int, tuple[Ref, ...]] = {}
        self._ways: list[bool] = []
        self.refinements = 0

    def run(self) -> Ordered:
        stack: list[tuple[int, Iterator[Ref]]] = [(LEAF, iter(self._flat.outputs))]
        while stack:
            term, operands = stack[-1]
            below = next((source for source, _ in operands if source != LEAF and not self._entered[source]), None)
            if below is not None:
                stack.append((below, iter(self._enter(below))))
                continue
            stack.pop()
            if term != LEAF:
                self._number[term] = len(self._number)
        return Ordered(self._flat, list(self._number), self._operands, tuple(self._ways))

    def _enter(self, index: int) -> tuple[Ref, ...]:
        self._entered[index] = True
        term = self._flat.terms[index]
        operands = term.operands
        if term.commutative and not self._in_order(operands[0], operands[1]):
            operands = (operands[1], operands[0], *operands[2:])
        self._operands[index] = operands
        return operands

    def _in_order(self, left: Ref, right: Ref) -> bool:
        mine, theirs = (rank(self._flat, self._colours, ref) for ref in (left, right))
        if mine != theirs:
            return mine < theirs
        if LEAF in (left[0], right[0]) or left == right:
            return True
        a, b = left[0], right[0]
        if self._entered[a] or self._entered[b]:
            return self._number.get(a, len(self._number)) < self._number.get(b, len(self._number))
        preferred = self._prefer(self._flat.terms[a].node, self._flat.terms[b].node)
        kind = symmetry(self._flat, self._colours, self._entered, a, b)
        if kind is Symmetry.NONE:
            preferred = self._choose(preferred)
        if kind is not Symmetry.LOCAL:
            self._tell_apart(a if preferred else b)
        return preferred

    def _choose(self, preferred: bool) -> bool:
        """An open tie: the way given, or the preferred one."""
        position = len(self._ways)
        turned = position < len(self._given) and self._given[position]
        self._ways.append(turned)
        return preferred != turned

    def _tell_apart(self, chosen: int) -> None:
        """The one chosen gets a colour of its own, which tells others apart in turn."""
        colours = list(self._colours)
        colours[chosen] = short(colours[chosen] + b"first")
        self._colours = refine(self._flat, colours)
        self.refinements += 1
