"""Dimension names that are formulas of others: 'past_sequence_length + sequence_length'."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_LONGEST = 200  # characters; a longer name is not read as a formula
_TOKEN = re.compile(r"\s*(//|[-+*()]|[^\s+*()/-]+)\s*")
_OPERATIONS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b if b else None,
}


@dataclass(frozen=True)
class Formula:
    """text: the dimension's name. symbols: the names in it, in order; `tree` calls them _0, _1, ..."""

    text: str
    symbols: tuple[str, ...]
    tree: ast.expr

    def value(self, bound: Mapping[str, int]) -> int | None:
        """Its value if every symbol is bound."""
        if not all(s in bound for s in self.symbols):
            return None
        return _evaluate(self.tree, [bound[s] for s in self.symbols])

    def solve(self, value: int, bound: Mapping[str, int]) -> tuple[str, int] | None:
        """The one symbol that is not bound, where the formula is a line in it, and what it must be."""
        unknown = [s for s in self.symbols if s not in bound]
        if len(unknown) != 1 or "//" in self.text:
            return None
        a, b, c = (self.value({**bound, unknown[0]: x}) for x in (0, 1, 2))
        if a is None or b is None or c is None or c - b != b - a or a == b:
            return None
        found, rest = divmod(value - a, b - a)
        return None if rest else (unknown[0], found)


def parse_formula(text: str, symbols: Collection[str]) -> Formula | None:
    """The formula a name is; None if it is a plain name, or if a name in it is not a dimension's.

    >>> parse_formula("past + seq", {"past", "seq", "past + seq"}).value({"past": 0, "seq": 16})
    16
    """
    tokens = _TOKEN.findall(text) if len(text) <= _LONGEST else []
    if "".join(tokens) != re.sub(r"\s+", "", text) or len(tokens) < 2:
        return None
    names = list(dict.fromkeys(t for t in tokens if t not in ("//", "+", "-", "*", "(", ")") and not t.isdecimal()))
    if not names or not all(name in symbols for name in names):
        return None
    try:
        tree = ast.parse(" ".join(f"_{names.index(t)}" if t in names else t for t in tokens), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Formula(text, tuple(names), tree)


def _evaluate(node: ast.expr, values: list[int]) -> int | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return values[int(node.id[1:])]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _evaluate(node.left, values), _evaluate(node.right, values)
        return None if left is None or right is None else _OPERATIONS[type(node.op)](left, right)
    return None
