"""Every tensor of a model, wherever it hides: initializers, attributes, subgraphs, functions, sparse tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import onnx

from freezer.errors import ModelError
from freezer.model_io.sparse import dense
from freezer.model_io.structure import describe
from freezer.model_io.tensors import External, check_tensor

_A = onnx.AttributeProto
_FIELDS = {
    "f": _A.FLOAT, "i": _A.INT, "s": _A.STRING, "t": _A.TENSOR, "g": _A.GRAPH, "floats": _A.FLOATS, "ints": _A.INTS,
    "strings": _A.STRINGS, "tensors": _A.TENSORS, "graphs": _A.GRAPHS, "tp": _A.TYPE_PROTO,
    "type_protos": _A.TYPE_PROTOS, "sparse_tensor": _A.SPARSE_TENSOR, "sparse_tensors": _A.SPARSE_TENSORS,
}  # fmt: skip
_PLAIN = frozenset({_A.FLOAT, _A.INT, _A.STRING, _A.FLOATS, _A.INTS, _A.STRINGS, _A.TYPE_PROTO, _A.TYPE_PROTOS})


class Contents:
    """Checks all tensors of a model, and writes in the plain form what onnx_ir cannot hold.

    1. a tensor whose data has not the size that dtype and dims need: ModelError.
    2. an attribute without a type (IR version 1): it gets the type of the field that is set.
    3. an attribute outside functions that has a value and also refers to a function's attribute: the value.
    4. an initializer of a body that is also its input: dropped.
    5. a sparse initializer or a Constant's sparse_value: stored dense, if that is not too large.
    """

    def __init__(self, external: External, folder: str) -> None:
        self._external = external
        self._folder = folder
        self._in_function = False
        self.notes: list[str] = []

    def settle(self, model: onnx.ModelProto) -> None:
        """Check the model, a private copy, and change it in place."""
        self._graph(model.graph)
        self._in_function = True
        for function in model.functions:
            self._nodes(function.node)
            for attribute in function.attribute_proto:
                self._attribute(attribute, f"function '{function.name}'")

    def _graph(self, graph: onnx.GraphProto) -> None:
        for tensor in graph.initializer:
            check_tensor(tensor, self._external)
        for sparse in graph.sparse_initializer:
            graph.initializer.append(self._dense(sparse, sparse.values.name))
        graph.ClearField("sparse_initializer")
        self._nodes(graph.node)

    def _nodes(self, nodes: Iterable[onnx.NodeProto]) -> None:
        for node in nodes:
            _check_names(node)
            for attribute in node.attribute:
                if attribute.ref_attr_name and not self._in_function and _has_value(attribute):
                    attribute.ClearField("ref_attr_name")  # onnxruntime reads the value
                if attribute.type not in _PLAIN:
                    self._attribute(attribute, node)

    def _attribute(self, attribute: Any, owner: onnx.NodeProto | str) -> None:
        if attribute.type == _A.UNDEFINED and not attribute.ref_attr_name:
            attribute.type = _infer_type(attribute, owner)
        kind = attribute.type
        if attribute.ref_attr_name:
            if kind in (_A.GRAPH, _A.GRAPHS):
                raise ModelError(f"{_words(owner)} takes its body '{attribute.name}' from a call; freezer keeps none")
            return
        if kind == _A.TENSOR:
            check_tensor(attribute.t, self._external)
        elif kind == _A.GRAPH:
            _drop_defaults(attribute.g)
            self._graph(attribute.g)
        elif kind in (_A.TENSORS, _A.GRAPHS):
            self._several(attribute)
        elif kind in (_A.SPARSE_TENSOR, _A.SPARSE_TENSORS):
            self._sparse(attribute, owner)

    def _several(self, attribute: onnx.AttributeProto) -> None:
        for tensor in attribute.tensors:
            check_tensor(tensor, self._external)
        for graph in attribute.graphs:
            _drop_defaults(graph)
            self._graph(graph)

    def _sparse(self, attribute: onnx.AttributeProto, owner: onnx.NodeProto | str) -> None:
        if attribute.name != "sparse_value" or isinstance(owner, str) or owner.op_type != "Constant":
            raise ModelError(f"{_words(owner)} has the sparse tensor '{attribute.name}', which freezer cannot keep")
        tensor = self._dense(attribute.sparse_tensor, owner.output[0] if owner.output else "")
        attribute.ClearField("sparse_tensor")
        attribute.name, attribute.type = "value", _A.TENSOR
        attribute.t.CopyFrom(tensor)

    def _dense(self, sparse: onnx.SparseTensorProto, name: str) -> onnx.TensorProto:
        check_tensor(sparse.values, self._external)
        check_tensor(sparse.indices, self._external)
        self.notes.append(f"the sparse tensor '{name}' is stored dense")
        return dense(sparse, name, self._folder)


def _check_names(node: onnx.NodeProto) -> None:
    names = [a.name for a in node.attribute]
    if len(names) > 1 and len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise ModelError(f"{describe(node)} has the attribute '{twice}' twice")


def _drop_defaults(body: onnx.GraphProto) -> None:
    """The inputs of a body are always fed: a default of one is never read."""
    inputs = {v.name for v in body.input}
    for index in reversed(range(len(body.initializer))):
        if body.initializer[index].name in inputs:
            del body.initializer[index]


def _has_value(attribute: onnx.AttributeProto) -> bool:
    return any(field.name in _FIELDS for field, _ in attribute.ListFields())


def _infer_type(attribute: onnx.AttributeProto, owner: onnx.NodeProto | str) -> Any:
    present = [field.name for field, _ in attribute.ListFields() if field.name in _FIELDS]
    if len(present) != 1:
        raise ModelError(f"attribute '{attribute.name}' of {_words(owner)} has no type")
    return _FIELDS[present[0]]


def _words(owner: onnx.NodeProto | str) -> str:
    return owner if isinstance(owner, str) else describe(owner)
