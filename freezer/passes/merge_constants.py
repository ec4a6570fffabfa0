"""Equal constants become one."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable

import onnx_ir as ir

from freezer.model_io.walk import graphs_in
from freezer.naming import name_of
from freezer.passes.edit import Editor
from freezer.passes.log import Log

_CHUNK = 1 << 22
_SAMPLE = 64  # bytes at either end: enough to tell nearly all weights apart without hashing them


class ConstantMerger:
    """Merges constants of the same type, shape and bits; remembers what it has read between rounds."""

    def __init__(self) -> None:
        self._sketches: dict[ir.Value, Hashable] = {}
        self._digests: dict[ir.Value, Hashable] = {}

    def merge(self, model: ir.Model, editor: Editor, log: Log) -> None:
        """Let readers of equal constants read one; one that several bodies have moves to the main graph."""
        alike: dict[Hashable, list[ir.Value]] = {}
        for graph in graphs_in(model.graph):
            for value in graph.initializers.values():
                if _may_merge(value):
                    alike.setdefault(self._sketch(value), []).append(value)
        for values in alike.values():
            if len(values) > 1:
                self._merge(values, model.graph, editor, log)

    def _merge(self, values: list[ir.Value], main: ir.Graph, editor: Editor, log: Log) -> None:
        first: dict[Hashable, ir.Value] = {}
        for value in values:
            kept = first.setdefault(self._digest(value), value)
            if kept is not value and value.graph is not None and log.spend("merge_constants", value.name):
                _hoist(kept, main)
                value.graph.initializers.pop(name_of(value))
                editor.replace(value, kept)

    def _sketch(self, value: ir.Value) -> Hashable:
        if value not in self._sketches:
            assert value.const_value is not None
            self._sketches[value] = _sketch(value.const_value)
        return self._sketches[value]

    def _digest(self, value: ir.Value) -> Hashable:
        if value not in self._digests:
            assert value.const_value is not None
            self._digests[value] = _digest(value.const_value)
        return self._digests[value]


def _may_merge(value: ir.Value) -> bool:
    if value.is_graph_input() or value.is_graph_output() or value.const_value is None:
        return False
    return not _is_overwritten(value)


def _is_overwritten(value: ir.Value) -> bool:
    """Whether a BatchNormalization that trains reads it: onnxruntime lets it write its statistics over what it read."""
    return any(n.op_type == "BatchNormalization" and len(n.outputs) > 1 for n in value.consumers())


def _hoist(value: ir.Value, main: ir.Graph) -> None:
    """Make a body's constant one of the main graph, where every body can read it."""
    graph = value.graph
    if graph is not None and graph is not main:
        graph.initializers.pop(name_of(value))
        main.register_initializer(value)


def _sketch(tensor: ir.TensorProtocol) -> Hashable:
    """Type, shape and a few bytes; external data is known by its place and never read."""
    shape = tuple(int(d) for d in tensor.shape)  # type: ignore[arg-type]
    if isinstance(tensor, ir.ExternalTensor):
        return tensor.dtype, shape, tensor.path, tensor.offset, tensor.length
    if tensor.dtype == ir.DataType.STRING:
        return tensor.dtype, shape, tuple(tensor.string_data())  # type: ignore[attr-defined]
    content = tensor.tobytes()
    return tensor.dtype, shape, content[:_SAMPLE], content[-_SAMPLE:]


def _digest(tensor: ir.TensorProtocol) -> Hashable:
    if isinstance(tensor, ir.ExternalTensor) or tensor.dtype == ir.DataType.STRING:
        return _sketch(tensor)
    content, digest = memoryview(tensor.tobytes()), hashlib.blake2b(digest_size=16)
    for start in range(0, len(content), _CHUNK):
        digest.update(content[start : start + _CHUNK])
    return digest.digest()
