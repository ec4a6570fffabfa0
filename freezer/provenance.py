"""Where a frozen file came from, in its metadata_props.

The i-th freeze of a file, from 0, writes freezer.<i>.version, .source_sha256, .dims (symbol to size),
.shapes (what was given), .options (those that differ from the default) and .binding.<input>, each but the
first two in JSON. Freezing a frozen file appends the next number and changes nothing before it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import onnx_ir as ir

from freezer._version import __version__
from freezer.bindings import Bindings
from freezer.bindings.arrays import dtype_name
from freezer.model_io import Source
from freezer.options import Options

_MOST_ELEMENTS = 64  # a larger value is recorded by its hash
_STEP = re.compile(r"freezer\.(\d+)\.version")


def record(model: ir.Model, source: Source, bindings: Bindings, options: Options) -> None:
    """Append what was frozen to the model's metadata."""
    steps = [int(match[1]) for key in model.metadata_props if (match := _STEP.fullmatch(key))]
    prefix = f"freezer.{max(steps, default=-1) + 1}"
    for key, text in _entries(source, bindings, options):
        model.metadata_props[f"{prefix}.{key}"] = text


def _entries(source: Source, bindings: Bindings, options: Options) -> Iterator[tuple[str, str]]:
    yield "version", __version__
    yield "source_sha256", source.sha256()
    parts = {"dims": bindings.dims, "shapes": bindings.given_shapes, "options": _chosen(options)}
    yield from ((name, json.dumps(part, sort_keys=True)) for name, part in parts.items() if part)
    for name, tensor in sorted(bindings.values.items()):
        yield f"binding.{name}", json.dumps(describe(tensor))


def _chosen(options: Options) -> dict[str, Any]:
    return {f.name: getattr(options, f.name) for f in fields(options) if getattr(options, f.name) != f.default}


def describe(tensor: ir.TensorProtocol) -> dict[str, Any]:
    """dtype, shape, and the value, flat, of at most 64 elements; else the sha256 of its bytes.

    Floats are written so that they come back as they were; NaN and the infinities as strings. The
    bytes are little-endian and in row-major order; a string counts as its length (8 bytes) and its bytes.
    """
    described: dict[str, Any] = {"dtype": dtype_name(tensor.dtype), "shape": list(tensor.shape.numpy())}
    if tensor.size <= _MOST_ELEMENTS and (value := _plain(tensor)) is not None:
        described["value"] = value
    else:
        described["sha256"] = hashlib.sha256(_content(tensor)).hexdigest()
    return described


def _plain(tensor: ir.TensorProtocol) -> list[Any] | None:
    """The elements as JSON has them; None if it cannot say them."""
    if isinstance(tensor, ir.StringTensor):
        try:
            return [s.decode() for s in tensor.string_data()]
        except UnicodeDecodeError:
            return None
    if tensor.dtype in (ir.DataType.COMPLEX64, ir.DataType.COMPLEX128):
        return None
    return [_scalar(item, tensor.dtype) for item in tensor.numpy().reshape(-1)]


def _scalar(item: Any, dtype: ir.DataType) -> bool | int | float | str:
    if not dtype.is_floating_point():
        return bool(item) if dtype == ir.DataType.BOOL else int(item)
    value = float(item)
    return value if math.isfinite(value) else str(value)


def _content(tensor: ir.TensorProtocol) -> bytes:
    if isinstance(tensor, ir.StringTensor):
        return b"".join(len(s).to_bytes(8, "little") + s for s in tensor.string_data())
    return tensor.tobytes()
