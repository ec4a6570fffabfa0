"""Inputs that look like knobs: what is set once, not what is fed."""

from __future__ import annotations

import re

import onnx_ir as ir

from freezer.facts.table import known

_FEW = 8  # elements
_CHOICES = 64  # rows of a table that an input chooses among
_NAMES = {
    "mask": r"mask", "a sample rate": r"^(sr|sample_?rate|rate)$", "a size": r"size|length|_len$",
    "an id": r"speaker|^sid$|lang|voice|style", "a scale": r"scale|speed|temperature|noise|threshold|alpha",
    "a type": r"type",
}  # fmt: skip


def knob(value: ir.Value) -> str:
    """Why an input looks like a knob: by its size, by who reads it, by its name; '' if it does not."""
    shape = value.shape
    fixed = shape is not None and all(isinstance(d, int) for d in shape)
    count = _product(shape) if fixed and shape is not None else None
    found = [_size_words(count, value), _use_words(value), _name_words(value.name or "")]
    if count is None or count > _FEW:
        found[0] = ""
        found = [w for w in found if w] if found[1] or _by_name_alone(value) else []
    return ", ".join(w for w in found if w)


def _product(shape: ir.Shape) -> int:
    count = 1
    for dim in shape:
        count *= int(dim)  # type: ignore[arg-type]
    return count


def _size_words(count: int | None, value: ir.Value) -> str:
    kind = "flag" if value.dtype == ir.DataType.BOOL else "number"
    return "" if count is None else f"a single {kind}" if count == 1 else f"{count} {kind}s"


def _use_words(value: ir.Value) -> str:
    readers = [(n, i) for n, i in value.uses()]
    if any(n.op_type == "If" and i == 0 for n, i in readers) or any(_feeds_if(n) for n, _ in readers):
        return "decides an If"
    tables = [
        int(t.numpy()[0]) for n, i in readers if n.op_type == "Gather" and i == 1 and (t := _table(n)) is not None
    ]
    if readers and len(tables) == len(readers) and all(d <= _CHOICES for d in tables):
        return f"chooses among {max(tables)} rows"
    return "read by nothing" if not readers else ""


def _feeds_if(node: ir.Node) -> bool:
    return node.op_type in ("Equal", "Greater", "Less", "Not", "Cast") and any(
        n.op_type == "If" and i == 0 for v in node.outputs for n, i in v.uses()
    )


def _table(gather: ir.Node) -> ir.Shape | None:
    table = gather.inputs[0]
    tensor = known(table) if table is not None else None
    while tensor is None and table is not None and (node := table.producer()) is not None and node.inputs:
        table = node.inputs[0]  # a quantised table
        tensor = known(table) if table is not None else None
    return tensor.shape if tensor is not None and len(tensor.shape.numpy()) else None  # type: ignore[return-value]


def _name_words(name: str) -> str:
    return next((f"named like {what}" for what, law in _NAMES.items() if re.search(law, name.lower())), "")


def _by_name_alone(value: ir.Value) -> bool:
    """A mask may be as large as the data: its type and its name tell."""
    whole = value.dtype is not None and (value.dtype.is_integer() or value.dtype == ir.DataType.BOOL)
    return whole and bool(re.search(r"mask|type", (value.name or "").lower()))
