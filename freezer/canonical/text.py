"""Nodes and values in ONNX's text syntax, one line each, with the names they have in their file."""

from __future__ import annotations

import onnx_ir as ir

from freezer.canonical.constants import constant_of, is_constant_node
from freezer.canonical.content import dims
from freezer.canonical.distance import elements

_LONGEST = 240
_ELEMENTS = 8
_USERS = 4


def surroundings(node: ir.Node) -> tuple[str, ...]:
    """What makes the inputs of a node, the node, marked with '>', and who reads its outputs."""
    inputs = {id(value): value for value in node.inputs if value is not None}
    readers = {id(user): user for value in node.outputs for user in value.consumers()}
    lines = ["  " + origin(value) for value in inputs.values()]
    lines.append("> " + node_text(node))
    lines += ["  " + node_text(user) for user in list(readers.values())[:_USERS]]
    lines += [f"  output {value.name}" for value in node.outputs if value.is_graph_output()]
    return tuple(lines)


def origin(value: ir.Value) -> str:
    """The line that makes a value: its node, or its declaration as input or constant."""
    node = value.producer()
    if node is not None and not is_constant_node(node):
        return node_text(node)
    tensor = constant_of(value)
    if tensor is None:
        return f"input {value_text(value)}"
    return _short(f"{_type(tensor.dtype, dims(tensor))} {_name(value)} = {{{_content(tensor)}}}")


def value_text(value: ir.Value) -> str:
    """Type and name of a value, as far as the file declares them."""
    shape = None if value.shape is None else tuple(dim if isinstance(dim, int) else dim.value for dim in value.shape)
    if value.type is None or isinstance(value.type, (ir.SequenceType, ir.OptionalType)):
        return f"{value.type or 'unknown type'} {_name(value)}"
    return f"{_type(value.dtype, shape)} {_name(value)}"


def node_text(node: ir.Node) -> str:
    """The node, without the inside of its bodies and large tensors."""
    outputs = ", ".join(_name(value) for value in node.outputs)
    inputs = ", ".join("" if value is None else _name(value) for value in node.inputs)
    attributes = ", ".join(f"{name} = {attribute_text(node.attributes[name])}" for name in sorted(node.attributes))
    operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    return _short(f"{outputs} = {operator}{f' <{attributes}>' if attributes else ''} ({inputs})")


def attribute_text(attribute: ir.Attr) -> str:
    """The value of an attribute."""
    kind, value = attribute.type, attribute.value
    if attribute.is_ref():
        return f"@{attribute.ref_attr_name}"
    if kind in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS):
        graphs = [value] if kind == ir.AttributeType.GRAPH else value
        return " ".join(f"{{graph of {len(graph)} nodes}}" for graph in graphs)
    if kind == ir.AttributeType.TENSOR:
        return f"{_type(value.dtype, dims(value))} {{{_content(value)}}}"
    if kind == ir.AttributeType.STRING:
        return f'"{value}"'
    return str(list(value)) if isinstance(value, (tuple, list)) else str(value)


def _content(tensor: ir.TensorProtocol) -> str:
    if tensor.dtype == ir.DataType.STRING or tensor.size > _ELEMENTS:
        return "..."
    return ", ".join(str(item) for item in elements(tensor, _ELEMENTS).tolist())


def _type(dtype: ir.DataType | None, shape: tuple[int | str | None, ...] | None) -> str:
    base = "undefined" if dtype is None else dtype.name.lower()
    return base if not shape else f"{base}[{','.join('?' if dim is None else str(dim) for dim in shape)}]"


def _name(value: ir.Value) -> str:
    return value.name or ""


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 4] + " ..."
