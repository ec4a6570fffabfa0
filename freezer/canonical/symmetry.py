"""A proof that two operands are interchangeable: exchanging them, with all they alone hang on, changes nothing."""

from __future__ import annotations

from freezer.canonical.colour import Colours, rank
from freezer.canonical.flat import LEAF, Flat, Ref, Term


def interchangeable(flat: Flat, colours: Colours, entered: list[int], left: int, right: int) -> bool:
    """Is there an automorphism that exchanges the terms left and right and moves no entered term?

    Both cones are walked in step; where they meet, nothing moves. A user of one that the other has too, of the same
    colour, moves with it. True is a proof. False only says that this walk found none.

    entered: negative for the terms that may move.
    """
    exchange = _Exchange(flat, colours, entered)
    if not (exchange.pair((left, 0), (right, 0)) and exchange.walk()):
        return False
    return exchange.users_agree() or (exchange.widen() and exchange.users_agree())


class _Exchange:
    def __init__(self, flat: Flat, colours: Colours, entered: list[int]) -> None:
        self._flat, self._colours, self._entered = flat, colours, entered
        self._image: dict[int, int] = {}
        self._still: set[int] = set()
        self._open: list[tuple[int, int]] = []

    def pair(self, left: Ref, right: Ref) -> bool:
        """Let the exchange send left to right; False if it cannot."""
        flat, image = self._flat, self._image
        if LEAF in (left[0], right[0]):
            a, b = flat.leaf(left), flat.leaf(right)
            return a is not None and b is not None and a.label == b.label
        if left == right:
            self._still.add(left[0])
            return True
        (x, output), (y, other) = left, right
        if output != other or x == y:
            return False
        if x not in image and y not in image:
            image[x], image[y] = y, x
            self._open.append((x, y))
        return image.get(x) == y and image.get(y) == x

    def walk(self) -> bool:
        """Pair the operands of all pairs."""
        while self._open:
            x, y = self._open.pop()
            a, b = self._flat.terms[x], self._flat.terms[y]
            if max(self._entered[x], self._entered[y]) >= 0 or a.label != b.label or len(a.operands) != len(b.operands):
                return False
            if not all(self.pair(left, right) for left, right in zip(a.operands, self._matched(a, b), strict=True)):
                return False
        return self._still.isdisjoint(self._image)

    def widen(self) -> bool:
        """Let the users that disagree move as well, each to the first user of the image that looks the same."""
        todo = list(self._image.items())
        while todo:
            moved, image = todo.pop()
            for user, slot, output in self._flat.uses[moved]:
                if self._agrees(user, slot, (image, output)):
                    continue
                partner = self._partner(user, slot, output, image)
                known = set(self._image)
                if partner is None or not self.pair((user, 0), (partner, 0)) or not self.walk():
                    return False
                todo += [(term, self._image[term]) for term in self._image.keys() - known]
        return True

    def _partner(self, user: int, slot: int, output: int, image: int) -> int | None:
        if user == LEAF:
            return None
        colour = self._colours[user]
        for other, place, other_output in self._flat.uses[image]:
            free = other not in (LEAF, user) and other not in self._image and self._colours[other] == colour
            if free and output == other_output and (place == slot or self._flat.terms[other].commutative):
                return other
        return None

    def users_agree(self) -> bool:
        """Every user of a moved term moves too, or reads it and its image in places that commute."""
        return all(
            self._agrees(user, slot, (image, output))
            for moved, image in self._image.items()
            for user, slot, output in self._flat.uses[moved]
        )

    def _agrees(self, user: int, slot: int, other: Ref) -> bool:
        if user in self._image:
            return True
        term = self._flat.terms[user]
        return user != LEAF and term.commutative and slot < 2 and term.operands[1 - slot] == other

    def _matched(self, a: Term, b: Term) -> tuple[Ref, ...]:
        """The operands of b in the order in which they match those of a."""
        if not b.commutative:
            return b.operands
        crossed = (b.operands[1], b.operands[0], *b.operands[2:])
        return min((b.operands, crossed), key=lambda operands: self._mismatch(a.operands, operands))

    def _mismatch(self, mine: tuple[Ref, ...], theirs: tuple[Ref, ...]) -> tuple[int, int, int]:
        """How badly two pairs of operands go together: unlike colours, sent elsewhere already, not the same."""
        pairs = list(zip(mine[:2], theirs[:2], strict=True))
        unlike = sum(rank(self._flat, self._colours, x) != rank(self._flat, self._colours, y) for x, y in pairs)
        elsewhere = sum(self._image.get(x, y) != y or self._image.get(y, x) != x for (x, _), (y, _) in pairs)
        return unlike, elsewhere, sum(x != y for x, y in pairs)
