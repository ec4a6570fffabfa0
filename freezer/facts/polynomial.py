"""Dimensions and shape elements: integers, or polynomials over symbols.

A symbol stands for one unknown integer. Symbols are >= 0 (they name dimensions) unless their
name starts with SIGNED. Two expressions are equal exactly when their normal forms are.
Sizes are taken to be small enough that what a model computes of them does not overflow; a
SIGNED symbol may be any integer of its dtype: what is computed of it holds modulo that dtype, so it
is never divided or ordered.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Union

SIGNED = "±"
Monomial = tuple[str, ...]
LONGEST = 64  # terms; a longer polynomial is replaced by a fresh symbol by whoever asked for it
_HIGHEST_DEGREE = 12
_INT64 = 1 << 63
_LARGEST_FACTOR = 1 << 31


@dataclass(frozen=True, slots=True)
class Expr:
    """A polynomial with integer coefficients: {(): 2, ('n',): 1} is n + 2. Never a plain integer."""

    terms: tuple[tuple[Monomial, int], ...]

    def __add__(self, other: Dim) -> Dim:
        return sum_of(self, other, 1)

    def __radd__(self, other: int) -> Dim:
        return sum_of(self, other, 1)

    def __sub__(self, other: Dim) -> Dim:
        return sum_of(self, other, -1)

    def __rsub__(self, other: int) -> Dim:
        return sum_of(product_of(self, -1), other, 1)

    def __mul__(self, other: Dim) -> Dim:
        return product_of(self, other)

    def __rmul__(self, other: int) -> Dim:
        return product_of(self, other)

    def __str__(self) -> str:
        return " + ".join(_term_text(monomial, factor) for monomial, factor in self.terms)


Dim = Union[int, Expr]
Shape = tuple[Dim, ...]


class Derived(str):
    """The name of a symbol that is a function of others: "//" (floor), "max" or "min" of two operands."""

    operation: str
    operands: tuple[Dim, Dim]
    bounds: tuple[int | None, int | None]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derived) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def symbol(name: str) -> Expr:
    """The symbol of that name; >= 0 unless the name starts with SIGNED."""
    return Expr((((name,), 1),))


def terms_of(value: Dim) -> tuple[tuple[Monomial, int], ...]:
    """The terms of an expression or a plain integer."""
    if isinstance(value, Expr):
        return value.terms
    return (((), int(value)),)


def normal(terms: dict[Monomial, int]) -> Dim:
    """The expression of these terms; an integer if it is one."""
    kept = tuple(sorted((m, f) for m, f in terms.items() if f))
    if not kept:
        return 0
    if len(kept) == 1 and kept[0][0] == ():
        return kept[0][1]
    return Expr(kept)


def sum_of(a: Dim, b: Dim, sign: int) -> Dim:
    """a + sign * b."""
    total: dict[Monomial, int] = defaultdict(int, terms_of(a))
    for monomial, factor in terms_of(b):
        total[monomial] += sign * factor
    return normal(total)


def product_of(a: Dim, b: Dim) -> Dim:
    """a * b."""
    total: dict[Monomial, int] = defaultdict(int)
    for m, f in terms_of(a):
        for n, g in terms_of(b):
            total[tuple(sorted(m + n))] += f * g
    return normal(total)


def _term_text(monomial: Monomial, factor: int) -> str:
    text = "*".join(monomial)
    if not text:
        return str(factor)
    return text if factor == 1 else f"{factor}*{text}"


def is_short(value: Dim, largest: int = 1 << 62) -> bool:
    """Whether it is worth keeping: few terms, of low degree, and no factor that makes a size overflow.

    largest: the greatest constant term, half of what its dtype holds.
    """
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    return len(value.terms) <= LONGEST and all(
        len(m) <= _HIGHEST_DEGREE and abs(f) <= (_LARGEST_FACTOR if m else largest) for m, f in value.terms
    )


def is_signed(value: Dim) -> bool:
    """Whether some symbol in it may be any integer, so that arithmetic on it may wrap around."""
    if isinstance(value, int):
        return False
    return any(atom[:1] == SIGNED and not isinstance(atom, Derived) for m, _ in value.terms for atom in m)


def exact_text(value: Dim) -> str:
    """A text no other value has, whatever its symbols are called."""
    if isinstance(value, int):
        return str(value)
    return " + ".join("*".join([str(f), *map(_quoted, m)]) for m, f in value.terms)


def _quoted(atom: str) -> str:
    plain = isinstance(atom, Derived) or (atom.isidentifier() and atom.isascii())
    return atom if plain else f"{len(atom)}'{atom}'"
