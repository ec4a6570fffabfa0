"""Two nodes that stand in the same place of two graphs, and what makes them differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from freezer.canonical.colour import Colours, rank, upward
from freezer.canonical.encode import attribute_bytes
from freezer.canonical.flat import Term
from freezer.canonical.form import BodyForm
from freezer.canonical.label import plain_domain
from freezer.canonical.text import attribute_text, origin


@dataclass
class Side:
    """One of two bodies, with the colours of its terms: what each computes."""

    form: BodyForm
    colours: Colours

    @classmethod
    def of(cls, form: BodyForm) -> Side:
        """The side of a body."""
        flat = form.ordered.flat
        return cls(form, upward(flat, [term.label for term in flat.terms]))

    def frontier(self, other: Side) -> list[int]:
        """The terms that the other side does not compute although it computes all their operands, in order."""
        known = set(other.colours)
        fresh = {index for index, colour in enumerate(self.colours) if colour not in known}
        terms = self.form.ordered.flat.terms
        return [i for i in self.form.ordered.terms if i in fresh and not any(s in fresh for s, _ in terms[i].operands)]

    def term(self, index: int) -> Term:
        """The term of this number."""
        return self.form.ordered.flat.terms[index]

    def operands(self, index: int) -> list[tuple[bytes, int]]:
        """What identifies the operands of a term."""
        return [rank(self.form.ordered.flat, self.colours, ref) for ref in self.term(index).operands]


def best_partner(a: Side, mine: int, b: Side, candidates: Iterable[int]) -> int | None:
    """The candidate of b most like the term `mine` of a: same operator, same operands; None if nothing is alike."""

    def likeness(theirs: int) -> int:
        same_op = a.term(mine).node.op_identifier() == b.term(theirs).node.op_identifier()
        shared = sum(x == y for x, y in zip(a.operands(mine), b.operands(theirs), strict=False))
        return 2 * shared + same_op

    best = max(candidates, key=likeness, default=None)
    return best if best is not None and likeness(best) else None


def what_differs(a: Side, mine: int, b: Side, theirs: int) -> str:
    """In words: the operator, an attribute, an input."""
    x, y = a.term(mine).node, b.term(theirs).node
    if (plain_domain(x.domain), x.op_type) != (plain_domain(y.domain), y.op_type):
        return f"{x.op_type} in A, {y.op_type} in B"
    return _attribute(a, mine, b, theirs) or _input(a, mine, b, theirs) or f"{x.op_type} differs"


def _attribute(a: Side, mine: int, b: Side, theirs: int) -> str | None:
    x, y = (side.form.labels.attributes(side.term(i).node) for side, i in ((a, mine), (b, theirs)))
    for name in sorted(x.keys() | y.keys()):
        encoded = [attribute_bytes(kept[name], lambda t: t.tobytes()) if name in kept else b"" for kept in (x, y)]
        if encoded[0] != encoded[1]:
            said = [attribute_text(kept[name]) if name in kept else "the default" for kept in (x, y)]
            return f"{a.term(mine).node.op_type}: attribute {name} is {said[0]} in A, {said[1]} in B"
    return None


def _input(a: Side, mine: int, b: Side, theirs: int) -> str | None:
    x, y = a.operands(mine), b.operands(theirs)
    op_type, counts = a.term(mine).node.op_type, (a.term(mine).inputs, b.term(theirs).inputs)
    if counts[0] != counts[1]:
        return f"{op_type}: {counts[0]} inputs in A, {counts[1]} in B"
    for position, (left, right) in enumerate(zip(x[: counts[0]], y, strict=False)):
        if left != right:
            values = a.term(mine).node.inputs[position], b.term(theirs).node.inputs[position]
            said = ["absent" if value is None else f"'{origin(value)}'" for value in values]
            return f"{op_type}: input {position} is {said[0]} in A, {said[1]} in B"
    return None
