"""float16 as onnxruntime runs it on a CPU: computed in float32, rounded only where a value is stored or moved.

Between two nodes that compute, the intermediate is not rounded at all, so putting a stored constant in
its place, or taking away a node that only moves data between them, changes bits (measured with 1.32). A node that
moves data alone between two that compute runs in float32 like them; two in a row round, and so does one of which an
output is the model's: where one more or one less of them is merged, split or dropped, bits change as well.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir as ir

from freezer.facts.table import Facts, known
from freezer.rewrite import Rewrite
from freezer.rules.known import HALVES

# These have kernels for every element type: two in a row see, and give, rounded values.
_MOVES = frozenset(
    [
        "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "If", "Loop", "Pad",
        "Reshape", "Scan", "ScatterElements", "ScatterND", "Slice", "Split", "Squeeze", "Tile", "Transpose",
        "Unsqueeze", "Where",
    ]
)  # fmt: skip


def read_unrounded(value: ir.Value, facts: Facts) -> bool:
    """Whether storing this value could round what its readers see."""
    if facts.dtype(value) not in HALVES or not _computed(value):
        return False
    return any(u.op_type not in _MOVES for u in value.consumers())


def keeps_rounding(node: ir.Node, outputs: list[ir.Value | None], facts: Facts) -> bool:
    """Whether letting the node's readers read `outputs` instead leaves every rounding where it was."""
    pairs = zip(node.outputs, outputs, strict=True)
    return not any(new is not None and _computed(new) and read_unrounded_by(old, facts) for old, new in pairs)


def read_unrounded_by(value: ir.Value, facts: Facts) -> bool:
    """Whether a half precision value has a reader that computes."""
    return facts.dtype(value) in HALVES and any(u.op_type not in _MOVES for u in value.consumers())


def keeps_moves(node: ir.Node, rewrite: Rewrite, facts: Facts) -> bool:
    """Whether no move comes or goes where half precision is on the way from what computes to what computes."""
    if len(rewrite.nodes) == 1 and _moves_the_same(node, rewrite.nodes[0], facts):
        return True
    return not (any(_comes_unrounded(v, facts) for v in _halves(node.inputs, facts)) and _is_computed_with(node, facts))


def move_alike(node: ir.Node, other: ir.Node, facts: Facts) -> bool:
    """Whether two equal nodes may become one: not where only one of them is alone between what computes."""
    if node.op_type not in _MOVES or not any(_comes_unrounded(v, facts) for v in _halves(node.inputs, facts)):
        return True
    if not _is_computed_with(node, facts) and not _is_computed_with(other, facts):
        return True
    outputs = [*node.outputs, *other.outputs]
    return not any(v.is_graph_output() or any(r.op_type in _MOVES for r in v.consumers()) for v in outputs)


def _moves_the_same(node: ir.Node, new: ir.Node, facts: Facts) -> bool:
    same = set(_halves(node.inputs, facts)) == set(_halves(new.inputs, facts))
    return same and {node.op_type, new.op_type} <= _MOVES and len(node.outputs) == len(new.outputs)


def _halves(values: Iterable[ir.Value | None], facts: Facts) -> list[ir.Value]:
    return [v for v in values if v is not None and facts.dtype(v) in HALVES]


def _comes_unrounded(value: ir.Value, facts: Facts) -> bool:
    """Whether a value was computed, or moved from where one was."""
    todo, seen = [value], {value}
    while todo:
        current = todo.pop()
        if _computed(current):
            return True
        node = current.producer()
        new = [v for v in _halves(node.inputs, facts) if v not in seen] if node is not None else []
        seen.update(new)
        todo.extend(new)
    return False


def _is_computed_with(node: ir.Node, facts: Facts) -> bool:
    """Whether something computes with an output, or with what it is moved to; Where counts as what computes.

    Nothing is known yet of a reader that was not visited yet.
    """
    todo = _halves(node.outputs, facts)
    seen = set(todo)
    while todo:
        readers = todo.pop().consumers()
        if any(r.op_type not in _MOVES or r.op_type == "Where" for r in readers):
            return True
        new = [v for r in readers for v in r.outputs if facts.dtype(v) in (None, *HALVES) and v not in seen]
        seen.update(new)
        todo.extend(new)
    return False


def _computed(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and known(value) is None and node.op_type not in _MOVES and node.op_type != "Constant"
