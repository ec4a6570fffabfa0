"""Unambiguous bytes for what identifies a node: every part with its length, so that no two lists read alike."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import onnx_ir as ir

from freezer.errors import ModelError
from freezer.model_io.convert import TYPE

GRAPHS = (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS)
_length = struct.Struct("<q").pack


def pack(*parts: bytes | str | int) -> bytes:
    """The parts, one after the other, each preceded by its type and length."""
    out: list[bytes] = []
    for part in parts:
        if isinstance(part, int):
            data, tag = str(int(part)).encode(), b"i"
        elif isinstance(part, str):
            data, tag = part.encode("utf-8", "surrogateescape"), b"s"
        else:
            data, tag = part, b"b"
        out += (tag, _length(len(data)), data)
    return b"".join(out)


def attribute_bytes(attribute: ir.Attr, content: Callable[[ir.TensorProtocol], bytes]) -> bytes:
    """Type and value of an attribute (not its name or doc string). content gives the digest of a tensor.

    Of graphs only how many inputs and outputs they have. Raises ModelError for sparse tensors.
    """
    if attribute.is_ref():
        return pack("reference", int(attribute.type), str(attribute.ref_attr_name))
    encode = _ENCODERS.get(attribute.type)
    if encode is None:
        raise ModelError(f"attribute '{attribute.name}' is a {attribute.type.name}; freezer cannot compare these yet")
    return pack(int(attribute.type), *encode(attribute.value, content))


def type_bytes(type_: ir.TypeProtocol | None, shape: ir.Shape | None) -> bytes:
    """Type and shape of an interface value; symbols by name, denotations left out."""
    layers: list[bytes | str | int] = []
    while isinstance(type_, (ir.SequenceType, ir.OptionalType)):
        layers.append(type(type_).__name__)
        type_ = type_.elem_type
    layers += ["unknown"] if type_ is None else [type(type_).__name__, int(type_.dtype)]
    return pack(*layers, *(["unranked"] if shape is None else [pack(*map(_dim, plain_dims(shape)))]))


def interface_bytes(value: ir.Value) -> bytes:
    """Name, type and shape of an input or output of the main graph."""
    odd_type = value.meta.get(TYPE, b"")  # a map: onnx_ir has no type for it
    return pack(value.name or "", type_bytes(value.type, value.shape), odd_type)


def plain_dims(shape: ir.Shape) -> list[int | str | None]:
    """The dims of a shape as ints, symbol names and None."""
    return [dim if isinstance(dim, int) else (dim.value or None) for dim in shape]


def _dim(dim: int | str | None) -> bytes:
    return pack("unknown") if dim is None else pack(dim)


def _text(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def _float32(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))


def _interface(graph: ir.Graph) -> bytes:
    return pack(len(graph.inputs), len(graph.outputs))


Parts = list[Any]
_KIND = ir.AttributeType
_ENCODERS: dict[ir.AttributeType, Callable[[Any, Callable[[Any], bytes]], Parts]] = {
    _KIND.INT: lambda value, _: [int(value)],
    _KIND.INTS: lambda value, _: [int(item) for item in value],
    _KIND.FLOAT: lambda value, _: [_float32(value)],
    _KIND.FLOATS: lambda value, _: [_float32(item) for item in value],
    _KIND.STRING: lambda value, _: [_text(value)],
    _KIND.STRINGS: lambda value, _: [_text(item) for item in value],
    _KIND.TENSOR: lambda value, content: [content(value)],
    _KIND.TENSORS: lambda value, content: [content(item) for item in value],
    _KIND.GRAPH: lambda value, _: [_interface(value)],
    _KIND.GRAPHS: lambda value, _: [_interface(item) for item in value],
    _KIND.TYPE_PROTO: lambda value, _: [type_bytes(value.type, value.shape)],
    _KIND.TYPE_PROTOS: lambda value, _: [type_bytes(item.type, item.shape) for item in value],
    _KIND.UNDEFINED: lambda value, _: [],
}
