"""Dimensions and shape elements: integers, or polynomials over symbols.

A symbol stands for one unknown integer. Symbols are >= 0 (they name dimensions) unless their
name starts with SIGNED. Two expressions are equal exactly when their normal forms are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Union

SIGNED = "±"
Monomial = tuple[str, ...]
LONGEST = 64  # terms; a longer polynomial is replaced by a fresh symbol by whoever asked for it


@dataclass(frozen=True, slots=True)
class Expr:
    """A polynomial with integer coefficients: {(): 2, ('n',): 1} is n + 2. Never a plain integer."""

    terms: tuple[tuple[Monomial, int], ...]

    def __add__(self, other: Dim) -> Dim:
        return _sum(self, other, 1)

    def __radd__(self, other: int) -> Dim:
        return _sum(self, other, 1)

    def __sub__(self, other: Dim) -> Dim:
        return _sum(self, other, -1)

    def __rsub__(self, other: int) -> Dim:
        return _sum(_product(self, -1), other, 1)

    def __mul__(self, other: Dim) -> Dim:
        return _product(self, other)

    def __rmul__(self, other: int) -> Dim:
        return _product(self, other)

    def __str__(self) -> str:
        return " + ".join(_term_text(monomial, factor) for monomial, factor in self.terms)


Dim = Union[int, Expr]
Shape = tuple[Dim, ...]


def symbol(name: str) -> Expr:
    """The symbol of that name; >= 0 unless the name starts with SIGNED."""
    return Expr((((name,), 1),))


def _terms(value: Dim) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(value, Expr):
        return value.terms
    return (((), int(value)),)


def _normal(terms: dict[Monomial, int]) -> Dim:
    kept = tuple(sorted((m, f) for m, f in terms.items() if f))
    if not kept:
        return 0
    if len(kept) == 1 and kept[0][0] == ():
        return kept[0][1]
    return Expr(kept)


def _sum(a: Dim, b: Dim, sign: int) -> Dim:
    total: dict[Monomial, int] = defaultdict(int, _terms(a))
    for monomial, factor in _terms(b):
        total[monomial] += sign * factor
    return _normal(total)


def _product(a: Dim, b: Dim) -> Dim:
    total: dict[Monomial, int] = defaultdict(int)
    for m, f in _terms(a):
        for n, g in _terms(b):
            total[tuple(sorted(m + n))] += f * g
    return _normal(total)


def _term_text(monomial: Monomial, factor: int) -> str:
    text = "*".join(monomial)
    if not text:
        return str(factor)
    return text if factor == 1 else f"{factor}*{text}"


def floor_div(a: Dim, b: Dim) -> Dim | None:
    """a // b (rounding towards minus infinity); None where it has no polynomial form."""
    if isinstance(b, Expr):
        return _exact_div(a, b)
    if b == 0:
        return None
    if isinstance(a, int):
        return a // b
    if all(f % b == 0 for _, f in a.terms):
        return _normal({m: f // b for m, f in a.terms})
    if b > 0:  # (b*p + r) // b = p + r // b
        whole = _normal({m: f // b for m, f in a.terms if f % b == 0})
        rest = _normal({m: f for m, f in a.terms if f % b})
        if isinstance(rest, int):
            return whole + rest // b
        sign = "" if lower_bound(rest) is not None and lower_bound(rest) >= 0 else SIGNED  # type: ignore[operator]
        return whole + symbol(f"{sign}(({rest})//{b})")
    return None


def _exact_div(a: Dim, b: Expr) -> Dim | None:
    """a // b for one-term b that divides each term of a and cannot be zero when a is not."""
    if len(b.terms) != 1 or a == 0:
        return None
    (divisor, factor), quotient = b.terms[0], {}
    for monomial, f in _terms(a):
        rest = list(monomial)
        for atom in divisor:
            if atom not in rest:
                return None
            rest.remove(atom)
        if f % factor:
            return None
        quotient[tuple(rest)] = f // factor
    return _normal(quotient)


def lower_bound(value: Dim) -> int | None:
    """The least value it can take, or None if it is not bounded below."""
    if isinstance(value, int):
        return value
    if any(m and (f < 0 or any(atom.startswith(SIGNED) for atom in m)) for m, f in value.terms):
        return None
    return dict(value.terms).get((), 0)


def upper_bound(value: Dim) -> int | None:
    """The greatest value it can take, or None if it is not bounded above."""
    low = lower_bound(_product(value, -1))
    return None if low is None else -low


def compare(a: Dim, b: Dim) -> int | None:
    """-1, 0 or 1 as a is always less than, equal to or greater than b; None if that is not known."""
    difference = _sum(a, b, -1)
    low, high = lower_bound(difference), upper_bound(difference)
    if low == high == 0:
        return 0
    if low is not None and low > 0:
        return 1
    if high is not None and high < 0:
        return -1
    return None


def differ(a: Dim, b: Dim) -> bool:
    """Whether a and b can never be equal."""
    return compare(a, b) in (-1, 1)


def substitute(value: Dim, bound: dict[str, Dim]) -> Dim:
    """The value with symbols replaced as `bound` says."""
    if isinstance(value, int):
        return value
    total: Dim = 0
    for monomial, factor in value.terms:
        term: Dim = factor
        for atom in monomial:
            term = term * bound.get(atom, symbol(atom))
        total = total + term
    return total


def product(dims: Shape) -> Dim:
    """The number of elements of a tensor of that shape."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total
