"""How far a model's outputs are from those of the torch module it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnx_ir as ir
import torch
from onnx import numpy_helper
from onnx_ir.tensor_adapters import TorchTensor

from freezer.errors import FreezerError
from freezer.evaluate.child import Child
from freezer.model_io import serialise, to_proto
from freezer.routes.call import Call
from freezer.routes.traced import outputs_of, owned
from freezer.ulp import max_ulp

SECONDS = 120.0


class NotRunError(FreezerError):
    """onnxruntime has no kernel for some operator with these types, or fails otherwise."""


@dataclass(frozen=True)
class OutputDistance:
    """One output against torch's. relative: max_abs in units of torch's largest element. max_ulp: None for integers."""

    name: str
    max_abs: float
    relative: float
    max_ulp: int | None


def start_runner() -> Child:
    """The process that runs frozen models; for several comparisons in a row."""
    return Child("freezer.routes.runner")


def distances(
    module: torch.nn.Module, call: Call, model: ir.Model, runner: Child | None = None
) -> list[OutputDistance]:
    """Run the model in a child on the call's free tensors, the module itself on the same, and compare.

    Raises NotRunError if onnxruntime cannot run the model, FreezerError if a type or shape differs.
    """
    wanted = outputs_of(module, call)
    if runner is not None:
        return _distances(call, model, wanted, runner)
    with start_runner() as own:
        return _distances(call, model, wanted, own)


def _distances(call: Call, model: ir.Model, wanted: dict[str, torch.Tensor], runner: Child) -> list[OutputDistance]:
    inputs = [leaf for leaf in call.leaves if leaf.is_tensor and not leaf.frozen]
    buffers = [serialise(to_proto(model)), *(_tensor(owned(leaf.value)) for leaf in inputs)]
    header = {"names": [leaf.name for leaf in inputs], "seconds": SECONDS}
    answer, results = runner.call("run", header, buffers)
    if "error" in answer:
        raise NotRunError(f"onnxruntime cannot run the frozen model: {answer['error']}")
    arrays = [numpy_helper.to_array(onnx.TensorProto.FromString(bytes(r))) for r in results]
    return [_distance(name, TorchTensor(t).numpy(), a) for (name, t), a in zip(wanted.items(), arrays, strict=True)]


def _tensor(tensor: torch.Tensor) -> bytes:
    return ir.to_proto(TorchTensor(tensor.contiguous())).SerializeToString()


def _distance(name: str, wanted: np.ndarray, found: np.ndarray) -> OutputDistance:
    if wanted.dtype != found.dtype or wanted.shape != found.shape:
        raise FreezerError(
            f"output '{name}' is {found.dtype} {list(found.shape)}; torch gives {wanted.dtype} {list(wanted.shape)}"
        )
    a, b = wanted.astype(np.float64), found.astype(np.float64)
    with np.errstate(all="ignore"):
        gap = float(np.nanmax(np.where(a == b, 0.0, np.abs(a - b)), initial=0.0))
    largest = float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a)))
    is_float = wanted.dtype.kind not in "biu"
    return OutputDistance(name, gap, gap / largest if largest else gap, max_ulp(wanted, found) if is_float else None)
