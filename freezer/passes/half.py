"""float16 as onnxruntime runs it on a CPU: computed in float32, rounded only where a value is stored or moved.

Between two nodes that compute, the intermediate is not rounded at all, nor is it if one node that only moves data
stands between them, which then moves float32; two in a row round it. So putting a stored constant in its place, or
making one move of two, changes bits (measured with 1.32).
"""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts, known

_HALVES = (ir.DataType.FLOAT16, ir.DataType.BFLOAT16)
# These have kernels for every element type: they see, and give, rounded values.
_MOVES = frozenset(
    [
        "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "If", "Loop", "Pad",
        "Reshape", "Scan", "ScatterElements", "ScatterND", "Slice", "Split", "Squeeze", "Tile", "Transpose",
        "Unsqueeze", "Where",
    ]
)  # fmt: skip


def read_unrounded(value: ir.Value, facts: Facts) -> bool:
    """Whether storing this value could round what its readers see."""
    if facts.dtype(value) not in _HALVES or not _computed(value):
        return False
    return any(u.op_type not in _MOVES for u in value.consumers())


def keeps_rounding(node: ir.Node, outputs: list[ir.Value | None], facts: Facts) -> bool:
    """Whether letting the node's readers read `outputs` instead leaves every rounding where it was."""
    pairs = zip(node.outputs, outputs, strict=True)
    return not any(new is not None and _computed(new) and read_unrounded_by(old, facts) for old, new in pairs)


def keeps_moves(node: ir.Node, outputs: list[ir.Value | None], facts: Facts) -> bool:
    """Whether what stands for a node that moves data is moved as often, before the next node that computes."""
    if node.op_type not in _MOVES:
        return True
    pairs = [(o, n) for o, n in zip(node.outputs, outputs, strict=True) if facts.dtype(o) in _HALVES]
    return all(_moves(old, most) == _moves(new, most) for old, new in pairs for most in [_most(old)])


def _most(value: ir.Value) -> int:
    """How many moves in a row before its readers matter: two, or one if each of them is the second."""
    return 2 if any(u.op_type not in _MOVES for u in value.consumers()) else 1


def _moves(value: ir.Value | None, most: int) -> int:
    """How many nodes in a row that only move data make a value; `most` if it is stored, or a body gives it."""
    maker = value.producer() if value is not None else None
    if maker is None or not most or maker.op_type in ("Constant", "If", "Loop", "Scan"):
        return most
    if maker.op_type not in _MOVES:
        return 0
    moved = {"Concat": maker.inputs, "Where": maker.inputs[1:]}.get(maker.op_type, maker.inputs[:1])
    return 1 + min([_moves(v, most - 1) for v in moved])


def read_unrounded_by(value: ir.Value, facts: Facts) -> bool:
    """Whether a half precision value has a reader that computes."""
    return facts.dtype(value) in _HALVES and any(u.op_type not in _MOVES for u in value.consumers())


def _computed(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and known(value) is None and node.op_type not in _MOVES and node.op_type != "Constant"
