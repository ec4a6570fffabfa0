"""float16 as onnxruntime runs it on a CPU: computed in float32, rounded only where a value is stored or moved.

Between two nodes that compute, the intermediate is not rounded at all, so putting a stored constant in
its place, or taking away a node that only moves data between them, changes bits (measured with 1.32).
"""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts, known

_HALVES = (ir.DataType.FLOAT16, ir.DataType.BFLOAT16)
# These have kernels for every element type: they see, and give, rounded values.
_MOVES = frozenset(
    [
        "Concat",
        "Expand",
        "Flatten",
        "Gather",
        "GatherElements",
        "GatherND",
        "Identity",
        "If",
        "Loop",
        "Pad",
        "Reshape",
        "Scan",
        "ScatterElements",
        "ScatterND",
        "Slice",
        "Split",
        "Squeeze",
        "Tile",
        "Transpose",
        "Unsqueeze",
        "Where",
    ]
)


def read_unrounded(value: ir.Value, facts: Facts) -> bool:
    """Whether storing this value could round what its readers see."""
    if facts.dtype(value) not in _HALVES or not _computed(value):
        return False
    return any(u.op_type not in _MOVES for u in value.consumers())


def keeps_rounding(node: ir.Node, outputs: list[ir.Value | None], facts: Facts) -> bool:
    """Whether letting the node's readers read `outputs` instead leaves every rounding where it was."""
    pairs = zip(node.outputs, outputs, strict=True)
    return not any(new is not None and _computed(new) and read_unrounded_by(old, facts) for old, new in pairs)


def read_unrounded_by(value: ir.Value, facts: Facts) -> bool:
    """Whether a half precision value has a reader that computes."""
    return facts.dtype(value) in _HALVES and any(u.op_type not in _MOVES for u in value.consumers())


def _computed(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and known(value) is None and node.op_type not in _MOVES and node.op_type != "Constant"
