"""The canonical order of the terms of a body.

A body is walked from its outputs, operands in order; the operands of a commutative node in the order of their
colours. Operands of the same colour: one already met goes first. If neither is, and a proof finds them
interchangeable, either may. If not, colours that know what was met when decide. What is left is tried both ways, and
the way whose bytes are smaller wins. A second way that gives the bytes of the first shows that the two are
automorphic, so that one branch is enough (McKay's pruning).

No decision depends on the order of the file: colours are functions of the graph and of what was met, and a proof only
spares the work of finding that they are equal.

The bytes describe the body completely, so equal bytes always mean isomorphic bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import onnx_ir as ir

from freezer.canonical.colour import first_colours, nearby, rank, refine, short
from freezer.canonical.encode import pack
from freezer.canonical.flat import LEAF, Flat, Ref
from freezer.canonical.symmetry import interchangeable
from freezer.errors import LimitError

TERMS_TRIED = 4_000_000  # some twenty seconds
TRIES = 64  # but at least so many walks, however large the body

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
        self._left = max(TERMS_TRIED, TRIES * len(flat.terms))

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
        self._entered = [-1] * len(flat.terms)  # when each term was met
        self._count = 0
        self._order: list[int] = []
        self._operands: dict[int, tuple[Ref, ...]] = {}
        self._ways: list[bool] = []
        self.refinements = 0

    def run(self) -> Ordered:
        stack: list[tuple[int, Iterator[Ref]]] = [(LEAF, iter(self._flat.outputs))]
        while stack:
            term, operands = stack[-1]
            below = next((source for source, _ in operands if source != LEAF and self._entered[source] < 0), None)
            if below is not None:
                stack.append((below, iter(self._enter(below))))
                continue
            stack.pop()
            if term != LEAF:
                self._order.append(term)
        return Ordered(self._flat, self._order, self._operands, tuple(self._ways))

    def _enter(self, index: int) -> tuple[Ref, ...]:
        self._entered[index] = self._count
        self._count += 1
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
        if max(self._entered[a], self._entered[b]) >= 0:
            return self._entered[b] < 0 or 0 <= self._entered[a] < self._entered[b]
        return self._decide(a, b)

    def _decide(self, a: int, b: int) -> bool:
        """Does a go before b, neither of them met yet, and both of one colour?"""
        preferred = self._prefer(self._flat.terms[a].node, self._flat.terms[b].node)
        if interchangeable(self._flat, self._colours, self._entered, a, b):
            return preferred
        mine, theirs = nearby(self._flat, self._colours, self._entered, a, b)
        if mine == theirs:
            met = (when.to_bytes(4, "little", signed=True) for when in self._entered)
            colours = refine(self._flat, [short(c + w) for c, w in zip(self._colours, met, strict=True)])
            mine, theirs = colours[a], colours[b]
            self.refinements += 1
        return self._choose(preferred) if mine == theirs else mine < theirs

    def _choose(self, preferred: bool) -> bool:
        """An open tie: the way given, or the preferred one."""
        position = len(self._ways)
        turned = position < len(self._given) and self._given[position]
        self._ways.append(turned)
        return preferred != turned
