"""How far apart two floating-point arrays are, in units in the last place."""

from __future__ import annotations

import numpy as np

FAR = np.uint64(0xFFFF_FFFF_FFFF_FFFF)  # a NaN against a number


def ulp_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many representable numbers lie between the elements of a and b (one of the two counted).

    a, b: float16, bfloat16, float32 or float64 (any IEEE-like layout of 1 to 8 bytes), same dtype
        and shape. Returns uint64 of that shape: 0 for equal numbers (0.0 and -0.0 too) and for two
        NaNs, FAR for a NaN against a number. Raises ValueError when dtype or shape differ.
    """
    if a.dtype != b.dtype or a.shape != b.shape:
        raise ValueError(f"cannot compare {a.dtype}{list(a.shape)} with {b.dtype}{list(b.shape)} ulp by ulp")
    (sign_a, size_a), (sign_b, size_b) = _split(a), _split(b)
    near = np.maximum(size_a, size_b) - np.minimum(size_a, size_b)
    distance = np.where(sign_a == sign_b, near, size_a + size_b)
    nan_a, nan_b = np.isnan(a), np.isnan(b)
    return np.where(nan_a | nan_b, np.where(nan_a & nan_b, np.uint64(0), FAR), distance)


def max_ulp(a: np.ndarray, b: np.ndarray) -> int:
    """The largest ulp_distance; 0 for empty arrays."""
    return int(ulp_distance(a, b).max(initial=0))


def _split(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sign bit and magnitude (exponent and fraction as one integer) of each element."""
    width = 8 * array.dtype.itemsize
    bits = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape).astype(np.uint64)
    top = np.uint64(width - 1)
    return bits >> top, bits & np.uint64((1 << (width - 1)) - 1)
