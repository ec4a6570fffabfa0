"""Two results of one output, compared bit for bit."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from freezer.ulp import max_ulp


def compare(a: Any, b: Any) -> dict[str, Any]:
    """What is known of a pair of results: {"equal", "dtype", "shape"} and, when they differ, a note,
    and max_ulp, max_abs and max_rel (max_abs as a share of the largest finite value of `a`; None if they are not
    finite in the same places) for tensors of one dtype and shape.

    Tensors compare by dtype, shape and bytes (NaN payloads and the sign of zero count), strings,
    sequences and maps by value.
    """
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _tensors(a, b)
    equal = key(a) == key(b)
    shape = [len(a)] if isinstance(a, (list, dict)) else None
    return {"equal": equal, "dtype": type(a).__name__, "shape": shape, "note": "" if equal else _first(a, b)}


def within(row: Mapping[str, Any], tolerance: Mapping[str, float]) -> bool:
    """Whether what compare() gave is equal, or as close as a tolerance by dtype allows."""
    share = row.get("max_rel")
    return row["equal"] or (share is not None and share <= tolerance.get(row["dtype"], -1.0))


def key(value: Any) -> Any:
    """A form of any result in which == means equal bit for bit."""
    if isinstance(value, np.ndarray):
        content = value.tolist() if value.dtype.kind in "OUS" else value.tobytes()
        return ("string" if value.dtype.kind in "OUS" else str(value.dtype), value.shape, content)
    if isinstance(value, np.generic):
        return key(np.asarray(value))
    if isinstance(value, (list, tuple)):
        return [key(v) for v in value]
    if isinstance(value, dict):
        return [(key(k), key(value[k])) for k in sorted(value, key=lambda k: (str(type(k)), k))]
    return struct.pack("<d", value) if isinstance(value, float) else value


def _tensors(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    found: dict[str, Any] = {"dtype": _dtype_name(a), "shape": list(a.shape), "equal": False}
    if (a.shape, _dtype_name(a)) != (b.shape, _dtype_name(b)):
        return {**found, "note": f"{_dtype_name(a)}{list(a.shape)} became {_dtype_name(b)}{list(b.shape)}"}
    if key(a) == key(b):
        return {**found, "equal": True}
    return {**found, **_distance(a, b)}


def _distance(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """How two tensors of one dtype and shape differ."""
    if a.dtype.kind in "OUS":
        return {"note": f"{int(np.sum(a != b))} of {a.size} strings differ"}
    width = f"u{a.dtype.itemsize}" if a.dtype.itemsize in (1, 2, 4, 8) else "u1"
    bits = [np.ascontiguousarray(x).reshape(-1).view(width) for x in (a, b)]
    note = f"{int(np.sum(bits[0] != bits[1]))} of {a.size} elements differ"
    if a.dtype.kind == "c":
        return {"note": note}
    wide = [x.astype(np.float64) for x in (a, b)]
    finite = np.isfinite(wide[0]) & np.isfinite(wide[1])
    gap = float(np.abs(wide[0][finite] - wide[1][finite]).max(initial=0.0))
    found = {"note": note, "max_abs": gap, "max_ulp": None if a.dtype.kind in "biu" else max_ulp(a, b)}
    return {**found, "max_rel": _share(gap, wide[0], wide[1], finite)}


def _share(gap: float, a: np.ndarray, b: np.ndarray, finite: np.ndarray) -> float | None:
    """A gap relative to the largest finite value; None if NaN or an infinity stands against something else."""
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return None
    largest = float(np.abs(a[finite]).max(initial=0.0))
    return 0.0 if gap == 0 else gap / largest if largest else None


def _first(a: Any, b: Any) -> str:
    """Where two results that are not both tensors differ first."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        place = next(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if key(x) != key(y))
        return f"element {place} of {len(a)} differs"
    if isinstance(a, dict) and isinstance(b, dict) and set(a) == set(b):
        return f"the value of key {next(k for k in a if key(a[k]) != key(b[k]))!r} differs"
    sizes = [len(x) if isinstance(x, (list, dict)) else "-" for x in (a, b)]
    return f"{type(a).__name__} of {sizes[0]} became {type(b).__name__} of {sizes[1]}"


def _dtype_name(array: np.ndarray) -> str:
    return "string" if array.dtype.kind in "OUS" else str(array.dtype)
