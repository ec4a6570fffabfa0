"""Colours: hashes that isomorphic places of two graphs share. Weisfeiler and Lehman's refinement, on a DAG.

One pass up makes the colour of a term the hash of all it computes; one pass down adds all it is used for.
"""

from __future__ import annotations

from hashlib import blake2b

from freezer.canonical.flat import LEAF, Flat, Ref

Colours = list[bytes]
_DISTANCES = (1, 2, 4, 8)
_ROUNDS = 8  # any fixed number is sound: what refinement leaves undecided, the search in order.py decides


def short(data: bytes) -> bytes:
    """16 bytes for any bytes."""
    return blake2b(data, digest_size=16).digest()


def upward(flat: Flat, seeds: Colours) -> Colours:
    """The colour of each term from its seed and the colours of its operands."""
    leaves = [short(leaf.label) for leaf in flat.leaves]
    colours: Colours = []
    for seed, term in zip(seeds, flat.terms, strict=True):
        parts = [
            leaves[output] if source == LEAF else colours[source] + output.to_bytes(4, "little")
            for source, output in term.operands
        ]
        if term.commutative:
            parts[:2] = sorted(parts[:2])
        colours.append(short(seed + b"".join(parts)))
    return colours


def downward(flat: Flat, seeds: Colours) -> Colours:
    """The colour of each term from its seed and the colours of its users, with the slots they use it in."""
    colours = list(seeds)
    for index in range(len(flat.terms) - 1, -1, -1):
        uses = []
        for user, slot, output in flat.uses[index]:
            place = 0 if user != LEAF and slot < 2 and flat.terms[user].commutative else slot
            uses.append(
                (b"output" if user == LEAF else colours[user]) + place.to_bytes(4, "little") + bytes([output & 255])
            )
        colours[index] = short(seeds[index] + b"".join(sorted(uses)))
    return colours


def first_colours(flat: Flat) -> Colours:
    """What each term computes; refined by what it is used for if commutative operands cannot be told apart else."""
    colours = upward(flat, [term.label for term in flat.terms])
    return refine(flat, colours) if _any_tie(flat, colours) else colours


def refine(flat: Flat, colours: Colours) -> Colours:
    """Down and up again until no more terms are told apart."""
    classes = len(set(colours))
    for _ in range(_ROUNDS):
        colours = upward(flat, downward(flat, colours))
        before, classes = classes, len(set(colours))
        if classes == before:
            break
    return colours


def nearby(flat: Flat, colours: Colours, met: list[int], a: int, b: int) -> tuple[bytes, bytes]:
    """Colours of two terms that know when the terms around them were met: the smallest distance that tells."""
    for distance in _DISTANCES:
        ball = _Ball(flat, colours, met)
        mine, theirs = ball.colour(a, distance), ball.colour(b, distance)
        if mine != theirs:
            break
    return mine, theirs


class _Ball:
    """Colours refined a few times, for the few terms that they depend on."""

    def __init__(self, flat: Flat, colours: Colours, met: list[int]) -> None:
        self._flat, self._colours, self._met = flat, colours, met
        self._known: dict[tuple[int, int], bytes] = {}

    def colour(self, index: int, distance: int) -> bytes:
        """The colour of a term that depends on those so far away."""
        key = index, distance
        if key not in self._known:
            own = self._colours[index] + self._met[index].to_bytes(4, "little", signed=True)
            around = self._operands(index, distance - 1) + self._users(index, distance - 1) if distance else []
            self._known[key] = short(own + b"".join(around))
        return self._known[key]

    def _operands(self, index: int, distance: int) -> list[bytes]:
        term = self._flat.terms[index]
        parts = [b"" if source == LEAF else self.colour(source, distance) for source, _ in term.operands]
        return sorted(parts[:2]) + parts[2:] if term.commutative else parts

    def _users(self, index: int, distance: int) -> list[bytes]:
        users = [(user, slot) for user, slot, _ in self._flat.uses[index] if user != LEAF]
        return sorted(
            self.colour(user, distance) + slot.to_bytes(4, "little") * self._ordered(user, slot) for user, slot in users
        )

    def _ordered(self, user: int, slot: int) -> bool:
        return slot > 1 or not self._flat.terms[user].commutative


def rank(flat: Flat, colours: Colours, ref: Ref) -> tuple[bytes, int]:
    """By what operands are sorted."""
    source, output = ref
    return (flat.leaves[output].label, LEAF) if source == LEAF else (colours[source], output)


def _any_tie(flat: Flat, colours: Colours) -> bool:
    pairs = (term.operands[:2] for term in flat.terms if term.commutative)
    unlike = ((left, right) for left, right in pairs if left != right and LEAF not in (left[0], right[0]))
    return any(rank(flat, colours, left) == rank(flat, colours, right) for left, right in unlike)
