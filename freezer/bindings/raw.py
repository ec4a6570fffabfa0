"""A value as written on the command line, before the model says what it must be."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from freezer.bindings.files import read_value
from freezer.errors import UsageError

_FILL = re.compile(r"(ones|zeros|arange|full\((?P<item>.*)\))(?P<shape>\[[^\[\]]*\])?", re.DOTALL)
_FORMS = "a JSON literal, ones, zeros, full(x), arange or @file"


@dataclass(frozen=True)
class RawValue:
    """What a text means.

    kind: "literal": content is nested lists of Python scalars; "word": a str that is no other form;
    "fill": content is the scalar that fills `shape` (None: the model's); "arange": 0, 1, 2, ... along the last
    axis of `shape`; "array": content is a numpy array or an onnx_ir tensor.
    text: as it was written.
    """

    kind: Literal["literal", "word", "fill", "arange", "array"]
    content: Any
    text: str
    shape: tuple[int, ...] | None = None


def parse_value(text: str) -> RawValue:
    """Parse a VALUE.

    >>> parse_value("[1, 2.5]").content
    [1, 2.5]
    >>> parse_value("full(0.5)[2,3]").shape
    (2, 3)
    >>> parse_value("hello").kind
    'word'

    Forms: a JSON literal; ones, zeros, full(x) or arange, with a shape or without; @file.npy, @file.npz:key,
    @file.json, @file.pb; anything else is a word. Raises UsageError for a file or a shape that is wrong.
    """
    stripped = text.strip()
    if stripped.startswith("@"):
        is_array, content = read_value(stripped[1:])
        return RawValue("array" if is_array else "literal", content, text)
    if match := _FILL.fullmatch(stripped):
        return _parse_fill(match, text)
    try:
        return RawValue("literal", parse_literal(stripped), text)
    except (ValueError, RecursionError):
        return RawValue("word", text, text)


def _parse_fill(match: re.Match[str], text: str) -> RawValue:
    shape = None if match["shape"] is None else _parse_shape(match["shape"][1:-1], text)
    if match[1] == "arange":
        return RawValue("arange", None, text, shape)
    if match["item"] is None:
        return RawValue("fill", 1 if match[1] == "ones" else 0, text, shape)
    try:
        item = parse_literal(match["item"])
    except (ValueError, RecursionError):
        item = match["item"]
    if isinstance(item, list):
        raise UsageError(f"'{text}' must be filled with one value, not a list")
    return RawValue("fill", item, text, shape)


def _parse_shape(text: str, whole: str) -> tuple[int, ...]:
    parts = [p.strip() for p in text.split(",")] if text.strip() else []
    if not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
        raise UsageError(f"the shape of '{whole}' must be integers, as in ones[1,128]")
    return tuple(int(p) for p in parts)


def parse_literal(text: str) -> Any:
    """Nested lists of bool, int, float and str. Raises ValueError if it is not JSON or holds an object or null."""
    return _check_items(json.loads(text, parse_float=_finite))


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large")
    return value


def _check_items(value: Any) -> Any:
    if isinstance(value, list):
        for item in value:
            _check_items(item)
    elif value is None or isinstance(value, dict):
        raise ValueError("not a tensor")
    return value
