"""NAME=VALUE arguments."""

from __future__ import annotations

from collections.abc import Iterable

from freezer.bindings import RawValue, parse_value
from freezer.errors import UsageError


def values(texts: Iterable[str]) -> dict[str, RawValue]:
    """--set NAME=VALUE."""
    return {name: parse_value(text) for name, text in _pairs("--set", "NAME=VALUE", texts)}


def texts(sets: Iterable[str]) -> dict[str, str]:
    """--set NAME=VALUE, the values as they are written."""
    return dict(_pairs("--set", "NAME=VALUE", sets))


def dims(texts: Iterable[str]) -> dict[str, int]:
    """--dim SYMBOL=INT."""
    return {name: _size(f"--dim {name}={text}", text) for name, text in _pairs("--dim", "SYMBOL=INT", texts)}


def shapes(texts: Iterable[str]) -> dict[str, list[int | None]]:
    """--shape INPUT=D0,D1,...; `_` keeps a dimension, nothing is a scalar."""
    pairs = _pairs("--shape", "INPUT=D0,D1,...", texts)
    return {name: [_dim(name, text, d) for d in text.split(",")] if text.strip() else [] for name, text in pairs}


def _dim(name: str, text: str, dim: str) -> int | None:
    return None if dim.strip() == "_" else _size(f"--shape {name}={text}", dim)


def _pairs(option: str, form: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = _split(text)
        if not equals or not name:
            raise UsageError(f"{option} takes {form}, not '{text}'")
        if name in found:
            raise UsageError(f"{option} {name} is given twice; give it once")
        found[name] = value
    return list(found.items())


def _split(text: str) -> tuple[str, str, str]:
    """At the first '='; a name that holds one itself can be quoted: '"a=b"=1'."""
    if text.startswith('"') and '"=' in text[1:]:
        name, value = text[1:].split('"=', 1)
        return name, "=", value
    return text.partition("=")


def _size(where: str, text: str) -> int:
    try:
        size = int(text.strip())
    except ValueError:
        size = -1
    if size < 0:
        raise UsageError(f"{where}: '{text.strip()}' is not a size; give an integer >= 0")
    return size
