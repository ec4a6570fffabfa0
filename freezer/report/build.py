"""What a freeze did, as data: for people (terminal.py), for machines (to_dict)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import onnx_ir as ir

from freezer.bindings import Bindings
from freezer.model_io import Source
from freezer.passes.rounds import constant_bytes
from freezer.passes.tidy import graphs
from freezer.pipeline import Specialised
from freezer.report.values import ValueInfo, describe_value
from freezer.verification import Verdict

CONTROL_FLOW = ("If", "Loop", "Scan")


@dataclass(frozen=True)
class Side:
    """A model before or after: ops counts bodies and functions too; nbytes of constants."""

    inputs: list[ValueInfo]
    outputs: list[ValueInfo]
    ops: dict[str, int]
    nbytes: int

    @property
    def nodes(self) -> int:
        """Nodes that are not Constant."""
        return sum(count for op, count in self.ops.items() if op != "Constant")

    @property
    def control_flow(self) -> dict[str, int]:
        return {op: self.ops[op] for op in CONTROL_FLOW if op in self.ops}


@dataclass(frozen=True)
class Reason:
    """Why nodes stayed: how many, and one of them."""

    reason: str
    count: int
    op_type: str
    example: str


@dataclass(frozen=True)
class Report:
    """What changed, what stayed and why, and whether the result was proven equal."""

    before: Side
    after: Side | None = None
    source: str = ""
    bound: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dead_inputs: list[str] = field(default_factory=list)
    constant_outputs: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    random: dict[str, int] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, int] = field(default_factory=dict)
    relaxed: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    verification: dict[str, Any] | None = None
    saved: dict[str, Any] | None = None

    @classmethod
    def of_source(cls, source: Source) -> Report:
        """The report as far as the source alone tells it."""
        name = str(source.path) if source.path is not None else f"<{source.kind}>"
        return cls(before=side_of(source.model), source=name, notes=list(source.notes))

    @property
    def unverified(self) -> str | None:
        """Why the result could not be verified; None if it was, or was not to be."""
        if self.verification is None or self.verification["status"] != "unverified":
            return None
        return self.verification["message"]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        whole = asdict(self)
        for name, side in (("before", self.before), ("after", self.after)):
            if side is not None:
                whole[name] |= {"nodes": side.nodes, "control_flow": side.control_flow}
        return whole


def side_of(model: ir.Model) -> Side:
    """Interface, op counts and bytes of constants of a model."""
    nodes = [*model.graph.all_nodes(), *(n for f in model.functions.values() for n in f.all_nodes())]
    ops = Counter(n.op_type if not n.domain else f"{n.domain}.{n.op_type}" for n in nodes)
    inputs, outputs = ([describe_value(v) for v in values] for values in (model.graph.inputs, model.graph.outputs))
    return Side(inputs, outputs, dict(ops.most_common()), constant_bytes(model))


def build_report(before: Report, result: Specialised, bindings: Bindings, verdict: Verdict | None) -> Report:
    """The report of a finished freeze."""
    model, log = result.model, result.log
    return replace(
        before,
        after=side_of(model),
        bound=[f"{name} = {describe_tensor(t)}" for name, t in bindings.values.items()],
        notes=[*before.notes, *bindings.notes],
        dead_inputs=[v.name or "" for v in model.graph.inputs if not v.uses() and not v.is_graph_output()],
        constant_outputs=[v.name or "" for v in model.graph.outputs if _is_constant(v)],
        reasons=grouped(log.residuals),
        random=dict(Counter(n.op_type for g in graphs(model) for n in g if n.op_type in RANDOM)),
        kept=[entry._asdict() for entry in log.kept],
        changes=dict(log.events.most_common()),
        relaxed=dict(log.relaxed),
        seconds={name: round(value, 4) for name, value in log.stages.items()},
        verification=verdict.to_dict() if verdict is not None else None,
    )


RANDOM = ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli")


def describe_tensor(tensor: ir.TensorProtocol) -> str:
    """dtype and shape, and the value where it is one number."""
    shape = [int(d) for d in tensor.shape]  # type: ignore[arg-type]
    text = f"{tensor.dtype.name.lower()} {shape}"
    if tensor.size == 1 and tensor.dtype != ir.DataType.STRING:
        text += f" {tensor.numpy().reshape(-1)[0]}"
    return text


def grouped(residuals: list[Any]) -> list[Reason]:
    """The reasons, the most frequent first, each with how many nodes it kept."""
    counts = Counter(s.reason for s in residuals)
    example = {s.reason: s for s in reversed(residuals)}
    return [Reason(r, n, example[r].op_type, example[r].node) for r, n in counts.most_common()]


def _is_constant(value: ir.Value) -> bool:
    node = value.producer()
    return value.is_initializer() or (node is not None and node.op_type == "Constant")
