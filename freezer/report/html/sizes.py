"""What is large: by op type and by tensor, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import onnx_ir as ir

from freezer.bindings.arrays import dtype_name
from freezer.model_io.walk import graphs
from freezer.report.html.drawing import short
from freezer.report.html.skeleton import is_constant, tensor_of
from freezer.report.side import Side, op_name
from freezer.report.values import shape_words, size_words

_MOST_OPS, _MOST_TENSORS = 16, 16


@dataclass(frozen=True)
class Bar:
    """One number before and after, in words, and as shares (0 to 100) of the largest of its table."""

    label: str
    note: str
    before: str
    after: str
    before_share: float
    after_share: float


Rows = list[tuple[str, str, int, int]]
Words = Callable[[int], str]


def bars(rows: Rows, words: Words = str) -> list[Bar]:
    """Rows of label, note, before and after."""
    most = max((n for _, _, *both in rows for n in both), default=0) or 1
    share = lambda n: round(100 * n / most, 2) if n else 0.0  # noqa: E731
    return [Bar(short(label), note, words(a), words(b), share(a), share(b)) for label, note, a, b in rows]


def node_bars(before: Side, after: Side) -> list[Bar]:
    """Nodes by op type; the most frequent, and the rest in one row."""
    return bars(_both(before.ops, after.ops))


def byte_bars(before: Side, after: Side) -> list[Bar]:
    """Bytes of constants by the op type that reads them."""
    return bars(_both(before.bytes_by_op, after.bytes_by_op), size_words)


def _both(before: dict[str, int], after: dict[str, int]) -> Rows:
    names = sorted({**before, **after}, key=lambda op: (-max(before.get(op, 0), after.get(op, 0)), op))
    rows = [(op, "", before.get(op, 0), after.get(op, 0)) for op in names]
    shown, rest = rows[:_MOST_OPS], rows[_MOST_OPS:]
    if rest:
        shown.append((f"{len(rest)} more", "", sum(r[2] for r in rest), sum(r[3] for r in rest)))
    return shown


def tensor_bars(source: ir.Model, residual: ir.Model) -> list[Bar]:
    """The largest tensors of both models, by name; the note is dtype, shape and what reads it."""
    before, after = _tensors(source), _tensors(residual)
    names = sorted({**before, **after}, key=lambda n: -max(before.get(n, (0,))[0], after.get(n, (0,))[0]))
    rows = [(n, (after.get(n) or before[n])[1], before.get(n, (0,))[0], after.get(n, (0,))[0]) for n in names]
    return bars(rows[:_MOST_TENSORS], size_words)


def _tensors(model: ir.Model) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for value in _constants(model):
        tensor = tensor_of(value)
        nbytes, note = 0 if tensor is None else tensor.nbytes, _note(value)
        name = value.name or ""
        if name in found:  # bodies may name theirs alike
            nbytes += found[name][0]
        found[name] = (nbytes, note)
    return found


def _constants(model: ir.Model) -> Iterator[ir.Value]:
    for graph in graphs(model):
        yield from graph.initializers.values()
        yield from (node.outputs[0] for node in graph if is_constant(node) and node.outputs)


def _note(value: ir.Value) -> str:
    tensor = tensor_of(value)
    reader = next((op_name(user) for user, _ in value.uses()), "")
    words = "" if tensor is None else f"{dtype_name(tensor.dtype)} {shape_words(tensor.shape.numpy())}"
    return short(f"{words}, {reader}" if reader else words)
