"""Sparse constants, written dense: onnx_ir has no sparse tensors."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir

from freezer.errors import LimitError, ModelError
from freezer.model_io.tensors import byte_count, element_count

LARGEST_DENSE = 64 << 20  # bytes


def dense(sparse: onnx.SparseTensorProto, name: str, folder: str) -> onnx.TensorProto:
    """The dense form of a sparse tensor whose values and indices were checked; zeros are the fill.

    Indices are [n], linear, or [n, rank], and must rise strictly. Raises LimitError for more than
    LARGEST_DENSE bytes, before anything is allocated.
    """
    size, dtype = element_count(name, sparse.dims), ir.DataType(sparse.values.data_type)
    if dtype == ir.DataType.STRING or sparse.indices.data_type != ir.DataType.INT64:
        raise ModelError(f"the sparse tensor '{name}' must hold numbers and int64 indices")
    if max(byte_count(dtype.value, size), size) > LARGEST_DENSE:
        raise LimitError(f"the sparse tensor '{name}' would take {size} elements; at most {LARGEST_DENSE} B is allowed")
    values = ir.serde.deserialize_tensor(sparse.values, folder).numpy()
    places = _linear(sparse, name, ir.serde.deserialize_tensor(sparse.indices, folder).numpy())
    if values.shape != places.shape or (places[:-1] >= places[1:]).any() or (places.size and places[0] < 0):
        raise ModelError(f"the sparse tensor '{name}' has indices that do not rise, or not one for each value")
    if places.size and places[-1] >= size:
        raise ModelError(f"the sparse tensor '{name}' has an index outside its dims {list(sparse.dims)}")
    content = np.zeros(size, values.dtype)
    content[places] = values
    return ir.to_proto(ir.Tensor(content.reshape(list(sparse.dims)), dtype=dtype, name=name))


def _linear(sparse: onnx.SparseTensorProto, name: str, indices: np.ndarray) -> np.ndarray:
    if indices.ndim == 1:
        return indices
    dims = np.array(sparse.dims, np.int64)
    if indices.ndim != 2 or indices.shape[1] != len(dims) or (indices < 0).any() or (indices >= dims).any():
        raise ModelError(f"the sparse tensor '{name}' has indices outside its dims {list(sparse.dims)}")
    strides = np.append(np.cumprod(dims[:0:-1])[::-1], 1).astype(np.int64)
    return indices @ strides
