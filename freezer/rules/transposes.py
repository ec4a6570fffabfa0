"""Transposes that an earlier Transpose undoes: what lies between them works in the other order as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import constant, integer, made_by, only_user, stored
from freezer.rules.layout import order_of
from freezer.rules.registry import on

# Each element rounds alike wherever it lies; onnxruntime's Exp, Tanh or Erf may not, at the end of a vector.
_EXACT = ("Abs", "Add", "Ceil", "Div", "Floor", "Max", "Min", "Mul", "Neg", "Relu", "Sqrt", "Sub")
_LARGEST = 1 << 20  # bytes of a constant to transpose
_SMALL = 2048  # bytes of a constant that may be there in both orders
_DEEPEST = 16
_HALVES = (ir.DataType.FLOAT16, ir.DataType.BFLOAT16)  # onnxruntime does not round them between two computing nodes


@on("Transpose", late=True)
def drop_transpose_after_transpose(node: ir.Node, facts: Facts) -> Answer:
    """Transpose(f(Transpose(x))) is f(x) if the two undo each other and f can do in the other order what it does.

    f: exact elementwise nodes with constants, Concat, Pad, Unsqueeze and Expand of constants, each read once.
    """
    perm = order_of(node, facts)
    if perm is None:
        return None
    way = _Way(facts)
    result = way.back(node.inputs[0], perm, _DEEPEST)
    return Rewrite([result], way.nodes, way.constants) if result is not None else None


@dataclass
class _Way:
    """The new nodes on the way back from a Transpose to one that it undoes."""

    facts: Facts
    nodes: list[ir.Node] = field(default_factory=list)
    constants: list[ir.Value] = field(default_factory=list)

    def back(self, value: ir.Value | None, perm: Sequence[int], depth: int) -> ir.Value | None:
        """A value that is Transpose(value, perm) without a Transpose; None if there is none."""
        array = self.facts.array(value, _LARGEST)
        if array is not None and array.ndim <= len(perm) and (array.nbytes <= _SMALL or only_user(value)):
            return self._constant(_transposed(array, perm), self.facts.dtype(value))
        inner = made_by(value, "Transpose")
        if inner is not None:
            first = order_of(inner, self.facts)
            return inner.inputs[0] if first is not None and [first[i] for i in perm] == sorted(perm) else None
        maker = made_by(value, *_MAKERS, *_EXACT)
        if maker is None or not only_user(value) or not depth or self.facts.rank(value) != len(perm):
            return None
        return _MAKERS.get(maker.op_type, _Way._elementwise)(self, maker, perm, depth - 1)

    def _elementwise(self, node: ir.Node, perm: Sequence[int], depth: int) -> ir.Value | None:
        """The other operands are constants without NaN: of two NaNs the result is not the same if one is broadcast."""
        constants = [a for v in node.inputs if (a := self.facts.array(v, _LARGEST)) is not None]
        live = [v for v in node.inputs if self.facts.array(v, _LARGEST) is None]
        if len(live) != 1 or self.facts.rank(live[0]) != len(perm) or self.facts.dtype(live[0]) in (None, *_HALVES):
            return None
        if any(a.dtype.kind == "f" and np.isnan(a).any() for a in constants):
            return None
        return self._again(node, [self.back(v, perm, depth) for v in node.inputs], [])

    def _concat(self, node: ir.Node, perm: Sequence[int], depth: int) -> ir.Value | None:
        axis = list(perm).index(integer(node, "axis", 0) % len(perm))
        return self._again(node, [self.back(v, perm, depth) for v in node.inputs], [ir.AttrInt64("axis", axis)])

    def _unsqueeze(self, node: ir.Node, perm: Sequence[int], depth: int) -> ir.Value | None:
        axes = self.facts.ints(node.inputs[1]) if len(node.inputs) > 1 else None
        if axes is None:
            return None
        gone = {a % len(perm) for a in axes}
        rest = [i for i in range(len(perm)) if i not in gone]
        inner = self.back(node.inputs[0], [rest.index(p) for p in perm if p not in gone], depth)
        new = [i for i, p in enumerate(perm) if p in gone]
        return self._again(node, [inner, self._ints(new)], [])

    def _pad(self, node: ir.Node, perm: Sequence[int], depth: int) -> ir.Value | None:
        pads = self.facts.ints(node.inputs[1]) if 1 < len(node.inputs) < 4 else None
        if pads is None or len(pads) != 2 * len(perm):
            return None
        new = [*(pads[p] for p in perm), *(pads[len(perm) + p] for p in perm)]
        inner = self.back(node.inputs[0], perm, depth)
        return self._again(node, [inner, self._ints(new), *node.inputs[2:]], list(node.attributes.values()))

    def _expand(self, node: ir.Node, perm: Sequence[int], depth: int) -> ir.Value | None:
        sizes = self.facts.ints(node.inputs[1])
        if sizes is None or len(sizes) != len(perm) or self.facts.array(node.inputs[0], _LARGEST) is None:
            return None
        return self._again(node, [self.back(node.inputs[0], perm, depth), self._ints([sizes[p] for p in perm])], [])

    def _again(
        self, node: ir.Node, inputs: Sequence[ir.Value | None], attributes: Sequence[ir.Attr]
    ) -> ir.Value | None:
        if any(new is None and old is not None for new, old in zip(inputs, node.inputs, strict=True)):
            return None
        self.nodes.append(ir.Node("", node.op_type, inputs, attributes))
        return self.nodes[-1].outputs[0]

    def _constant(self, array: np.ndarray, dtype: ir.DataType | None) -> ir.Value | None:
        if dtype is None:
            return None
        self.constants.append(stored(array, dtype))
        return self.constants[-1]

    def _ints(self, values: list[int]) -> ir.Value:
        self.constants.append(constant(values))
        return self.constants[-1]


def _transposed(array: np.ndarray, perm: Sequence[int]) -> np.ndarray:
    """A constant that broadcasts to the rank of perm, in the new order; a single number stays as it is."""
    if array.ndim == 0:
        return array
    wide = array.reshape((1,) * (len(perm) - array.ndim) + array.shape)
    return np.ascontiguousarray(wide.transpose(perm))


_MAKERS = {"Concat": _Way._concat, "Unsqueeze": _Way._unsqueeze, "Pad": _Way._pad, "Expand": _Way._expand}
