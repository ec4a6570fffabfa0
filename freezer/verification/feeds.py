"""Random feeds that mean something: right types, sizes, ranges, masks, words. Child side."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import onnx

from freezer.verification.flow import Hints
from freezer.verification.sizes import Slot, evaluate

LARGEST = 1 << 26  # elements of one input
SUM = 240
# How elements without a known range are drawn: floats (offset, scale) and the range of integers.
# "edge": not-a-number, infinities and zeros of both signs among normal numbers.
_INTEGERS = {
    "normal": (0, 8),
    "edge": (0, 8),
    "shares": (1, 8),
    "unit": (0, 4),
    "large": (-20, 100),
    "small": (0, 2),
    "ones": (1, 2),
}
_MASK = re.compile(r"mask|padding|valid", re.IGNORECASE)
_LENGTH = re.compile(r"len(gth)?s?(_\d+)?$|num_frames", re.IGNORECASE)
_GENERIC_WORDS = ["a", "b", "", "one two", "A"]


class Drawer:
    """Draws the feeds of one model. sizes: every symbol's size. words: strings the model knows."""

    def __init__(self, slots: list[Slot], hints: dict[str, Hints], words: list[str]) -> None:
        self.slots, self.hints, self.words = slots, hints, words or _GENERIC_WORDS

    def feed(self, sizes: dict[str, int], profile: str, seed: list[int]) -> dict[str, Any]:
        """A value for every input. Raises ValueError when a size is unknown, negative or far too large."""
        rng = np.random.default_rng(seed)
        shapes = {slot.name: _shape(slot, sizes) for slot in self.slots}
        return {slot.name: self._value(slot, slot.type, shapes, sizes, profile, rng) for slot in self.slots}

    def _value(self, slot: Slot, kind: onnx.TypeProto, shapes: dict[str, tuple[int, ...]], sizes: dict[str, int],
               profile: str, rng: np.random.Generator) -> Any:  # fmt: skip
        if kind.HasField("sequence_type"):
            inner = kind.sequence_type.elem_type
            return [self._value(slot, inner, shapes, sizes, profile, rng) for _ in range(2)]
        if kind.HasField("optional_type"):
            return self._value(slot, kind.optional_type.elem_type, shapes, sizes, profile, rng)
        if kind.HasField("map_type"):
            return self._map(slot, kind.map_type, rng)
        return np.asarray(self._tensor(slot, kind.tensor_type.elem_type, shapes, sizes, profile, rng))

    def _tensor(self, slot: Slot, element: int, shapes: dict[str, tuple[int, ...]], sizes: dict[str, int],
                profile: str, rng: np.random.Generator) -> np.ndarray:  # fmt: skip
        shape, found = shapes[slot.name], self.hints.get(slot.name, Hints())
        if element == onnx.TensorProto.STRING:
            return self._strings(found, shape, rng)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(element)
        if (found.mask or _MASK.search(slot.name)) and not found.index:
            return _mask(shape, profile, rng).astype(dtype)
        if dtype == np.bool_:
            return rng.random(shape) < 0.5
        if _is_float(dtype) and not found.index and not found.small:
            return _floats(shape, profile, rng).astype(dtype)
        return _integers(slot, dtype, shapes, sizes, found, profile, rng).astype(dtype)

    def _strings(self, found: Hints, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        words = [w for w in found.constants if isinstance(w, str)] or self.words
        return np.array(rng.choice(np.array(words, dtype=object), shape), dtype=object).reshape(shape)

    def _map(self, slot: Slot, kind: onnx.TypeProto.Map, rng: np.random.Generator) -> dict[Any, Any]:
        known = self.hints.get(slot.name, Hints()).constants
        keys = [k for k in known if isinstance(k, str) == (kind.key_type == onnx.TensorProto.STRING)] or [0, 1, 2]
        if kind.value_type.tensor_type.elem_type == onnx.TensorProto.STRING:
            return {k: str(rng.choice(self.words)) for k in keys}
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.value_type.tensor_type.elem_type)
        return {k: (10 * rng.random(1)).astype(dtype)[0].item() for k in keys}


def _shape(slot: Slot, sizes: dict[str, int]) -> tuple[int, ...]:
    if not slot.rank_known:
        return (1, *[8] * (sizes.get("rank", 2) - 1))[: sizes.get("rank", 2)]
    shape = [evaluate(size, sizes) for size in slot.shape]
    total = 1
    for dim in shape:
        if dim is None or dim < 0:
            raise ValueError(f"input '{slot.name}': no size for {slot.shape}")
        total *= dim
    if total > LARGEST:
        raise ValueError(f"input '{slot.name}' would have {total} elements")
    return tuple(shape)  # type: ignore[arg-type]


def _is_float(dtype: np.dtype) -> bool:
    return dtype.kind in "fc" or (dtype.kind == "V" and not dtype.name.startswith(("int", "uint")))


def _mask(shape: tuple[int, ...], profile: str, rng: np.random.Generator) -> np.ndarray:
    """All ones, or a run of ones from the start of each row, at least one long."""
    if not shape or profile in ("normal", "ones") or 0 in shape:
        return np.ones(shape)
    lengths = rng.integers(max(1, shape[-1] // 2), shape[-1] + 1, shape[:-1])
    return (np.arange(shape[-1]) < lengths[..., None]).astype(np.float64)


def _floats(shape: tuple[int, ...], profile: str, rng: np.random.Generator) -> np.ndarray:
    """Normal, or in [0, 1), or large with zeros of both signs among them. A single number is around one."""
    if int(np.prod(shape)) == 1:  # a speed, a threshold, a scale: around one
        return rng.random(shape) + (0.05 if profile == "small" else 0.5)
    if profile in ("unit", "small"):
        return rng.random(shape) * (0.1 if profile == "small" else 1)
    if profile == "ones":
        return np.ones(shape)
    values = rng.standard_normal(shape)
    if profile == "edge":
        for number, special in enumerate((np.nan, np.inf, -np.inf, 0.0, -0.0)):
            values.reshape(-1)[number::97] = special
    if profile == "large":
        values = 10 * values
        values[rng.random(shape) < 0.02] = 0.0
        values[rng.random(shape) < 0.02] = -0.0
    return values


def _integers(slot: Slot, dtype: np.dtype, shapes: dict[str, tuple[int, ...]], sizes: dict[str, int],
              found: Hints, profile: str, rng: np.random.Generator) -> np.ndarray:  # fmt: skip
    shape = shapes[slot.name]
    limits = [n for n in (evaluate(size, sizes) for size in found.limits) if n]
    if limits:
        return rng.integers(0, max(1, min(limits) - found.offset), shape)
    if found.index and profile != "shares":  # it indexes an axis of unknown size
        return rng.integers(0, 1 if profile in ("small", "ones") else 2, shape)
    if _LENGTH.search(slot.name) and (length := _row(slot.name, shapes)):
        low = length if profile in ("normal", "ones") else max(1, length // 2)
        return rng.integers(low, length + 1, shape)
    numbers = [c for c in found.constants if not isinstance(c, str) and abs(c) < 1 << 31]
    if numbers and profile != "ones":
        return rng.choice(np.array(numbers, dtype=np.float64), shape)
    if found.small and profile != "shares":
        return rng.integers(1, 2 if profile == "ones" else 5, shape)
    if dtype.kind in "iu" and dtype.itemsize == 1 and profile != "ones":
        return rng.integers(np.iinfo(dtype).min, int(np.iinfo(dtype).max) + 1, shape)
    if profile == "shares" and shape and 0 not in shape:
        return _shares(shape)
    low, high = _INTEGERS[profile]
    return rng.integers(0 if dtype.kind == "u" else low, high, shape)


def _shares(shape: tuple[int, ...]) -> np.ndarray:
    """Integers with the same sum in every input: durations, counts and splits often have to agree."""
    count = int(np.prod(shape))
    shares = np.full(count, SUM // count)
    shares[-1] += SUM - int(shares.sum())
    return shares.reshape(shape)


def _row(name: str, shapes: dict[str, tuple[int, ...]]) -> int | None:
    """The row length that a length input speaks of: of the input whose name it starts with, else of the first."""
    rows = {n: s[1] for n, s in shapes.items() if len(s) >= 2}
    own = [size for n, size in rows.items() if name.startswith(n)]
    return next(iter([*own, *rows.values()]), None)
