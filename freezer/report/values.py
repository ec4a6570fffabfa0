"""Inputs and outputs in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import onnx_ir as ir


@dataclass(frozen=True)
class ValueInfo:
    """An input or output. shape: sizes, names, or None for unnamed dims; None if the rank is unknown."""

    name: str
    dtype: str
    shape: list[int | str | None] | None
    default: bool = False

    def __str__(self) -> str:
        dims = "?" if self.shape is None else ", ".join("?" if d is None else str(d) for d in self.shape)
        return f"{self.name}: {self.dtype} [{dims}]{' (has a default)' if self.default else ''}"


def describe_value(value: ir.Value) -> ValueInfo:
    """Name, dtype and declared shape."""
    dtype = value.dtype.name.lower() if value.dtype is not None else "unknown"
    if value.type is not None and not isinstance(value.type, ir.TensorType):
        dtype = str(value.type)
    shape = None if value.shape is None else [_dim(d) for d in value.shape]
    return ValueInfo(value.name or "", dtype, shape, value.is_initializer())


def _dim(dim: Any) -> int | str | None:
    return dim if isinstance(dim, int) else dim.value
