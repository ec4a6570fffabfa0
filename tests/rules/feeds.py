"""Random feeds for text fixtures, full of special values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx

from freezer.bindings import Bindings
from freezer.bindings.dims import Shape
from tests.rules.text import Case

SIZES = (1, 2, 3)
# NaN with either sign and with a payload, infinities, zeros of both signs, denormals, the largest number.
# No signalling NaN: to multiply by one makes it quiet.
_FLOATS = {
    "float16": [0x7E00, 0xFE00, 0x7E11, 0x7C00, 0xFC00, 0x8000, 0, 1, 0x8001, 0x7BFF],
    "float32": [0x7FC00000, 0xFFC00000, 0x7FC12345, 0x7F800000, 0xFF800000, 1 << 31, 0, 1, (1 << 31) + 1, 0x7F7FFFFF],
    "float64": [0x7FF8 << 48, 0xFFF8 << 48, (0x7FF8 << 48) + 77, 0x7FF0 << 48, 0xFFF0 << 48, 1 << 63, 0, 1],
}  # fmt: skip
_WORDS = ["", "a", "b", "one two", "ä"]

Feed = dict[str, np.ndarray]


def feeds(model: onnx.ModelProto, case: Case, bindings: Bindings, values: Feed) -> Iterator[Feed]:
    """Feeds for all inputs, frozen ones at their values: every symbol 1, 2, 3; then each another size; twice each."""
    rng = np.random.default_rng(0)
    defaults = {t.name for t in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in values and i.name not in defaults]
    symbols = sorted({d.dim_param or f"{i.name}?" for i in inputs for d in i.type.tensor_type.shape.dim})
    for base in (*SIZES, 4, 5, 6):
        sizes = {s: base if base <= 3 else (base + k) % 3 + 1 for k, s in enumerate(symbols)}
        sizes.update(bindings.dims)
        for _ in range(2):
            yield {**values, **{i.name: _draw(i, case, bindings.shapes, sizes, rng) for i in inputs}}


def _draw(
    value: onnx.ValueInfoProto, case: Case, shapes: Mapping[str, Shape], sizes: dict[str, int], rng: np.random.Generator
) -> np.ndarray:
    tensor = value.type.tensor_type
    shape = [d if isinstance(d, int) else sizes[d or f"{value.name}?"] for d in shapes[value.name]]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return _content(dtype, shape, case.ranges.get(value.name), rng)


def _content(dtype: np.dtype, shape: list[int], limits: tuple[int, int] | None, rng: np.random.Generator) -> np.ndarray:
    if limits is not None:
        return rng.integers(limits[0], limits[1], shape, endpoint=True).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        special = np.array([info.min, info.max, 0, 1, info.max // 2], dtype)
        return np.where(rng.random(shape) < 0.5, rng.choice(special, shape), rng.integers(0, 9, shape).astype(dtype))
    if dtype.kind == "O":
        return rng.choice(np.array(_WORDS, object), shape)
    special = np.array(_FLOATS[dtype.name], f"u{dtype.itemsize}").view(dtype)
    return np.where(rng.random(shape) < 0.6, rng.choice(special, shape), rng.standard_normal(shape).astype(dtype))
