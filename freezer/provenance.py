"""Where a frozen file came from, in its metadata_props.

The i-th freeze of a file, from 0, writes freezer.<i>.version, .source_sha256, .dims (symbol to size),
.shapes (what was given), .options (those that differ from the default) and .binding.<input>, each but the
first two in JSON. Inputs frozen to their defaults have no binding: the source has the values, and the options say
that defaults were frozen. Freezing a frozen file appends the next number and changes nothing before it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import onnx_ir as ir

from freezer._version import __version__
from freezer.bindings import Bindings
from freezer.bindings.arrays import dtype_name
from freezer.errors import ModelError
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


@dataclass(frozen=True)
class Step:
    """One freeze of a file, as its metadata has it. bindings: input -> what describe() said of the value."""

    version: str
    source_sha256: str
    dims: dict[str, int]
    shapes: dict[str, list[int | None]]
    options: dict[str, Any]
    bindings: dict[str, dict[str, Any]]


def steps(model: ir.Model) -> list[Step]:
    """The freezes that led to a file, the first one first. Raises ModelError for metadata that was not written here."""
    numbers = sorted(int(m[1]) for key in model.metadata_props if (m := _STEP.fullmatch(key)))
    return [_step(model.metadata_props, f"freezer.{number}.") for number in numbers]


def _step(metadata: Mapping[str, str], prefix: str) -> Step:
    parts = {key.removeprefix(prefix): text for key, text in metadata.items() if key.startswith(prefix)}
    try:
        read = {key: json.loads(text) for key, text in parts.items() if key not in ("version", "source_sha256")}
    except (ValueError, RecursionError):
        raise ModelError(f"the metadata {prefix}* is not what freezer writes; freeze the source again") from None
    tables = {name: read.get(name, {}) for name in ("dims", "shapes", "options")}
    bindings = {key.removeprefix("binding."): entry for key, entry in read.items() if key.startswith("binding.")}
    if not all(isinstance(t, dict) for t in (*tables.values(), *bindings.values())):
        raise ModelError(f"the metadata {prefix}* is not what freezer writes; freeze the source again")
    return Step(parts["version"], parts.get("source_sha256", ""), bindings=bindings, **tables)


def recorded_value(name: str, entry: Mapping[str, Any]) -> ir.TensorProtocol | None:
    """The value that describe() wrote; None if only its sha256 is there. Raises ModelError."""
    if "value" not in entry:
        return None
    try:
        dtype, shape = named_dtype(entry["dtype"]), tuple(entry["shape"])
        items: list[Any] = [float(v) for v in entry["value"]] if dtype.is_floating_point() else entry["value"]
        if dtype == ir.DataType.STRING:
            return ir.StringTensor([s.encode() for s in items], shape=ir.Shape(shape), name=name)
        return ir.tensor(np.array(items, dtype.numpy()).reshape(shape), dtype=dtype, name=name)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise ModelError(f"the metadata on the input '{name}' is not what freezer writes; freeze again") from None


def named_dtype(name: str) -> ir.DataType:
    """The dtype that dtype_name() names. Raises KeyError."""
    return {dtype_name(d): d for d in ir.DataType}[name]


def _entries(source: Source, bindings: Bindings, options: Options) -> Iterator[tuple[str, str]]:
    yield "version", __version__
    yield "source_sha256", source.sha256()
    parts = {"dims": bindings.dims, "shapes": bindings.given_shapes, "options": _chosen(options)}
    yield from ((name, json.dumps(part, sort_keys=True)) for name, part in parts.items() if part)
    for name in sorted(bindings.origins):
        yield f"binding.{name}", json.dumps(describe(bindings.values[name]))


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
