"""Sizes for the dimensions of a model's inputs that nobody bound: likely ones first. Child side."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

import onnx

from freezer.verification.flow import Size

MOST = 72  # candidates in all
_SIZES = (8, 1, 16, 64, 3, 128, 2, 512, 256, 576, 100, 5, 224, 1024, 32, 320, 48, 80, 400, 640, 2048, 4096, 16000)
_BATCH = re.compile(r"batch|^(b|bs|bsz)$|^unk__|^none$", re.IGNORECASE)
_SOUND = re.compile(r"audio|wave?|samples", re.IGNORECASE)
_PICTURE = re.compile(r"height|width|^(h|w)$", re.IGNORECASE)
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
              ast.Div: operator.floordiv}  # fmt: skip
Declared = list[Union[int, str, None]]


@dataclass
class Slot:
    """An input to feed: its name, type and shape; every dim a number or a symbol's text.

    rank_known: the model declares a shape at all.
    """

    name: str
    type: onnx.TypeProto
    shape: list[Size] = field(default_factory=list)
    rank_known: bool = True


def make_slot(value: onnx.ValueInfoProto, shape: Declared | None) -> Slot:
    """The slot of an input. shape: what the bindings make of it, or None for what the model declares.

    A dim that is unnamed or negative becomes a symbol of its own, 'name:axis'; 0 is a size.
    """
    kind = _tensor_type(value.type)
    if shape is None and (kind is None or not kind.HasField("shape")):
        return Slot(value.name, value.type, [], kind is None)
    declared = shape if shape is not None else [_dim(d) for d in kind.shape.dim]  # type: ignore[union-attr]
    return Slot(value.name, value.type, [f"{value.name}:{i}" if _is_open(d) else d for i, d in enumerate(declared)])  # type: ignore[misc]


def _is_open(dim: int | str | None) -> bool:
    return dim < 0 if isinstance(dim, int) else dim in (None, "", "-1", "?")


def _tensor_type(kind: onnx.TypeProto) -> onnx.TypeProto.Tensor | None:
    """The tensor type in a type, also as the element of a sequence or optional; None for a map."""
    while kind.HasField("sequence_type") or kind.HasField("optional_type"):
        kind = kind.sequence_type.elem_type if kind.HasField("sequence_type") else kind.optional_type.elem_type
    return kind.tensor_type if kind.HasField("tensor_type") else None


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    return dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None


def evaluate(size: Size, bound: dict[str, int]) -> int | None:
    """A dim as a number: a symbol, or a formula over symbols such as 'past + 1'; None if one is not bound."""
    if isinstance(size, int):
        return size
    if size in bound:
        return bound[size]
    try:
        return _formula(ast.parse(size.strip(), mode="eval").body, bound)
    except (SyntaxError, KeyError, ValueError, ZeroDivisionError, RecursionError):
        return None


def _formula(node: ast.expr, bound: dict[str, int]) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return bound[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_formula(node.left, bound), _formula(node.right, bound))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.lower() in ("max", "min"):
        return {"max": max, "min": min}[node.func.id.lower()](_formula(a, bound) for a in node.args)
    raise ValueError("not a formula freezer knows")


def free_symbols(slots: list[Slot], bound: dict[str, int]) -> list[str]:
    """The symbols that need a size, in the inputs' order."""
    found: dict[str, None] = {}
    for slot in slots:
        for size in slot.shape:
            if isinstance(size, str) and evaluate(size, bound) is None:
                found.update(dict.fromkeys(s for s in _names(size) if s not in bound))
    return list(found)


def _names(size: str) -> list[str]:
    """The symbols in a dim; the whole text is one if it is not a formula."""
    try:
        tree = ast.parse(size.strip(), mode="eval").body
        names = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)]
        _formula(tree, dict.fromkeys(names, 1))
        return names or [size]
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, KeyError):
        return [size]


def assignments(slots: list[Slot], bound: dict[str, int]) -> Iterator[dict[str, int]]:
    """At most MOST ways to give every free symbol a size, without repeats."""
    seen = set()
    fixed = {d for slot in slots for d in slot.shape if isinstance(d, int)} | set(bound.values())
    known = sorted(d for d in fixed if 0 < d <= 4096)[:8]
    for candidate in _candidates(slots, free_symbols(slots, bound), known):
        identity = tuple(candidate.items())
        if identity not in seen:
            seen.add(identity)
            yield {**bound, **candidate}
        if len(seen) >= MOST:
            return


def _candidates(slots: list[Slot], symbols: list[str], known: list[int]) -> Iterator[dict[str, int]]:
    """First all alike but batches of one and larger pictures, then all different, then one kind larger than the rest.

    known: sizes that the model or the bindings give to other dims, worth trying too.
    """
    batches, last, unit = _batches(slots, symbols), _last(slots, symbols), _units(slots, symbols)
    yield {s: 1 if s in batches else 8 * unit[s] for s in symbols}
    for batch, step in ((1, 2), (2, 3)):  # all different, so that two sizes cannot be taken for each other
        yield {
            s: batch if s in batches else (3 + step * i) * unit[s] * (4 if unit[s] == 8 else 1)
            for i, s in enumerate(symbols)
        }
    for size in (*_SIZES[1:6], *known):
        yield {s: 1 if s in batches else size * unit[s] for s in symbols}
    for size in _SIZES[6:]:
        yield {s: 1 if s in batches else size for s in symbols}
    for size in _SIZES:
        yield {s: size if s in last else 1 for s in symbols}
    for size in _SIZES[:10]:
        yield dict.fromkeys(symbols, size)
    for symbol in symbols[:8]:
        for size in _SIZES[:8]:
            yield {s: size if s == symbol else 1 for s in symbols}


def _batches(slots: list[Slot], symbols: list[str]) -> set[str]:
    first = {s.shape[0] for s in slots if len(s.shape) >= 2}
    return {s for s in symbols if _BATCH.search(s) or (s in first and (":" in s or s in ("n", "N")))}


def _units(slots: list[Slot], symbols: list[str]) -> dict[str, int]:
    """What a size counts in: pixels by eight, since networks halve pictures, and samples of sound by 512."""
    inner = {d for slot in slots if len(slot.shape) == 4 for d in slot.shape[1:] if isinstance(d, str)}
    pictures = {s for s in symbols if _PICTURE.search(s) or (s in inner and "past" not in s and "seq" not in s)}
    return {s: 512 if _SOUND.search(s) else 8 if s in pictures else 1 for s in symbols}


def _last(slots: list[Slot], symbols: list[str]) -> set[str]:
    return {str(slot.shape[-1]) for slot in slots if slot.shape} & set(symbols)
