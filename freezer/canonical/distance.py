"""How far two constants of one dtype and shape are apart, read in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from freezer.canonical.content import pieces, strings
from freezer.ulp import ulp_distance

_ULP_TYPES = {"FLOAT16", "BFLOAT16", "FLOAT", "DOUBLE"}


@dataclass
class Distance:
    """What is known of a pair of constants.

    differing: elements that are not the same bits. max_ulp: for floats of 16 bits and more, FAR for a NaN against a
    number. max_abs: None for strings, infinite for a NaN or an infinity against a number.
    """

    differing: int = 0
    max_ulp: int | None = None
    max_abs: float | int | None = None

    def add(self, other: Distance) -> None:
        """Take in the distance of another piece."""
        self.differing += other.differing
        self.max_ulp = _larger(self.max_ulp, other.max_ulp)
        self.max_abs = _larger(self.max_abs, other.max_abs)


def distance(a: ir.TensorProtocol, b: ir.TensorProtocol) -> Distance:
    """The distance of two tensors of the same dtype and shape. Raises ModelError for unreadable external data."""
    if a.dtype == ir.DataType.STRING:
        pairs = zip(strings(a), strings(b), strict=True)
        return Distance(sum(x != y for x, y in pairs))
    total, left = Distance(), a.size
    for mine, theirs in zip(pieces(a), pieces(b), strict=True):
        x, y = _elements(mine, a.dtype)[:left], _elements(theirs, a.dtype)[:left]
        left -= len(x)
        total.add(_distance(x, y, a.dtype))
    return total


def elements(tensor: ir.TensorProtocol, most: int) -> np.ndarray:
    """The first elements of a tensor that holds numbers, flat."""
    first = next(iter(pieces(tensor)), b"")
    return _elements(first, tensor.dtype)[: min(most, tensor.size)]


def _elements(piece: bytes, dtype: ir.DataType) -> np.ndarray:
    if dtype.bitwidth >= 8:
        return np.frombuffer(piece, dtype.numpy().newbyteorder("<"))
    packed = np.frombuffer(piece, np.uint8)
    shifts = np.arange(0, 8, dtype.bitwidth, dtype=np.uint8)
    return (packed[:, None] >> shifts & np.uint8((1 << dtype.bitwidth) - 1)).reshape(-1).view(dtype.numpy())


def _distance(x: np.ndarray, y: np.ndarray, dtype: ir.DataType) -> Distance:
    size = x.dtype.itemsize
    unlike = (x.view(np.uint8).reshape(-1, size) != y.view(np.uint8).reshape(-1, size)).any(axis=1)
    x, y = x[unlike], y[unlike]
    ulp = int(ulp_distance(x, y).max(initial=0)) if dtype.name in _ULP_TYPES else None
    return Distance(len(x), ulp, _max_abs(x, y, dtype))


def _max_abs(x: np.ndarray, y: np.ndarray, dtype: ir.DataType) -> float | int:
    if dtype.is_integer() or dtype == ir.DataType.BOOL:
        wide = np.uint64 if x.dtype == np.uint64 else np.int64
        large, small = np.maximum(x.astype(wide), y.astype(wide)), np.minimum(x.astype(wide), y.astype(wide))
        return int((large.astype(np.uint64) - small.astype(np.uint64)).max(initial=0))
    exact = np.complex128 if np.iscomplexobj(x) else np.float64
    x, y = x.astype(exact), y.astype(exact)
    with np.errstate(all="ignore"):
        gap = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, np.abs(x - y))
    return float(np.where(np.isnan(gap), np.inf, gap).max(initial=0.0))


def _larger(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else max(a, b)
