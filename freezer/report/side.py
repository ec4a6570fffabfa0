"""A model in numbers: interface, ops, and where the bytes are. No external data is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import onnx_ir as ir

from freezer.bindings.arrays import dtype_name
from freezer.facts.determinism import KNOWN_DOMAINS, NONDETERMINISTIC, is_deterministic
from freezer.facts.table import Facts
from freezer.model_io.walk import graphs
from freezer.report.values import ValueInfo, describe_value

CONTROL_FLOW = ("If", "Loop", "Scan")
Kinds = dict[tuple[str, str], list[ir.Node]]  # nodes by domain and op type


@dataclass(frozen=True)
class Side:
    """A model before or after; bodies and functions count, Constant nodes count as constants.

    ops: nodes by op type. bytes_by_op: bytes of constants, by the op type that reads them first.
    bytes_by_dtype: the same by dtype. random: ops that draw numbers. unknown: ops of domains that freezer knows
    nothing of; like random ones they are never evaluated.
    """

    inputs: list[ValueInfo]
    outputs: list[ValueInfo]
    ops: dict[str, int]
    bytes_by_op: dict[str, int]
    bytes_by_dtype: dict[str, int]
    random: dict[str, int]
    unknown: dict[str, int]
    constant_outputs: list[str]

    @property
    def nodes(self) -> int:
        """Nodes that are not Constant."""
        return sum(self.ops.values())

    @property
    def nbytes(self) -> int:
        """Bytes of all constants."""
        return sum(self.bytes_by_op.values())

    @property
    def control_flow(self) -> dict[str, int]:
        """If, Loop and Scan, as far as there are any."""
        return {op: self.ops[op] for op in CONTROL_FLOW if op in self.ops}

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the fields and the sums."""
        return {"nodes": self.nodes, "nbytes": self.nbytes, "control_flow": self.control_flow, **asdict(self)}


def side_of(model: ir.Model) -> Side:
    """Count a model."""
    kinds: Kinds = {}
    for node in (n for g in graphs(model) for n in g):
        kinds.setdefault(("" if node.domain == "ai.onnx" else node.domain, node.op_type), []).append(node)
    kinds.pop(("", "Constant"), None)
    by_op, by_dtype = _bytes(model)
    return Side(
        inputs=[describe_value(v) for v in model.graph.inputs],
        outputs=[describe_value(v) for v in model.graph.outputs],
        ops=_counts(kinds),
        bytes_by_op=by_op,
        bytes_by_dtype=by_dtype,
        random=_counts(_random(kinds, model)),
        unknown=_counts(_unknown(kinds, model)),
        constant_outputs=[v.name or "" for v in model.graph.outputs if _is_known(v)],
    )


def op_name(node: ir.Node) -> str:
    """Relu; com.microsoft.Gelu."""
    return f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type


def _is_constant(node: ir.Node) -> bool:
    return node.op_type == "Constant" and node.domain in ("", "ai.onnx")


def _is_known(value: ir.Value) -> bool:
    node = value.producer()
    return (value.is_initializer() and not value.is_graph_input()) or (node is not None and _is_constant(node))


def _random(kinds: Kinds, model: ir.Model) -> Kinds:
    facts = Facts(dict(model.opset_imports))
    training = [n for n in kinds.get(("", "Dropout"), ()) if not is_deterministic(n, facts)]
    return {kind: nodes for kind, nodes in kinds.items() if kind in NONDETERMINISTIC} | {("", "Dropout"): training}


def _unknown(kinds: Kinds, model: ir.Model) -> Kinds:
    strange = {kind: nodes for kind, nodes in kinds.items() if kind[0] not in KNOWN_DOMAINS}
    return {kind: [n for n in nodes if n.op_identifier() not in model.functions] for kind, nodes in strange.items()}


def _counts(kinds: Kinds) -> dict[str, int]:
    """By count, then by name."""
    counts = [(op_name(nodes[0]), len(nodes)) for nodes in kinds.values() if nodes]
    return dict(sorted(counts, key=lambda item: (-item[1], item[0])))


def _bytes(model: ir.Model) -> tuple[dict[str, int], dict[str, int]]:
    by_op, by_dtype = Counter[str](), Counter[ir.DataType]()
    for reader, tensor in _tensors(model):
        nbytes = tensor.nbytes
        by_op[reader] += nbytes
        by_dtype[tensor.dtype] += nbytes
    return dict(by_op.most_common()), {dtype_name(dtype): nbytes for dtype, nbytes in by_dtype.most_common()}


def _tensors(model: ir.Model) -> Iterator[tuple[str, ir.TensorProtocol]]:
    """Every stored tensor, with the op type that reads it first."""
    for graph in graphs(model):
        for value in graph.initializers.data.values():
            if value.const_value is not None:
                yield _reader(value), value.const_value
        for node in graph:
            for tensor in [t for a in node.attributes.data.values() for t in _stored(a)]:
                yield _reader(node.outputs[0]) if node.outputs and _is_constant(node) else op_name(node), tensor


def _reader(value: ir.Value) -> str:
    for node, _ in value.uses():
        return op_name(node)
    return "(output)" if value.is_graph_output() else "(unread)"


def _stored(attribute: ir.Attr) -> list[ir.TensorProtocol]:
    kind = attribute.type
    if kind not in (ir.AttributeType.TENSOR, ir.AttributeType.TENSORS) or attribute.is_ref() or attribute.value is None:
        return []
    return [attribute.as_tensor()] if kind == ir.AttributeType.TENSOR else list(attribute.as_tensors())
