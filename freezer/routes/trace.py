"""Export a torch module with some of its arguments frozen, or with all of them as inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import onnx_ir as ir
import torch

from freezer.routes.call import Call, Leaf, bind
from freezer.routes.exporters import OPSET, Exported, run_exporter
from freezer.routes.shapes import axes_of
from freezer.routes.traced import outputs_of, traced
from freezer.routes.untouched import untouched


def export(
    module: torch.nn.Module,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    freeze: Mapping[str, Any] | None = None,
    exporter: str = "dynamo",
    opset: int = OPSET,
    dynamic_shapes: Mapping[str, Any] | None = None,
    input_names: Sequence[str] | None = None,
    folding: bool = False,
) -> ir.Model:
    """The model of `module` with the arguments of `freeze` inside it; its inputs are the other tensors.

    args, kwargs: example values of the free arguments, as in a call. Free numbers, bools, strings and
    None are constants of the trace. Inputs are named after the arguments, in signature order; an
    element of a tuple or dict is `argument_0`, `argument_key`. Parameters keep the module's names.
    exporter: "dynamo" or "torchscript". dynamic_shapes: argument name -> {axis: name}. input_names:
    other names for the inputs, in order. folding: the exporter's own constant folding; off, so that
    freezer's does it all. The module is left as it was. Weights are shared with it, not copied (dynamo).

    Raises UsageError for unknown names and clashing values, ExportRefused when the exporter fails.
    """
    call = bind(module, args, kwargs, freeze or {})
    return export_call(module, call, exporter, opset, dynamic_shapes, folding, is_free, input_names).model


def export_full(
    module: torch.nn.Module,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    freeze: Mapping[str, Any] | None = None,
    exporter: str = "dynamo",
    opset: int = OPSET,
    dynamic_shapes: Mapping[str, Any] | None = None,
    input_names: Sequence[str] | None = None,
    folding: bool = False,
) -> ir.Model:
    """The model of `module` with the arguments of `freeze` as inputs, their values as examples.

    Numbers and bools become tensors without axes (float32, int64, bool); dynamo keeps an int symbolic,
    so that it may be a size. None and strings stay inside. Everything else is as in `export`.
    """
    call = bind(module, args, kwargs, freeze or {})
    return export_call(module, call, exporter, opset, dynamic_shapes, folding, is_any_input, input_names).model


def export_call(
    module: torch.nn.Module,
    call: Call,
    exporter: str,
    opset: int,
    dynamic_shapes: Mapping[str, Any] | None,
    folding: bool,
    held: Callable[[Leaf], bool],
    input_names: Sequence[str] | None = None,
) -> Exported:
    """The export of a bound call; the leaves that `held` names are its inputs."""
    axes = axes_of(call.leaves, dynamic_shapes)
    renamed = call.renamed([leaf for leaf in call.leaves if held(leaf)], input_names)
    axes = {new.name: axes[old.name] for old, new in zip(call.leaves, renamed.leaves, strict=True) if old.name in axes}
    outputs = list(outputs_of(module, call))
    with untouched(module):
        subject = traced(module, renamed, held, outputs, buffers=exporter == "torchscript")
        return run_exporter(exporter, subject, axes, opset, folding)


def is_free(leaf: Leaf) -> bool:
    """Whether the leaf is an input of the partial model: a tensor that is not frozen."""
    return leaf.is_tensor and not leaf.frozen


def is_any_input(leaf: Leaf) -> bool:
    """Whether the leaf is an input of the full model: any tensor, and frozen numbers and bools."""
    return leaf.is_tensor or (leaf.frozen and isinstance(leaf.value, (bool, int, float)))
