"""Constants made by freezer itself."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.fact import Fact


def from_elements(fact: Fact) -> ir.TensorProtocol:
    """The tensor of a fact whose shape and elements are all known."""
    assert fact.dtype is not None
    return ir.tensor(np.array(fact.known_elements, dtype=fact.dtype.numpy()).reshape(fact.known_shape))


def empty(dtype: ir.DataType, shape: tuple[int, ...]) -> ir.TensorProtocol:
    """A tensor without elements: one of the dims is 0."""
    if dtype == ir.DataType.STRING:
        return ir.StringTensor(np.empty(shape, object), shape=ir.Shape(shape))
    return ir.Tensor(np.empty(shape, dtype.numpy()), dtype=dtype)


def scalar(value: int | bool) -> ir.TensorProtocol:
    """An int64 or bool tensor of rank 0."""
    return ir.tensor(np.array(value, np.bool_ if isinstance(value, bool) else np.int64))


def vector(values: list[int]) -> ir.TensorProtocol:
    """An int64 tensor of rank 1."""
    return ir.tensor(values, dtype=ir.DataType.INT64)
