"""Values that have a dtype of their own, and all values as tensors of the model's dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from freezer.bindings.literals import Loss
from freezer.errors import FreezerError
from freezer.model_io.tensors import check_tensor

_NAMES = {ir.DataType.FLOAT: "float32", ir.DataType.DOUBLE: "float64"}
_SCALARS = (bool, int, float, complex, str, bytes)


def dtype_name(dtype: ir.DataType) -> str:
    """As numpy says it: float32, int64."""
    return _NAMES.get(dtype, dtype.name.lower())


def is_literal(value: Any) -> bool:
    """Whether a value is a Python scalar or nested lists of them: without a dtype of its own."""
    if isinstance(value, (list, tuple)):
        return all(is_literal(item) for item in value)
    return isinstance(value, _SCALARS) and not isinstance(value, np.generic)


def as_tensor(value: Any) -> ir.TensorProtocol:
    """Any array as an onnx_ir tensor: numpy, TensorProto, onnx_ir, torch, or what __array__ gives. Raises Loss."""
    if isinstance(value, onnx.TensorProto):
        try:
            check_tensor(value, _refuse_external)
        except FreezerError as error:
            raise Loss(f"is a TensorProto that cannot be used: {error}") from None
        return ir.serde.deserialize_tensor(value)
    if isinstance(value, np.ndarray | np.generic):
        return _from_numpy(np.asarray(value))
    if isinstance(value, ir.TensorProtocol):
        return value
    if type(value).__module__.partition(".")[0] == "torch":
        return _from_numpy(_torch_array(value))
    if isinstance(value, (list, tuple)):
        return _from_numpy(np.asarray(value))
    if hasattr(value, "__array__"):
        return _from_numpy(np.asarray(value))
    raise Loss(f"is a {type(value).__name__}, which is not a tensor")


def _refuse_external(tensor: onnx.TensorProto, nbytes: int) -> None:
    raise Loss("is a TensorProto whose data is in another file")


def _torch_array(value: Any) -> np.ndarray:
    return ir.tensor(value.detach().cpu().contiguous()).numpy()


def _from_numpy(array: np.ndarray) -> ir.TensorProtocol:
    if array.dtype.kind in "USO":
        return _strings(array)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    try:
        dtype = ir.DataType.from_numpy(native.dtype)
    except TypeError:
        raise Loss(f"has the numpy dtype {array.dtype}, which ONNX does not know") from None
    return ir.Tensor(native, dtype=dtype)


def _strings(array: np.ndarray) -> ir.StringTensor:
    items = array.reshape(-1).tolist()
    if not all(isinstance(item, (str, bytes)) for item in items):
        raise Loss("is an array of Python objects that are not all strings")
    return string_tensor([item.encode() if isinstance(item, str) else item for item in items], array.shape)


def string_tensor(items: list[bytes], shape: tuple[int, ...]) -> ir.StringTensor:
    content = np.empty(len(items), object)
    content[:] = items
    return ir.StringTensor(content.reshape(shape), shape=ir.Shape(shape))


def advice(dtype: ir.DataType) -> str:
    """How to convert an array."""
    if dtype == ir.DataType.STRING:
        return ".astype(str)"
    module = "np" if dtype.numpy().kind != "V" and dtype.numpy().type.__module__ == "numpy" else "ml_dtypes"
    return f".astype({module}.{dtype.numpy().name})"
