"""The copies of a model that are run: seeded alike, without a file path in them. Child side."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime as ort

SEED = 1.0
RANDOM_OPS = {
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout",
}  # fmt: skip
_LARGEST_INLINE = 1 << 30  # bytes of external data outside the main graph that may be copied into the model


@dataclass
class Copy:
    """proto: the model. data: its bytes for onnxruntime. external: values for its external initializers.
    random: it has nodes that draw random numbers, whose state moves on with every run.
    """

    proto: onnx.ModelProto
    data: bytes
    external: dict[str, ort.OrtValue] = field(default_factory=dict)
    random: bool = False


def make_copy(data: bytes, files: dict[str, str], values: dict[str, onnx.TensorProto]) -> Copy:
    """The copy of a serialised model. files: normal location in the model -> the path that was checked for it.

    values: contents for initializers that onnxruntime does not let be fed (before IR version 4 an
    initializer is a constant though it is listed as an input). Raises ValueError for a location
    that is not in `files` or data that lies outside its file.
    """
    proto = onnx.ModelProto.FromString(data)
    random = seed_random_nodes(proto)
    external = _attach(proto, files)
    changed = random | bool(external) | (proto.ir_version < 4 and _overwrite(proto, values))
    return Copy(proto, proto.SerializeToString() if changed else data, external, random)


def seed_random_nodes(proto: onnx.ModelProto) -> bool:
    """Give every random node the same seed; whether there was one.

    onnxruntime seeds a node without a seed by its position in the graph, which freezing changes.
    """
    found = False
    for node in all_nodes(proto):
        if node.op_type in RANDOM_OPS and node.domain in ("", "ai.onnx"):
            kept = [a for a in node.attribute if a.name != "seed"]
            del node.attribute[:]
            node.attribute.extend([*kept, _seed(node)])
            found = True
    return found


def _seed(node: onnx.NodeProto) -> onnx.AttributeProto:
    value: float | int = int(SEED) if node.op_type == "Dropout" else SEED
    return onnx.helper.make_attribute("seed", value)


def graphs(proto: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph and every subgraph, those of functions too."""
    todo: list[onnx.GraphProto] = [proto.graph, *_subgraphs(n for f in proto.functions for n in f.node)]
    while todo:
        graph = todo.pop(0)
        yield graph
        todo.extend(_subgraphs(graph.node))


def all_nodes(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node: of the main graph, of subgraphs, of functions."""
    for function in proto.functions:
        yield from function.node
    for graph in graphs(proto):
        yield from graph.node


def _subgraphs(nodes: Iterable[onnx.NodeProto]) -> list[onnx.GraphProto]:
    attributes = [a for node in nodes for a in node.attribute]
    return [g for a in attributes for g in ([a.g] if a.HasField("g") else a.graphs)]


def _tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every stored tensor, those of the main graph's initializers first."""
    for graph in graphs(proto):
        yield from graph.initializer
    for node in all_nodes(proto):
        for attribute in node.attribute:
            yield from ([attribute.t] if attribute.HasField("t") else attribute.tensors)


def _attach(proto: onnx.ModelProto, files: dict[str, str]) -> dict[str, ort.OrtValue]:
    """Replace each reference to a file: by a mapped value in the main graph, by the data elsewhere.

    onnxruntime takes values from outside only for the main graph, and its checker wants the files of
    the others to exist.
    """
    maps: dict[str, np.ndarray] = {}
    main = len(proto.graph.initializer)  # they come first
    given: dict[str, ort.OrtValue] = {}
    inline = 0
    for number, tensor in enumerate(_tensors(proto)):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        data = _content(tensor, files, maps)
        if number < main and (value := _mapped(tensor, data)) is not None:
            given[tensor.name] = value
            _point_nowhere(tensor)
        else:
            inline += data.nbytes
            if inline > _LARGEST_INLINE:
                raise ValueError("more than 1 GiB of external data lies in subgraphs")
            _store(tensor, data.tobytes())
    return given


def _content(tensor: onnx.TensorProto, files: dict[str, str], maps: dict[str, np.ndarray]) -> np.ndarray:
    """The bytes of an external tensor, mapped, as uint8."""
    entry = {e.key: e.value for e in tensor.external_data}
    location = os.path.normpath(entry.get("location", ""))
    if location not in files:
        raise ValueError(f"tensor '{tensor.name}' refers to data file '{location}', which was not checked")
    if location not in maps:
        empty = os.path.getsize(files[location]) == 0
        maps[location] = np.zeros(0, np.uint8) if empty else np.memmap(files[location], np.uint8, "r")
    start, length = int(entry.get("offset") or 0), int(entry.get("length") or nbytes(tensor))
    if start < 0 or length < 0 or start + length > maps[location].size:
        raise ValueError(f"the data of tensor '{tensor.name}' lies outside '{location}'")
    return maps[location][start : start + length]


def nbytes(tensor: onnx.TensorProto) -> int:
    """Bytes of a tensor as stored, from its type and dims."""
    bits = {"INT4": 4, "UINT4": 4, "FLOAT4E2M1": 4, "INT2": 2, "UINT2": 2}.get(_type_name(tensor))
    bits = bits or 8 * onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return -(-int(np.prod(tensor.dims, dtype=object)) * bits // 8)


def _type_name(tensor: onnx.TensorProto) -> str:
    return onnx.TensorProto.DataType.Name(tensor.data_type)


def _mapped(tensor: onnx.TensorProto, data: np.ndarray) -> ort.OrtValue | None:
    """The mapped bytes as a value; None for a type whose elements are smaller than a byte."""
    if _type_name(tensor) in ("INT4", "UINT4", "FLOAT4E2M1", "INT2", "UINT2") or data.size == 0:
        return None
    array = data.view(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).reshape(tuple(tensor.dims))
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array, tensor.data_type)


def _point_nowhere(tensor: onnx.TensorProto) -> None:
    for entry in tensor.external_data:
        if entry.key == "location":
            entry.value = "given"


def _store(tensor: onnx.TensorProto, raw: bytes) -> None:
    tensor.ClearField("external_data")
    tensor.data_location = onnx.TensorProto.DEFAULT
    tensor.raw_data = raw


def _overwrite(proto: onnx.ModelProto, values: dict[str, onnx.TensorProto]) -> bool:
    found = [t for t in proto.graph.initializer if t.name in values]
    for tensor in found:
        tensor.CopyFrom(values[tensor.name])
    return bool(found)
