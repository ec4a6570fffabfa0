"""Copies of attributes, types and tensors that leave names and documentation behind and share the data."""

from __future__ import annotations

import onnx_ir as ir

from freezer.canonical.content import dims, strings
from freezer.canonical.encode import plain_dims
from freezer.model_io.convert import TYPE


def named(tensor: ir.TensorProtocol, name: str | None) -> ir.TensorProtocol:
    """The same data under another name; the tensor itself keeps its name. Nothing is read."""
    shape = ir.Shape(dims(tensor))
    if isinstance(tensor, ir.ExternalTensor):
        place = tensor.location, tensor.offset, tensor.length
        return ir.ExternalTensor(*place, tensor.dtype, shape=shape, name=name or "", base_dir=tensor.base_dir)
    if tensor.dtype == ir.DataType.STRING:
        return ir.StringTensor(strings(tensor), shape=shape, name=name)
    return ir.LazyTensor(lambda: tensor, tensor.dtype, shape, name=name)


def copied_attribute(attribute: ir.Attr, bodies: list[ir.Graph]) -> ir.Attr:
    """The attribute without doc string. bodies: the new graphs, if it is an attribute of graphs."""
    kind, value = attribute.type, attribute.value
    if attribute.is_ref():
        return ir.RefAttr(attribute.name, str(attribute.ref_attr_name), kind)
    if kind == ir.AttributeType.GRAPH:
        value = bodies[0]
    elif kind == ir.AttributeType.GRAPHS:
        value = bodies
    elif kind == ir.AttributeType.TENSOR:
        value = named(value, None)
    elif kind == ir.AttributeType.TENSORS:
        value = [named(tensor, None) for tensor in value]
    return ir.Attr(attribute.name, kind, value)


def copy_interface(value: ir.Value, made: ir.Value) -> None:
    """Give the new value the name, type and shape of this one."""
    made.name, made.type, made.shape = value.name, copied_type(value.type), _copied_shape(value.shape)
    if TYPE in value.meta:
        made.meta[TYPE] = value.meta[TYPE]


def _copied_shape(shape: ir.Shape | None) -> ir.Shape | None:
    return None if shape is None else ir.Shape(plain_dims(shape))


def copied_type(type_: ir.TypeProtocol | None) -> ir.TypeProtocol | None:
    """The type, without denotation."""
    if isinstance(type_, (ir.SequenceType, ir.OptionalType)):
        return type(type_)(copied_type(type_.elem_type))  # type: ignore[arg-type]
    return None if type_ is None else type(type_)(type_.dtype)  # type: ignore[call-arg]
