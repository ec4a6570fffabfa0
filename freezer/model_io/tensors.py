"""Whether a stored tensor is what its dtype and dims say, found out without reading its content."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import onnx_ir as ir

from freezer.errors import ModelError

_LARGEST_RANK = 32  # numpy before 2.0
_LARGEST_BYTES = 1 << 62
_BITS = {d.value: d.bitwidth for d in ir.DataType if d not in (ir.DataType.UNDEFINED, ir.DataType.STRING)}
_STRING = ir.DataType.STRING.value
_FIELDS = {  # dtypes whose typed field is not int32_data: the field, and its items for each element
    ir.DataType.FLOAT.value: ("float_data", 1),
    ir.DataType.COMPLEX64.value: ("float_data", 2),
    ir.DataType.DOUBLE.value: ("double_data", 1),
    ir.DataType.COMPLEX128.value: ("double_data", 2),
    ir.DataType.INT64.value: ("int64_data", 1),
    ir.DataType.UINT64.value: ("uint64_data", 1),
    ir.DataType.UINT32.value: ("uint64_data", 1),
    _STRING: ("string_data", 1),
}
_RANGES = {  # of the items of typed fields that are wider than the type
    ir.DataType.BOOL.value: (0, 1), ir.DataType.INT8.value: (-128, 127), ir.DataType.UINT8.value: (0, 255),
    ir.DataType.INT16.value: (-(1 << 15), (1 << 15) - 1), ir.DataType.UINT16.value: (0, (1 << 16) - 1),
    ir.DataType.FLOAT16.value: (0, (1 << 16) - 1), ir.DataType.BFLOAT16.value: (0, (1 << 16) - 1),
    ir.DataType.UINT32.value: (0, (1 << 32) - 1),
}  # fmt: skip
_DATA_FIELDS = ("int32_data", *dict.fromkeys(field for field, _ in _FIELDS.values()))

External = Callable[[onnx.TensorProto, int], None]


def check_tensor(tensor: onnx.TensorProto, external: External) -> None:
    """Raise ModelError unless the stored data has exactly the size that dtype and dims need.

    external: called for a tensor whose data is in another file, with the bytes it needs.
    """
    dtype, size = tensor.data_type, element_count(tensor.name, tensor.dims)
    if dtype != _STRING and dtype not in _BITS:
        raise ModelError(f"tensor '{tensor.name}' has the unknown element type {dtype}")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        if dtype == _STRING:
            raise ModelError(f"tensor '{tensor.name}' holds strings, which cannot be external data")
        external(tensor, byte_count(dtype, size))
    elif tensor.HasField("raw_data"):
        if dtype == _STRING:
            raise ModelError(f"tensor '{tensor.name}' holds strings, which cannot be raw data")
        _expect(tensor, "bytes of raw data", len(tensor.raw_data), byte_count(dtype, size))
        if dtype == ir.DataType.BOOL and tensor.raw_data.translate(None, b"\0\1"):
            raise ModelError(f"tensor '{tensor.name}' is bool and holds a byte that is neither 0 nor 1")
        _expect_no_other(tensor, "raw_data")
    else:
        field, items = _FIELDS.get(dtype, ("int32_data", 1))
        wanted = size * items if field != "int32_data" else -(-size * min(_BITS[dtype], 8) // 8)
        _expect(tensor, f"items of {field}", len(getattr(tensor, field)), wanted)
        _expect_no_other(tensor, field)
        _expect_range(tensor, field, dtype)


def element_count(name: str, dims: list[int]) -> int:
    """The number of elements of a tensor; ModelError for dims that cannot be."""
    if len(dims) > _LARGEST_RANK:
        raise ModelError(f"tensor '{name}' has {len(dims)} dimensions; at most {_LARGEST_RANK} are supported")
    size, extent = 1, 1
    for dim in dims:
        if dim < 0:
            raise ModelError(f"tensor '{name}' has the negative dimension {dim}")
        size *= dim
        extent *= dim or 1
    if extent * 16 >= _LARGEST_BYTES:
        raise ModelError(f"tensor '{name}' has dims {list(dims)}, more elements than can be addressed")
    return size


def byte_count(dtype: int, size: int) -> int:
    """Bytes of `size` elements; 4-bit elements are packed two a byte."""
    return -(-size * _BITS[dtype] // 8)


def _expect_no_other(tensor: onnx.TensorProto, field: str) -> None:
    for other in _DATA_FIELDS:
        if other != field and len(getattr(tensor, other)):
            raise ModelError(f"tensor '{tensor.name}' has data in {field} and in {other}")


def _expect_range(tensor: onnx.TensorProto, field: str, dtype: int) -> None:
    """What does not fit its type is another number to each reader."""
    low, high = _RANGES.get(dtype, (None, None))
    items = getattr(tensor, field) if low is not None else ()
    if items and not (low <= min(items) and max(items) <= high):
        raise ModelError(f"tensor '{tensor.name}' is {ir.DataType(dtype).name.lower()} and holds a number out of range")


def _expect(tensor: onnx.TensorProto, what: str, found: int, wanted: int) -> None:
    if found != wanted:
        dtype = ir.DataType(tensor.data_type).name.lower()
        raise ModelError(
            f"tensor '{tensor.name}' is {dtype} {list(tensor.dims)}, which needs {wanted} {what}; the file has {found}"
        )
