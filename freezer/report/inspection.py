"""What a model holds, without reading its weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from freezer.model_io import Source
from freezer.passes.tidy import graphs
from freezer.report.build import CONTROL_FLOW, RANDOM, side_of
from freezer.report.values import ValueInfo


@dataclass(frozen=True)
class Inspection:
    """Interface, opsets, op counts (bodies and functions included) and bytes of constants by dtype."""

    source: str
    inputs: list[ValueInfo]
    outputs: list[ValueInfo]
    opsets: dict[str, int]
    ir_version: int
    nodes: int
    ops: dict[str, int]
    control_flow: dict[str, int]
    random: dict[str, int]
    functions: list[str]
    bytes_by_dtype: dict[str, int]
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The inspection as JSON holds it."""
        return asdict(self)


def inspection_of(source: Source) -> Inspection:
    """Inspect a loaded model."""
    model, side = source.model, side_of(source.model)
    sizes: Counter[str] = Counter()
    for graph in graphs(model):
        tensors = [v.const_value for v in graph.initializers.values()]
        tensors += [n.attributes["value"].value for n in graph if n.op_type == "Constant" and "value" in n.attributes]
        for tensor in tensors:
            if tensor is not None:
                sizes[tensor.dtype.name.lower()] += tensor.nbytes
    return Inspection(
        source=str(source.path) if source.path is not None else f"<{source.kind}>",
        inputs=side.inputs,
        outputs=side.outputs,
        opsets={d or "ai.onnx": v for d, v in model.opset_imports.items()},
        ir_version=model.ir_version,
        nodes=side.nodes,
        ops=side.ops,
        control_flow={op: n for op, n in side.ops.items() if op in CONTROL_FLOW},
        random={op: n for op, n in side.ops.items() if op in RANDOM},
        functions=[f"{f.domain}.{f.name}" for f in model.functions.values()],
        bytes_by_dtype=dict(sizes.most_common()),
        notes=list(source.notes),
    )
