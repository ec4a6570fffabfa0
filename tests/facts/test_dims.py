"""Polynomials evaluate to what the integers they stand for give."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from freezer.facts.dims import (
    SIGNED,
    Dim,
    Expr,
    at_least,
    compare,
    differ,
    exact_div,
    floor_div,
    is_short,
    lower_bound,
    maximum,
    minimum,
    product,
    substitute,
    symbol,
    upper_bound,
    volume,
)  # fmt: skip

N, M, K = symbol("n"), symbol("m"), symbol("k")
VALUES = st.fixed_dictionaries({name: st.integers(0, 40) for name in ("n", "m", "k")})
TERMS = st.sampled_from([1, N, M, K, N * M, N * N, M * K])


@st.composite
def dims(draw: st.DrawFn) -> Dim:
    total: Dim = draw(st.integers(-9, 9))
    for term, factor in draw(st.lists(st.tuples(TERMS, st.integers(-6, 6)), max_size=4)):
        total = total + term * factor
    return total


@st.composite
def derived(draw: st.DrawFn) -> Dim:
    """A dim with quotients and extremes in it."""
    a, b = draw(dims()), draw(dims())
    found = draw(st.sampled_from([maximum(a, b), minimum(a, b), floor_div(a, draw(st.sampled_from([-3, 2, 3, 8])))]))
    return b if found is None else found + draw(dims())


def at(dim: Dim | None, values: dict[str, int]) -> int:
    found = substitute(dim, dict(values))  # type: ignore[arg-type]
    assert isinstance(found, int)
    return found


@given(dims(), dims(), VALUES)
def test_arithmetic(a: Dim, b: Dim, values: dict[str, int]) -> None:
    x, y = at(a, values), at(b, values)
    assert (at(a + b, values), at(a - b, values), at(a * b, values)) == (x + y, x - y, x * y)


@given(dims(), dims())
def test_equal_polynomials_have_one_form(a: Dim, b: Dim) -> None:
    assert (a + b) * (a - b) == a * a - b * b
    assert a + b - b == a and not isinstance(a - a, Expr)


@given(derived(), st.integers(-12, 12).filter(bool), VALUES)
def test_floor_division(a: Dim, b: int, values: dict[str, int]) -> None:
    found = floor_div(a, b)
    if found is not None:
        assert at(found, values) == at(a, values) // b


@given(dims(), dims(), VALUES)
def test_exact_division(a: Dim, b: Dim, values: dict[str, int]) -> None:
    if b != 0:
        assert exact_div(a * b, b) == a
    found = exact_div(a, b)
    if found is not None:
        assert at(found, values) * at(b, values) == at(a, values)


@given(derived(), derived(), VALUES)
def test_extremes_bounds_and_order(a: Dim, b: Dim, values: dict[str, int]) -> None:
    x, y = at(a, values), at(b, values)
    for found, expected in ((maximum(a, b), max(x, y)), (minimum(a, b), min(x, y))):
        assert found is None or at(found, values) == expected
    low, high, order = lower_bound(a), upper_bound(a), compare(a, b)
    assert (low is None or low <= x) and (high is None or x <= high)
    assert order is None or order == (x > y) - (x < y)
    assert not (differ(a, b) and x == y)
    assert not (at_least(a, b) and x < y)


def test_division_is_canonical() -> None:
    assert floor_div(floor_div(N, 2), 2) == floor_div(N, 4)
    assert floor_div(N - 1, 2) + 1 == floor_div(N + 1, 2)
    assert exact_div((N + 1) * (M + 2), N + 1) == M + 2
    assert exact_div(N + 1, N) is None and floor_div(N, 0) is None


def test_bounds_of_derived_symbols() -> None:
    assert minimum(N, 0) == 0 and maximum(N, 0) == N
    assert (lower_bound(minimum(N, 512)), upper_bound(minimum(N, 512))) == (0, 512)
    assert lower_bound(maximum(N - 1, 0)) == 0 and maximum(N - 1, 0) == maximum(0, N - 1)


def test_any_integer_is_neither_divided_nor_ordered() -> None:
    x = symbol(f"{SIGNED}x")
    assert floor_div(x * 2, 2) is None and exact_div(x * 2, 2) is None and minimum(x, N) is None
    assert lower_bound(x) is None and compare(x, 0) is None and compare(x, x) == 0


def test_names_do_not_run_together() -> None:
    """A symbol that is called like an expression is not that expression."""
    assert floor_div(symbol("n + 1"), 2) != floor_div(N + 1, 2)
    assert symbol(str(floor_div(N, 2))) != floor_div(N, 2)


def test_long_polynomials_are_given_up() -> None:
    assert volume(tuple(symbol(f"a{i}") + symbol(f"b{i}") for i in range(40))) is None
    assert not is_short(math.prod([N] * 20, start=1)) and is_short(N * M + 3)
    assert product((2, N, M)) == volume((2, N, M)) == 2 * N * M
    deep: Dim | None = N
    for _ in range(200):
        deep = None if deep is None else maximum(deep * M, K)
    assert deep is None
