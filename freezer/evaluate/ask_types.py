"""The types of a node's outputs by onnx's own inference, for ops without a transfer function of ours."""

from __future__ import annotations

from typing import Any

import onnx
import onnx_ir as ir

from freezer.evaluate.evaluator import Evaluator
from freezer.facts.dims import Dim, Expr
from freezer.facts.fact import UNKNOWN, Fact
from freezer.facts.table import Facts, known, unknown_dim

_MOST_DATA = 1024  # bytes of a constant operand that inference may want to read


def ask_types(node: ir.Node, facts: Facts, evaluator: Evaluator) -> list[Fact]:
    """Facts of the outputs (dtype and shape only), UNKNOWN where onnx cannot tell.

    Names and symbols are numbered by position, so that equal layers ask equal questions.
    """
    symbols: dict[Expr, str] = {}
    proto = _renamed(node)
    types = {f"i{i}": _type_proto(facts.of(v), symbols) for i, v in enumerate(node.inputs) if v is not None}
    data = {f"i{i}": d for i, v in enumerate(node.inputs) if v is not None and (d := _data(v)) is not None}
    request: dict[str, Any] = {
        "types": list(types), "data": list(data), "opset": list(facts.opset_imports.items()), "ir_version": 10,
    }  # fmt: skip
    messages: list[Any] = [proto, *types.values(), *data.values()]
    buffers = [p.SerializeToString() for p in messages]
    answer, raw = evaluator.infer(request, buffers)
    by_name = {text: expr for expr, text in symbols.items()}
    found = {n: onnx.TypeProto.FromString(bytes(b)) for n, b in zip(answer["outputs"], raw, strict=True)}
    return [_fact(v, found.get(f"o{i}"), by_name) for i, v in enumerate(node.outputs)]


def _renamed(node: ir.Node) -> onnx.NodeProto:
    proto = ir.serde.serialize_node(node)
    inputs = [f"i{i}" if n else "" for i, n in enumerate(proto.input)]
    outputs = [f"o{i}" if n else "" for i, n in enumerate(proto.output)]
    del proto.input[:], proto.output[:], proto.metadata_props[:]
    proto.input.extend(inputs)
    proto.output.extend(outputs)
    proto.name = proto.doc_string = ""
    return proto


def _type_proto(fact: Fact, symbols: dict[Expr, str]) -> onnx.TypeProto:
    if fact.dtype is None:
        return ir.serde.serialize_type(fact.type) if fact.type is not None else onnx.TypeProto()
    dims = None if fact.shape is None else [_dim(d, symbols) for d in fact.shape]
    return onnx.helper.make_tensor_type_proto(int(fact.dtype), dims)


def _dim(dim: Dim, symbols: dict[Expr, str]) -> int | str:
    if isinstance(dim, int):
        return dim
    return symbols.setdefault(dim, f"d{len(symbols)}")


def _data(value: ir.Value) -> onnx.TensorProto | None:
    tensor = known(value)
    if tensor is None or tensor.dtype == ir.DataType.STRING or tensor.nbytes > _MOST_DATA:
        return None
    shape = [int(d) for d in tensor.shape]  # type: ignore[arg-type]
    return onnx.TensorProto(data_type=int(tensor.dtype), dims=shape, raw_data=tensor.tobytes())


def _fact(value: ir.Value, proto: onnx.TypeProto | None, by_name: dict[str, Expr]) -> Fact:
    if proto is None or proto.WhichOneof("value") is None:
        return UNKNOWN
    if not proto.HasField("tensor_type"):
        return Fact(type=_not_a_tensor(proto))
    tensor = proto.tensor_type
    dtype = ir.DataType(tensor.elem_type) if tensor.elem_type else None
    if not tensor.HasField("shape"):
        return Fact(dtype)
    dims = tuple(_known_dim(value, i, d, by_name) for i, d in enumerate(tensor.shape.dim))
    return Fact(dtype, dims)


def _not_a_tensor(proto: onnx.TypeProto) -> ir.TypeProtocol:
    try:
        found = ir.serde.deserialize_type_proto_for_type(proto)
    except ir.serde.SerdeError:  # onnx_ir has no maps
        found = None
    return found or ir.OptionalType(ir.TensorType(ir.DataType.UNDEFINED))


def _known_dim(value: ir.Value, axis: int, dim: Any, by_name: dict[str, Expr]) -> Dim:
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return dim.dim_value
    return by_name.get(dim.dim_param) or unknown_dim(value, axis)
