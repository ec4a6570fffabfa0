"""Dimensions by name: one value for each symbol, across all inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

import onnx_ir as ir

from freezer.bindings.formulas import Formula, parse_formula
from freezer.bindings.names import did_you_mean
from freezer.errors import UsageError

PLACEHOLDERS = ("", "?", "None", "-1", "unk")  # names that exporters write for "no name"
_MOST_FORMULAS = 1000
Dim = Union[int, str, None]
Shape = tuple[Dim, ...]


def shape_of(value: ir.Value) -> Shape | None:
    """The declared shape: integers, names, None for an unknown dim; None if the rank is unknown."""
    if value.shape is None:
        return None
    return tuple(_dim(d) for d in value.shape)


def _dim(dim: int | ir.SymbolicDim) -> Dim:
    if isinstance(dim, int):
        return dim if dim >= 0 else None
    return dim.value


def is_symbol(dim: Dim) -> bool:
    """Whether a dim has a name that other dims may share."""
    return isinstance(dim, str) and dim not in PLACEHOLDERS


def shape_text(shape: Sequence[Dim] | None) -> str:
    """[batch, ?, 80] for messages."""
    if shape is None:
        return "of any rank"
    return f"[{', '.join('?' if d is None else str(d) for d in shape)}]"


@dataclass
class Dims:
    """The symbols of a model's interface and what they are bound to.

    bound: symbol -> value. reasons: symbol -> who said so, in words.
    """

    symbols: set[str]
    bound: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    _formulas: list[Formula] = field(default_factory=list)

    def __post_init__(self) -> None:
        parsed = (parse_formula(s, self.symbols) for s in sorted(self.symbols))
        self._formulas = [f for f in parsed if f is not None][:_MOST_FORMULAS]

    def give(self, dims: Mapping[str, int]) -> None:
        """Bind what the user gives by name. Raises UsageError for an unknown symbol or a value that is no size."""
        for name, size in dims.items():
            if name not in self.symbols:
                there = did_you_mean(name, sorted(self.symbols)) if self.symbols else "; none has a name: use --shape"
                raise UsageError(f"the model has no dimension '{name}'{there}")
            if isinstance(size, bool) or not isinstance(size, int) or size < 0:
                raise UsageError(f"the dimension '{name}' must be an integer >= 0, not {size!r}")
            self.bind(name, size, f"--dim {name}={size}")

    def bind(self, name: str, size: int, reason: str) -> bool:
        """Bind a symbol; whether that is news. Raises UsageError if it is bound to another size."""
        if not 0 <= size < 1 << 63:
            raise UsageError(f"the dimension '{name}' would be {size} ({reason}); expected 0 to 2^63 - 1")
        if self.bound.setdefault(name, size) != size:
            raise UsageError(
                f"{reason} makes the dimension '{name}' {size}, but {self.reasons[name]} makes it {self.bound[name]}"
            )
        return self.reasons.setdefault(name, reason) is reason

    def unify(self, shape: Shape, sizes: Sequence[int | None], reason: str) -> list[str]:
        """Bind a shape's symbols to sizes of the same rank; the symbols that are news. Raises UsageError."""
        news = []
        for axis, (dim, size) in enumerate(zip(shape, sizes, strict=True)):
            if size is None:
                continue
            if isinstance(dim, int) and dim != size:
                raise UsageError(f"{reason} has {size} at axis {axis}, but the model's shape is {shape_text(shape)}")
            if is_symbol(dim) and self.bind(str(dim), size, reason):
                news.append(str(dim))
        return news

    def settle(self) -> None:
        """Bind formulas whose symbols are bound, and symbols that formulas leave no choice. Raises UsageError."""
        while any([self._settle(formula) for formula in self._formulas]):
            pass

    def _settle(self, formula: Formula) -> bool:
        size = formula.value(self.bound)
        if size is not None:
            return self.bind(formula.text, size, self._why(formula.symbols))
        if formula.text not in self.bound:
            return False
        solved = formula.solve(self.bound[formula.text], self.bound)
        return solved is not None and self.bind(*solved, self._why([formula.text, *formula.symbols]))

    def _why(self, symbols: Iterable[str]) -> str:
        return ", ".join(f"{s}={self.bound[s]} ({self.reasons[s]})" for s in symbols if s in self.bound)

    def resolve(self, shape: Shape) -> Shape:
        """The shape with bound symbols replaced."""
        return tuple(self.bound.get(d, d) if is_symbol(d) else d for d in shape)  # type: ignore[arg-type]
