"""Inputs, outputs, tensors and sizes in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from freezer.bindings.arrays import dtype_name
from freezer.bindings.dims import shape_of

_MOST_ELEMENTS = 8  # a larger tensor is shown by dtype and shape alone


@dataclass(frozen=True)
class ValueInfo:
    """An input or output. shape: sizes, names, or None for unnamed dims; None if the rank is unknown.

    default: the tensor that an input has unless it is fed, in words; None without one.
    """

    name: str
    dtype: str
    shape: list[int | str | None] | None
    default: str | None = None

    @property
    def type(self) -> str:
        """dtype and shape, as in float32 [batch, ?]."""
        return f"{self.dtype} {shape_words(self.shape)}"

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + ("" if self.default is None else f" = {self.default}")


def describe_value(value: ir.Value) -> ValueInfo:
    """Name, type, shape and default of an input or output. Reads no external data."""
    shape = shape_of(value)
    default = tensor_words(value.const_value) if value.const_value is not None and value.is_graph_input() else None
    return ValueInfo(value.name or "", _type_words(value), None if shape is None else list(shape), default)


def _type_words(value: ir.Value) -> str:
    if isinstance(value.type, ir.TensorType):
        return dtype_name(value.type.dtype)
    return "unknown" if value.type is None else str(value.type)


def shape_words(shape: Sequence[int | str | None] | None) -> str:
    """[batch, ?, 80]; [...] for any rank."""
    if shape is None:
        return "[...]"
    return f"[{', '.join('?' if d is None else str(d) for d in shape)}]"


def value_words(described: dict[str, Any]) -> str:
    """A frozen value as provenance describes it: 16000, [0.5, 1.0], or float32 [1, 64] if it is long."""
    items = described.get("value")
    if items is None or len(items) > _MOST_ELEMENTS:
        return f"{described['dtype']} {shape_words(described['shape'])}"
    words = [_literal(item, described["dtype"]) for item in items]
    return f"[{', '.join(words)}]" if described["shape"] else words[0]


def _literal(item: Any, dtype: str) -> str:
    """As --set takes it, and no longer than the dtype needs: 0.1, where a float32 is 0.10000000149011612."""
    if dtype in ("float32", "float16") and isinstance(item, float):
        return str(np.dtype(dtype).type(item))
    return json.dumps(item, ensure_ascii=False)


def with_article(noun: str) -> str:
    """an Add, a Mul."""
    return f"{'an' if noun[:1] in 'AEIOUaeiou' else 'a'} {noun}"


def plural(count: int, noun: str) -> str:
    """1 node, 2 nodes."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def tensor_words(tensor: ir.TensorProtocol) -> str:
    """dtype and shape, and the content of a small tensor: int64 [] 16000."""
    text = f"{dtype_name(tensor.dtype)} {shape_words(tensor.shape.numpy())}"
    if isinstance(tensor, ir.ExternalTensor) or not 0 < tensor.size <= _MOST_ELEMENTS:
        return text
    if isinstance(tensor, ir.StringTensor):
        items = [repr(s.decode(errors="replace")) for s in tensor.string_data()]
    else:
        items = [str(item) for item in tensor.numpy().reshape(-1)]
    return f"{text} {', '.join(items)}"


def size_words(nbytes: float) -> str:
    """Bytes, in the unit that fits: 1.27 MB."""
    if nbytes < 1000:
        return f"{nbytes:.0f} B"
    for unit in ("KB", "MB", "GB"):
        nbytes /= 1000
        if nbytes < 1000 or unit == "GB":
            break
    return f"{nbytes:.2f} {unit}"


def count_words(counts: dict[str, Any]) -> str:
    """2 If, 1 Loop; none."""
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
