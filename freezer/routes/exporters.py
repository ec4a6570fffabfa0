"""torch's two exporters, each with its own folding off, behind one signature."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import onnx
import onnx_ir as ir
import torch
from onnx_ir.tensor_adapters import TorchTensor

from freezer.errors import ModelError, UsageError
from freezer.naming import make_names_unique
from freezer.routes.opset import lower_opset
from freezer.routes.shapes import Axes, export_dims, forget_made_up_dims, name_symbols
from freezer.routes.traced import Traced
from freezer.routes.untouched import quiet

OPSET = 18


class ExportRefused(ModelError):
    """The exporter does not take this module; `reason` is its own message."""

    def __init__(self, exporter: str, reason: str) -> None:
        super().__init__(f"torch's {exporter} exporter refuses this module: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Exported:
    """The model; warnings: where the tracer turned a tensor into a plain value, so that the trace holds for it only."""

    model: ir.Model
    warnings: list[str] = field(default_factory=list)


def export_dynamo(subject: Traced, axes: dict[str, Axes], opset: int, folding: bool) -> Exported:
    """torch.onnx.export(dynamo=True). Parameters keep their names; inputs and outputs get theirs."""
    values = tuple(v if type(v) is int else torch.as_tensor(v) for v in subject.values)
    program = torch.onnx.export(
        subject.module,
        values,
        dynamo=True,
        opset_version=max(opset, OPSET),
        dynamic_shapes=export_dims(values, [axes.get(name, {}) for name in subject.names]),
        optimize=folding,
        verbose=False,
    )
    assert program is not None
    model = program.model
    _name_interface(model, subject)
    name_symbols(model, axes)
    forget_made_up_dims(model)
    if opset < OPSET:
        lower_opset(model, opset)
    return Exported(model)


def export_torchscript(subject: Traced, axes: dict[str, Axes], opset: int, folding: bool) -> Exported:
    """torch.onnx.export(dynamo=False). Limit: 2 GB, the largest file of the format it writes."""
    names, outputs = subject.names, subject.outputs
    buffers = {name: (b, b._version, b.detach().clone()) for name, b in subject.module.named_buffers()}
    stream = io.BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(
            subject.module,
            tuple(torch.as_tensor(v) for v in subject.values),
            stream,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=opset,
            input_names=names,
            output_names=outputs,
            dynamic_axes={name: dict(a) for name, a in axes.items()},
            do_constant_folding=folding,
            keep_initializers_as_inputs=True,  # else it merges parameters that are equal
        )
    model = ir.from_proto(onnx.load_from_string(stream.getvalue()))
    _name_inputs(model, subject, axes)
    for name, (buffer, version, content) in buffers.items():
        if buffer._version != version and name in model.graph.initializers:  # the trace wrote into it
            model.graph.initializers[name].const_value = TorchTensor(content, name=name)
    forget_made_up_dims(model)
    return Exported(model, _tracer_warnings(caught))


EXPORTERS: dict[str, Callable[[Traced, dict[str, Axes], int, bool], Exported]] = {
    "dynamo": export_dynamo,
    "torchscript": export_torchscript,
}


def run_exporter(name: str, subject: Traced, axes: dict[str, Axes], opset: int, folding: bool) -> Exported:
    """Export with the exporter of that name. Raises UsageError for an unknown one, ExportRefused when it fails."""
    if name not in EXPORTERS:
        raise UsageError(f"unknown exporter '{name}'; there are: {', '.join(EXPORTERS)}")
    _check_names(subject)
    try:
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")
            exported = EXPORTERS[name](subject, axes, opset, folding)
    except Exception as error:  # whatever torch makes of a module is its answer
        raise ExportRefused(name, _reason(error)) from error
    _check_model(exported.model, name, subject, opset)
    return exported


def _name_interface(model: ir.Model, subject: Traced) -> None:
    """Name the inputs and outputs; an output that is an input or a constant, or given twice, gets an Identity."""
    graph = model.graph
    for value, name in zip(graph.inputs, subject.names, strict=True):
        value.name = name
    taken: set[ir.Value] = {*graph.inputs, *graph.initializers.values()}
    for index, (value, name) in enumerate(zip(list(graph.outputs), subject.outputs, strict=True)):
        if value in taken:
            node = ir.node("Identity", [value])
            graph.append(node)
            node.outputs[0].type, node.outputs[0].shape = value.type, value.shape
            graph.outputs[index] = value = node.outputs[0]
        taken.add(value)
        value.name = name
    make_names_unique(model)


def _name_inputs(model: ir.Model, subject: Traced, axes: dict[str, Axes]) -> None:
    """Exactly the traced tensors are inputs: parameters no longer, and again those that the trace does not use."""
    present = {v.name: v for v in model.graph.inputs}
    model.graph.inputs.clear()
    for leaf, example in zip(subject.inputs, subject.values, strict=True):
        model.graph.inputs.append(present.get(leaf.name) or _input(leaf.name, example, axes.get(leaf.name, {})))


def _input(name: str, example: Any, axes: Axes) -> ir.Value:
    tensor = torch.as_tensor(example)
    dims = [axes.get(axis, size) for axis, size in enumerate(tensor.shape)]
    return ir.Value(name=name, shape=ir.Shape(dims), type=ir.TensorType(TorchTensor(tensor).dtype))


def _check_names(subject: Traced) -> None:
    own = {n for n, _ in (*subject.module.named_parameters(), *subject.module.named_buffers())}
    both = sorted(own & set(subject.names))
    if both:
        raise UsageError(
            f"argument and parameter are both named '{both[0]}'; give the inputs other names: input_names="
        )


def _check_model(model: ir.Model, exporter: str, subject: Traced, opset: int) -> None:
    """The inputs and the opset are as asked. Raises ExportRefused."""
    names = [v.name for v in model.graph.inputs]
    if names != subject.names:
        raise ExportRefused(exporter, f"it kept the inputs {names} of {subject.names}")
    written = model.graph.opset_imports.get("", opset)
    if written != opset:
        raise ExportRefused(exporter, f"it wrote opset {written}, not {opset}")


def _tracer_warnings(caught: list[warnings.WarningMessage]) -> list[str]:
    found = [w for w in caught if issubclass(w.category, torch.jit.TracerWarning)]
    return [f"{w.filename}:{w.lineno}: {str(w.message).splitlines()[0].split('. ')[0]}" for w in found]


def _reason(error: BaseException) -> str:
    """The innermost cause in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text if len(text) <= 300 else text[:297] + '...'}"
