"""Arithmetic of dims beyond polynomials: quotients, extremes, bounds, order.

Polynomials and their symbols are those of `freezer.facts.polynomial`; import them from here.
"""

from __future__ import annotations

from freezer.facts.polynomial import (
    LONGEST,
    SIGNED,
    Derived,
    Dim,
    Expr,
    Monomial,
    Shape,
    exact_text,
    is_short,
    is_signed,
    normal,
    product_of,
    sum_of,
    symbol,
    terms_of,
)  # fmt: skip

__all__ = [
    "LONGEST", "SIGNED", "Derived", "Dim", "Expr", "Monomial", "Shape", "at_least", "compare", "differ", "exact_div",
    "floor_div", "is_short", "is_signed", "lower_bound", "maximum", "minimum", "product", "substitute", "symbol",
    "upper_bound", "volume",
]  # fmt: skip
_LONGEST_NAME = 400  # characters of a derived symbol


def _derived(operation: str, a: Dim, b: Dim, low: int | None, high: int | None) -> Expr | None:
    if is_signed(a) or is_signed(b):
        return None
    sign = "" if low is not None and low >= 0 else SIGNED
    text = f"{sign}{operation}[{exact_text(a)}, {exact_text(b)}]"
    if len(text) > _LONGEST_NAME:
        return None
    name = Derived(text)
    name.operation, name.operands, name.bounds = operation, (a, b), (low, high)
    return symbol(name)


def floor_div(a: Dim, b: Dim) -> Dim | None:
    """a // b (rounding towards minus infinity, b not 0); None where it has no short form."""
    exact = exact_div(a, b)
    if exact is not None or isinstance(b, Expr) or b == 0 or is_signed(a):
        return exact
    if b < 0:  # a // b = -a // -b
        a, b = product_of(a, -1), -b
    # (b*p + r) // b = p + r // b, with every coefficient of r in 0..b-1
    whole = normal({m: f // b for m, f in terms_of(a)})
    rest = normal({m: f % b for m, f in terms_of(a)})
    if isinstance(rest, int):
        return whole + rest // b
    if (inner := _of_quotient(rest)) is not None:  # (c + x // d) // b = (c*d + x) // (d*b)
        x, d, c = inner
        outer = floor_div(x + c * d, d * b)
        return None if outer is None else whole + outer
    low, high = lower_bound(rest), upper_bound(rest)
    quotient = _derived("//", rest, b, None if low is None else low // b, None if high is None else high // b)
    return None if quotient is None else whole + quotient


def _of_quotient(value: Expr) -> tuple[Dim, int, int] | None:
    """x, d, c if the value is x // d + c."""
    if len(value.terms) > 2 or (len(value.terms) == 2 and value.terms[0][0] != ()):
        return None
    monomial, factor = value.terms[-1]
    if factor != 1 or len(monomial) != 1 or not isinstance(monomial[0], Derived) or monomial[0].operation != "//":
        return None
    x, d = monomial[0].operands
    return x, int(d), value.terms[0][1] if len(value.terms) == 2 else 0  # type: ignore[arg-type]


def exact_div(a: Dim, b: Dim) -> Dim | None:
    """q with q * b = a as polynomials, None if there is none. It is a / b wherever b is not 0."""
    if b == 0 or b == 1 or is_signed(a) or is_signed(b):
        return a if b == 1 else None
    if isinstance(b, int):
        return normal({m: f // b for m, f in terms_of(a)}) if all(f % b == 0 for _, f in terms_of(a)) else None
    atoms = sorted({atom for m, _ in (*terms_of(a), *b.terms) for atom in m})

    def order(term: tuple[Monomial, int]) -> list[int]:
        return [term[0].count(atom) for atom in atoms]  # lexicographic: an order that products respect

    rest: Dim = a
    quotient: Dim = 0
    lead, factor = max(b.terms, key=order)
    for _ in range(LONGEST):
        if rest == 0:
            return quotient
        monomial, f = max(terms_of(rest), key=order)
        left = _without(monomial, lead)
        if left is None or f % factor:
            return None
        term = normal({left: f // factor})
        quotient, rest = quotient + term, rest - term * b
    return None


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    rest = list(monomial)
    for atom in divisor:
        if atom not in rest:
            return None
        rest.remove(atom)
    return tuple(rest)


def _bounds_of(monomial: Monomial) -> tuple[int | None, int | None]:
    low: int | None = 1
    high: int | None = 1
    for atom in monomial:
        if isinstance(atom, Derived):
            least, most = atom.bounds
        else:
            least, most = (None if atom.startswith(SIGNED) else 0), None
        if len(monomial) == 1:
            return least, most
        if least is None or least < 0:
            return None, None
        low = None if low is None else low * least
        high = None if high is None or most is None else high * most
    return low, high


def lower_bound(value: Dim) -> int | None:
    """The least value it can take (or less), or None if it is not bounded below."""
    if isinstance(value, int):
        return value
    total = 0
    for monomial, factor in value.terms:
        bound = _bounds_of(monomial)[0 if factor > 0 else 1]
        if bound is None:
            return None
        total += factor * bound
    return total


def upper_bound(value: Dim) -> int | None:
    """The greatest value it can take (or more), or None if it is not bounded above."""
    low = lower_bound(product_of(value, -1))
    return None if low is None else -low


def compare(a: Dim, b: Dim) -> int | None:
    """-1, 0 or 1 as a is always less than, equal to or greater than b; None if that is not known."""
    if isinstance(a, int) and isinstance(b, int):
        return (a > b) - (a < b)
    difference = sum_of(a, b, -1)
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


def at_least(a: Dim, b: Dim) -> bool:
    """Whether a is never less than b."""
    low = lower_bound(sum_of(a, b, -1))
    return low is not None and low >= 0


def maximum(a: Dim, b: Dim) -> Dim | None:
    """The greater of two; None where it has no short form."""
    if at_least(a, b):
        return a
    if at_least(b, a):
        return b
    lows, high = (lower_bound(a), lower_bound(b)), _both(max, upper_bound(a), upper_bound(b))
    low = max((v for v in lows if v is not None), default=None)
    return _derived("max", *_sorted(a, b), low, high)


def minimum(a: Dim, b: Dim) -> Dim | None:
    """The lesser of two; None where it has no short form."""
    if at_least(a, b):
        return b
    if at_least(b, a):
        return a
    low, highs = _both(min, lower_bound(a), lower_bound(b)), (upper_bound(a), upper_bound(b))
    high = min((v for v in highs if v is not None), default=None)
    return _derived("min", *_sorted(a, b), low, high)


def _both(choose: object, a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else choose(a, b)  # type: ignore[operator]


def _sorted(a: Dim, b: Dim) -> tuple[Dim, Dim]:
    return (a, b) if terms_of(a) <= terms_of(b) else (b, a)


def substitute(value: Dim, bound: dict[str, Dim]) -> Dim:
    """The value with symbols replaced as `bound` says, in derived symbols too."""
    if isinstance(value, int):
        return value
    total: Dim = 0
    for monomial, factor in value.terms:
        term: Dim = factor
        for atom in monomial:
            term = term * _substituted(atom, bound)
        total = total + term
    return total


def _substituted(atom: str, bound: dict[str, Dim]) -> Dim:
    if not isinstance(atom, Derived) or atom in bound:
        return bound.get(atom, symbol(atom))
    a, b = (substitute(d, bound) for d in atom.operands)
    found = {"//": floor_div, "max": maximum, "min": minimum}[atom.operation](a, b)
    return symbol(atom) if found is None else found


def product(dims: Shape) -> Dim:
    """The number of elements of a tensor of that shape."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total


def volume(dims: Shape) -> Dim | None:
    """The number of elements of a tensor of that shape; None where it has no short form."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
        if not is_short(total):
            return None
    return total
