"""Small models, and what verify() wants to know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnx_ir as ir

from freezer.model_io import load
from freezer.verification import Verdict, verify

HEADER = '<ir_version: 10, opset_import: ["": 21, "ai.onnx.ml": 3, "local": 1]> '


@dataclass
class Bound:
    """What verify() needs of Bindings."""

    values: dict[str, Any] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int | str | None, ...]] = field(default_factory=dict)


def parse(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(HEADER + text)


def bound(values: dict[str, np.ndarray] | None = None, **dims: int) -> Bound:
    return Bound({name: ir.tensor(array) for name, array in (values or {}).items()}, dims)


def judged(original: str | onnx.ModelProto, residual: str | onnx.ModelProto, bindings: Bound | None = None,
           **options: Any) -> Verdict:  # fmt: skip
    """The verdict on two models in text form."""
    protos = [parse(m) if isinstance(m, str) else m for m in (original, residual)]
    return verify(load(protos[0]), load(protos[1]).model, bindings or bound(), **options)
