"""Python scalars, and nested lists of them, as arrays of a model's dtype: only where nothing is lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import onnx_ir as ir

_FLOATS = tuple(d for d in ir.DataType if d.is_floating_point())
_COMPLEX = (ir.DataType.COMPLEX64, ir.DataType.COMPLEX128)
Convert = Callable[[Any], Any]


class Loss(ValueError):
    """A literal that the dtype cannot hold; the message continues "the value ..."."""


def literal_shape(value: Any) -> tuple[int, ...]:
    """The shape of nested lists. Raises Loss if they are ragged."""
    if not isinstance(value, (list, tuple)):
        return ()
    shapes = {literal_shape(item) for item in value}
    if len(shapes) > 1:
        raise Loss("is a list whose items differ in shape")
    return (len(value), *(shapes.pop() if shapes else ()))


def literal_array(value: Any, dtype: ir.DataType) -> np.ndarray:
    """The array of a literal. Decimal numbers become the nearest float; everything else must be exact. Raises Loss."""
    convert = converter(dtype)
    items = [convert(item) for item in _items(value)]
    if dtype == ir.DataType.STRING:
        array = np.empty(len(items), object)
        array[:] = items
    else:
        array = np.array(items, dtype.numpy())
    return array.reshape(literal_shape(value))


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _items(item)
    else:
        yield value


def converter(dtype: ir.DataType) -> Convert:
    """How one Python scalar becomes an element of that dtype."""
    if dtype == ir.DataType.STRING:
        return _to_string
    if dtype == ir.DataType.BOOL:
        return _to_bool
    if dtype in _FLOATS:
        return lambda value: _to_float(value, dtype)
    if dtype in _COMPLEX:
        return lambda value: _to_complex(value, dtype)
    return lambda value: _to_integer(value, dtype)


def _to_string(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise Loss(f'{_text(value)} is not a string; write "{_text(value)}" with its quotes')


def _to_bool(value: Any) -> bool:
    if isinstance(value, (bool, int)) and value in (0, 1):
        return bool(value)
    raise Loss(f"{_text(value)} is not true or false")


def _to_integer(value: Any, dtype: ir.DataType) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Loss(f"{_text(value)} is not an integer")
    if isinstance(value, float) and not value.is_integer():
        raise Loss(f"{_text(value)} is not an integer")
    low = 0 if dtype.name.startswith("UINT") else -(1 << (dtype.bitwidth - 1))
    if not low <= value < low + (1 << dtype.bitwidth):
        raise Loss(f"{_text(value)} is outside {low} to {low + (1 << dtype.bitwidth) - 1}")
    return int(value)


def _to_float(value: Any, dtype: ir.DataType) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Loss(f"{_text(value)} is not a number")
    try:
        given = float(value)
    except OverflowError:
        raise Loss(f"{_text(value)} is too large") from None
    with np.errstate(all="ignore"):
        found = np.array(given, np.float64).astype(dtype.numpy())[()]
    nearest = float(found)
    if isinstance(value, int) and not (math.isfinite(nearest) and int(nearest) == value):
        raise Loss(f"{_text(value)} is not exact in this type{_nearest(nearest)}")
    if (math.isnan(given), math.isinf(given), given == 0) != (math.isnan(nearest), math.isinf(nearest), nearest == 0):
        raise Loss(f"{_text(value)} is outside what this type can hold")
    if (math.isinf(given) and given != nearest) or _saturates(given, dtype):
        raise Loss(f"{_text(value)} is outside what this type can hold")
    return found


def _saturates(value: float, dtype: ir.DataType) -> bool:
    """Whether a finite value is beyond the greatest one by more than rounding."""
    limits = ml_dtypes.finfo(dtype.numpy())
    return math.isfinite(value) and abs(value) > float(limits.max) * (1 + float(limits.eps) / 4)


def _nearest(value: float) -> str:
    return f"; the nearest is {value:g}" if math.isfinite(value) else ""


def _to_complex(value: Any, dtype: ir.DataType) -> Any:
    part = ir.DataType.FLOAT if dtype == ir.DataType.COMPLEX64 else ir.DataType.DOUBLE
    if not isinstance(value, complex):
        return _to_float(value, part)
    return complex(float(_to_float(value.real, part)), float(_to_float(value.imag, part)))


def _text(value: Any) -> str:
    """A scalar as JSON writes it, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, (str, bytes)) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
