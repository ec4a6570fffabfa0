"""Large constants that repeat along an axis are stored once and expanded at run time."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.evaluate.batch import collect
from freezer.facts.table import known
from freezer.naming import name_of
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


def new_constants(model: ir.Model, originals: set[ir.Value], least: int) -> list[ir.Value]:
    """Stored constants of more than `least` bytes that the source did not have: frozen values, folded ones."""
    found = (v for v in model.graph.initializers.values() if v not in originals and not v.is_graph_input())
    return [v for v in found if v.const_value is not None and least < v.const_value.nbytes <= LARGEST and v.uses()]


def spread(value: ir.Value, part: np.ndarray, shape: tuple[int, ...], editor: Editor) -> None:
    """Put Expand(part, shape) in the place of the node that computes the value, or of the constant."""
    node, graph = value.producer(), editor.model.graph
    expand, constants = _expand(part, shape, editor.facts.dtype(value))
    if node is not None:
        outputs = [expand.outputs[0] if v is value else None for v in node.outputs]
        editor.apply(node, Rewrite(outputs, [expand], constants))
        return
    graph.initializers.pop(name_of(value))
    name = value.name or ""
    value.name = editor.names.fresh(name)
    editor.insert(graph, [expand], constants, name)
    for constant in constants:
        editor.origins.make(constant, value)
    editor.replace(value, expand.outputs[0])


def _expand(part: np.ndarray, shape: tuple[int, ...], dtype: ir.DataType | None) -> tuple[ir.Node, list[ir.Value]]:
    assert dtype is not None
    small = ir.Value(const_value=ir.Tensor(np.ascontiguousarray(part), dtype=dtype), type=ir.TensorType(dtype))
    target = ir.Value(
        const_value=ir.tensor(list(shape), dtype=ir.DataType.INT64), type=ir.TensorType(ir.DataType.INT64)
    )
    return make_node("Expand", [small, target]), [small, target]
