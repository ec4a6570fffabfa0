"""Large constants that repeat along an axis are stored once and expanded at run time."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.evaluate.batch import collect
from freezer.facts.table import known
from freezer.passes.edit import Editor, make_node
from freezer.rewrite import Rewrite

_WORTH = 8  # the stored part must be this many times smaller
_FIRST_OPSET = 8  # Expand
LARGEST = 1 << 28  # bytes: a larger value is not evaluated only to see whether it repeats


def candidates(values: list[ir.Value], bound: set[ir.Value], editor: Editor) -> list[ir.Value]:
    """Values too large to store that depend on a bound input: those may repeat. Weights alone rarely do."""
    if editor.facts.opset_imports.get("", 0) < _FIRST_OPSET:
        return []
    return [v for v in values if (editor.facts.of(v).nbytes or 0) <= LARGEST and _depends(v, bound)]


def _depends(value: ir.Value, bound: set[ir.Value]) -> bool:
    node = value.producer()
    if node is None or (node.op_type == "Expand" and all(v is not None and known(v) for v in node.inputs)):
        return False
    return any(v in bound for v in collect([value]).constants)


def repeating_part(array: np.ndarray) -> np.ndarray | None:
    """The array with each axis along which it repeats, bit for bit, cut to length 1; None if that saves little."""
    bits = array.view(f"u{array.itemsize}") if array.dtype.kind != "O" else array
    part = [slice(None)] * array.ndim
    for axis in range(array.ndim):
        first = bits.take([0], axis) if array.size else bits
        if array.size and bool((bits == first).all()):
            part[axis] = slice(0, 1)
            bits = first
    small = array[tuple(part)]
    return small if array.size and small.size * _WORTH <= array.size else None


def spread(value: ir.Value, part: np.ndarray, shape: tuple[int, ...], editor: Editor) -> None:
    """Put Expand(part, shape) in the place of the node that computes the value."""
    node = value.producer()
    dtype = editor.facts.dtype(value)
    assert node is not None and dtype is not None
    small = ir.Value(const_value=ir.Tensor(np.ascontiguousarray(part), dtype=dtype), type=ir.TensorType(dtype))
    target = ir.Value(
        const_value=ir.tensor(list(shape), dtype=ir.DataType.INT64), type=ir.TensorType(ir.DataType.INT64)
    )
    expand = make_node("Expand", [small, target])
    outputs = [expand.outputs[0] if v is value else None for v in node.outputs]
    editor.apply(node, Rewrite(outputs, [expand], [small, target]))
