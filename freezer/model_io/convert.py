"""Between protobuf and onnx_ir, with what onnx_ir cannot hold put aside and back."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnx
import onnx_ir as ir

from freezer.errors import LimitError, ModelError
from freezer.model_io.slots import slots
from freezer.model_io.walk import graphs

TYPE = "freezer.onnx_type"  # in Value.meta: the serialised TypeProto of an input or output onnx_ir has no type for


def from_proto(proto: onnx.ModelProto, folder: str = "") -> ir.Model:
    """The onnx_ir form of a checked private copy, whose tensors it shares; external tensors get their folder.

    Types with maps or opaque types in them are not onnx_ir's: such inputs and outputs keep theirs in
    `meta`, where `to_proto` finds it. Raises ModelError.
    """
    inputs, outputs = _put_aside(proto.graph.input), _put_aside(proto.graph.output)
    for graph in _graphs(proto):
        _put_aside([*graph.value_info, *graph.input, *graph.output])
    try:
        with _collector_paused():
            model = ir.from_proto(proto)
    except (ir.serde.SerdeError, ValueError, TypeError, NotImplementedError, RecursionError) as error:
        raise ModelError(f"the model breaks ONNX's rules: {_innermost(error)}") from None
    for values, types in ((model.graph.inputs, inputs), (model.graph.outputs, outputs)):
        for index, content in types.items():
            values[index].meta[TYPE] = content
    if folder:
        _set_folder(model, folder)
    return model


def to_proto(model: ir.Model) -> onnx.ModelProto:
    """The protobuf form; nothing that is external is read. Raises LimitError for more than 2 GiB.

    Unlike onnx_ir's it restores types with maps in them and does not declare types of initializers.
    """
    try:
        with _untyped_constants(model), _collector_paused():
            proto = ir.to_proto(model)
    except MemoryError:
        raise LimitError("not enough memory to write the model") from None
    except (ir.serde.SerdeError, ValueError, TypeError) as error:  # text that is not UTF-8
        raise ModelError(f"the model cannot be written: {_innermost(error)}") from error
    for values, infos in ((model.graph.inputs, proto.graph.input), (model.graph.outputs, proto.graph.output)):
        for value, info in zip(values, infos, strict=True):
            if content := value.meta.get(TYPE):
                info.type.ParseFromString(content)
    return proto


def serialise(proto: onnx.ModelProto) -> bytes:
    """The bytes of a model, the same in every run. Raises LimitError for more than 2 GiB."""
    try:
        return proto.SerializeToString(deterministic=True)
    except Exception as error:  # protobuf's EncodeError, or ValueError, by implementation
        raise LimitError(f"the model cannot be written as one file: {error}; use external data") from None


def _put_aside(infos: Any) -> dict[int, bytes]:
    """Clear the types that onnx_ir cannot read; what they were, by position."""
    aside = {}
    for index, info in enumerate(infos):
        if not info.type.HasField("tensor_type") and _is_odd(info.type):
            aside[index] = info.type.SerializeToString()
            info.ClearField("type")
    return aside


def _is_odd(type_: onnx.TypeProto) -> bool:
    while kind := type_.WhichOneof("value"):
        if kind in ("tensor_type", "sparse_tensor_type"):
            return False
        if kind not in ("sequence_type", "optional_type"):
            return True
        type_ = getattr(type_, kind).elem_type
    return True


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    stack = [[model.graph], *([g for n in f.node for g in _bodies(n)] for f in model.functions)]
    for several in stack:
        yield from several
        stack.extend([b] for g in several for n in g.node for b in _bodies(n))


def _bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == onnx.AttributeProto.GRAPHS:
            yield from attribute.graphs


@contextmanager
def _untyped_constants(model: ir.Model) -> Iterator[None]:
    """The model as it is written, and as it was afterwards.

    Without types, initializers get no value_info that repeats what their tensors say and makes the file grow.
    """
    constants = [v for g in graphs(model) for v in g.initializers.values()]
    typed = [(v, v.type, v.shape) for v in constants if not (v.is_graph_input() or v.is_graph_output())]
    named = [(v.const_value, v.const_value.name) for v in constants if v.const_value is not None]
    try:
        for value, _, _ in typed:
            value.type = value.shape = None
        yield
    finally:
        for value, type_, shape in typed:
            value.type, value.shape = type_, shape
        for tensor, name in named:  # onnx_ir gives tensors the names of their values
            if tensor.name != name:
                tensor.name = name


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Python's cycle collector doubles the time that making very many objects takes."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _set_folder(model: ir.Model, folder: str) -> None:
    for slot in slots(model):
        if isinstance(slot.tensor, ir.ExternalTensor):
            slot.tensor.base_dir = folder


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]


def to_kind(model: ir.Model, kind: str) -> Any:
    """The model as the kind that came in: "ir" itself, "graphsurgeon" a Graph, "proto" and "path" a ModelProto."""
    if kind == "ir":
        return model
    proto = to_proto(model)
    if kind != "graphsurgeon":
        return proto
    import onnx_graphsurgeon

    return onnx_graphsurgeon.import_onnx(proto)


def folder_of(model: ir.Model) -> str | None:
    """The one folder that a model's external tensors lie in; None without external tensors. Raises ModelError."""
    external = (s.tensor for s in slots(model) if isinstance(s.tensor, ir.ExternalTensor))
    folders = {os.path.abspath(t.base_dir or ".") for t in external}
    if len(folders) > 1:
        raise ModelError(f"the model's external data lies in {len(folders)} folders; save it as one file first")
    return folders.pop() if folders else None
