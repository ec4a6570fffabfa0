"""Where a frozen file came from, in its metadata_props.

freezer.<i>.version, .source_sha256, .dims and .binding.<input> for the i-th freeze of a file, from 0:
freezing a frozen file appends. A binding is JSON: dtype, shape and the value, or its sha256 when it is large.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import onnx_ir as ir

from freezer._version import __version__
from freezer.bindings import Bindings
from freezer.model_io import Source

_MOST_ELEMENTS = 64  # a larger value is recorded by its hash


def record(model: ir.Model, source: Source, bindings: Bindings) -> None:
    """Append what was frozen to the model's metadata."""
    step = sum(1 for key in model.metadata_props if key.startswith("freezer.") and key.endswith(".version"))
    entries = {
        "version": __version__,
        "source_sha256": source.sha256(),
        "dims": json.dumps(dict(sorted(bindings.dims.items()))),
        **{f"binding.{name}": json.dumps(describe(t)) for name, t in sorted(bindings.values.items())},
    }
    model.metadata_props.update({f"freezer.{step}.{key}": text for key, text in entries.items()})


def describe(tensor: ir.TensorProtocol) -> dict[str, Any]:
    """dtype, shape, and the value (at most 64 elements) or the sha256 of its bytes."""
    shape = [int(d) for d in tensor.shape]  # type: ignore[arg-type]
    described: dict[str, Any] = {"dtype": tensor.dtype.name.lower(), "shape": shape}
    if tensor.dtype == ir.DataType.STRING:
        described["value"] = [s.decode(errors="replace") for s in tensor.string_data()]  # type: ignore[attr-defined]
    elif tensor.size <= _MOST_ELEMENTS and tensor.dtype.numpy().kind in "biuf":
        described["value"] = [_plain(v) for v in tensor.numpy().reshape(-1).tolist()]
    else:
        described["sha256"] = hashlib.sha256(tensor.tobytes()).hexdigest()
    return described


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinities."""
    return value if not isinstance(value, float) or value - value == 0 else repr(value)
