"""Specialise a model given as ONNX text: what the tests of passes share."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnx
import onnx_ir as ir

from freezer.model_io import load
from freezer.options import Options
from freezer.pipeline import Specialised, specialise


def freeze(text: str, values: dict[str, object] | None = None, worker=None, **options) -> Specialised:
    """The residual of a text model with inputs bound to values of their declared dtype."""
    model = onnx.parser.parse_model(text)
    types = {i.name: ir.DataType(i.type.tensor_type.elem_type) for i in model.graph.input}
    tensors = {n: ir.Tensor(np.asarray(v, types[n].numpy()), dtype=types[n]) for n, v in (values or {}).items()}
    bindings = SimpleNamespace(values=tensors, dims={}, shapes={})
    return specialise(load(model), bindings, Options(**options), worker)


def ops(result: Specialised) -> list[str]:
    """Op types of the residual, bodies included, in order."""
    return [n.op_type for n in result.model.graph.all_nodes()]


def reasons(result: Specialised) -> str:
    return "; ".join(s.reason for s in result.log.residuals)
