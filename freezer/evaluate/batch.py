"""Cuts the static part that some values need out of a model, as a model of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import onnx
import onnx_ir as ir

from freezer.facts.table import known
from freezer.model_io.walk import subgraphs

PROBE = "fz_probe:"
_LEAST_IR_VERSION = 10  # initializers need not be inputs; int4


@dataclass
class Batch:
    """Nodes in topological order and the constants they read."""

    nodes: list[ir.Node]
    constants: list[ir.Value]


def captured(node: ir.Node) -> list[ir.Value]:
    """The outer values that a node's bodies read, each once."""
    found: dict[ir.Value, None] = {}
    inner: set[ir.Value] = set()
    stack = subgraphs(node)
    while stack:
        graph = stack.pop()
        inner.update(graph.inputs, graph.initializers.values())
        for child in graph:
            inner.update(child.outputs)
            found.update((v, None) for v in child.inputs if v is not None)
            stack.extend(subgraphs(child))
        found.update((v, None) for v in graph.outputs)
    return [v for v in found if v not in inner]


def reads(node: ir.Node) -> list[ir.Value]:
    """Everything a node depends on: its inputs and what its bodies capture."""
    direct = [v for v in node.inputs if v is not None]
    return direct + captured(node) if subgraphs(node) else direct


def collect(values: Iterable[ir.Value]) -> Batch:
    """The nodes and constants that the values (all of them static) are computed from."""
    order: list[ir.Node] = []
    constants: dict[ir.Value, None] = {}
    done: set[ir.Node] = set()
    stack: list[tuple[ir.Value, bool]] = [(v, False) for v in reversed(list(values))]
    while stack:
        value, expanded = stack.pop()
        node = value.producer()
        if node is None or known(value) is not None:
            constants[value] = None
        elif expanded and node not in done:
            done.add(node)
            order.append(node)
        elif node not in done:
            stack.append((value, True))
            stack.extend((v, False) for v in reversed(reads(node)))
    return Batch(order, list(constants))


def to_model(batch: Batch, wanted: Iterable[str], model: ir.Model, halves: Iterable[str] = ()) -> bytes:
    """The batch as a serialised model without inputs. Node i is named `fz<i>:`, for error messages.

    halves: float16 values; for each an output PROBE + name says what a reader of it would see as float32.
    """
    proto = onnx.ModelProto(ir_version=max(model.ir_version, _LEAST_IR_VERSION))
    for domain, version in {"": 1, **model.opset_imports}.items():
        proto.opset_import.add(domain=domain, version=version)
    proto.graph.name = "batch"
    for i, node in enumerate(batch.nodes):
        entry = ir.serde.serialize_node(node)
        entry.name = f"fz{i}:"
        proto.graph.node.append(entry)
    for value in batch.constants:
        proto.graph.initializer.append(_inline(value))
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    for name in halves:
        _probe(proto.graph, name)
    if any((n.domain, n.op_type, n.overload) in model.functions for n in batch.nodes):
        proto.functions.extend(ir.serde.serialize_function(f) for f in model.functions.values())
    return proto.SerializeToString()


def _probe(graph: onnx.GraphProto, name: str) -> None:
    """onnxruntime computes float16 in float32 and need not round in between; a reader that computes shows it."""
    one = onnx.TensorProto(name="fz_one", data_type=onnx.TensorProto.FLOAT16, raw_data=b"\x00\x3c")
    if not any(t.name == one.name for t in graph.initializer):
        graph.initializer.append(one)
    graph.node.add(op_type="Mul", input=[name, one.name], output=["fz_read" + name])
    cast = graph.node.add(op_type="Cast", input=["fz_read" + name], output=[PROBE + name])
    cast.attribute.add(name="to", type=onnx.AttributeProto.INT, i=onnx.TensorProto.FLOAT)
    graph.output.add(name=PROBE + name)


def _inline(value: ir.Value) -> onnx.TensorProto:
    tensor = known(value)
    assert tensor is not None, value
    if tensor.dtype == ir.DataType.STRING:
        proto = ir.serde.serialize_tensor(tensor)
    else:
        shape = [int(d) for d in tensor.shape]  # type: ignore[arg-type]
        proto = onnx.TensorProto(data_type=int(tensor.dtype), dims=shape, raw_data=tensor.tobytes())
    proto.name = value.name or ""
    return proto
