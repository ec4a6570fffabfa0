"""Which values are constants: initializers, and the outputs of Constant nodes in all their forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir


def is_constant_node(node: ir.Node) -> bool:
    """A Constant whose value is known here: not an attribute of the function around it."""
    return node.op_type == "Constant" and node.domain == "" and _form(node) is not None


def constant_of(value: ir.Value) -> ir.TensorProtocol | None:
    """The tensor a value always holds; None if it is none, or only the default of an input."""
    node = value.producer()
    if node is None:
        return None if value.is_graph_input() else value.const_value
    attribute = _form(node) if is_constant_node(node) else None
    return None if attribute is None else _FORMS[attribute.name](attribute.value)


def _form(node: ir.Node) -> ir.Attr | None:
    for name in _FORMS:
        attribute = node.attributes.get(name)
        if attribute is not None and not attribute.is_ref():
            return attribute
    return None


def _strings(items: list[str | bytes], shape: list[int]) -> ir.TensorProtocol:
    data = [item.encode("utf-8", "surrogateescape") if isinstance(item, str) else item for item in items]
    return ir.StringTensor(data, shape=ir.Shape(shape))


_FORMS: dict[str, Callable] = {
    "value": lambda tensor: tensor,
    "value_float": lambda item: ir.tensor(np.array(item, np.float32)),
    "value_floats": lambda items: ir.tensor(np.array(items, np.float32)),
    "value_int": lambda item: ir.tensor(np.array(item, np.int64)),
    "value_ints": lambda items: ir.tensor(np.array(items, np.int64)),
    "value_string": lambda item: _strings([item], []),
    "value_strings": lambda items: _strings(list(items), [len(items)]),
}
