"""Reshapes that a later Reshape undoes: between them, only the order of elements matters."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.layout import is_absolute
from freezer.rules.registry import on

_ELEMENTWISE = (
    "Abs", "Add", "Ceil", "Clip", "Cos", "Div", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish",
    "LeakyRelu", "Log", "Mul", "Neg", "Pow", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin",
    "Softplus", "Sqrt", "Sub", "Tanh",
)  # fmt: skip
_MOST_NODES = 64


@on("Reshape", "Squeeze", "Unsqueeze", late=True)
def drop_reshape_before_reshape(node: ir.Node, facts: Facts) -> Answer:
    """Reshape(f(Reshape(x))) is Reshape(f(x)), where f works element by element.

    All readers are elementwise nodes whose other operands are single numbers or made of x too, and Reshapes to
    a constant target without 0, which the shape of their operand does not matter to.
    """
    before, after = facts.rank(node.inputs[0]), facts.rank(node.outputs[0])
    if before is None or after is None:
        return None
    return Rewrite([node.inputs[0]]) if _region(node.outputs[0], min(before, after), facts) else None


def _region(start: ir.Value, rank: int, facts: Facts) -> bool:
    """Whether all that is made of a value, element by element, ends in Reshapes."""
    inside, todo = {start}, [start]
    checked: list[ir.Node] = []
    while todo:
        value = todo.pop()
        if value.is_graph_output() or len(inside) > _MOST_NODES:
            return False
        for reader in value.consumers():
            if is_absolute(reader, facts):
                continue
            if reader.domain or reader.op_type not in _ELEMENTWISE:
                return False
            checked.append(reader)
            if reader.outputs[0] not in inside:
                inside.add(reader.outputs[0])
                todo.append(reader.outputs[0])
    return all(v in inside or _is_number(v, rank, facts) for n in checked for v in n.inputs)


def _is_number(value: ir.Value | None, rank: int, facts: Facts) -> bool:
    """Whether an operand is absent, or has one element and no more axes than either shape."""
    shape = facts.shape(value)
    return value is None or (shape is not None and len(shape) <= rank and all(d == 1 for d in shape))
