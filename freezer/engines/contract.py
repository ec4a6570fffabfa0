"""What an engine must leave as it was: the inputs and outputs, their names, order, dtypes and ranks."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from freezer.bindings.arrays import dtype_name


def broken(before: ir.Model, after: ir.Model) -> str:
    """How the interface changed, in words; "" if it did not.

    An input's dimensions must stay too; outputs may become more precise, and what files declare of them may be wrong.
    """
    return _changed("input", before.graph.inputs, after.graph.inputs) or _changed(
        "output", before.graph.outputs, after.graph.outputs
    )


def _changed(kind: str, before: Sequence[ir.Value], after: Sequence[ir.Value]) -> str:
    names = [v.name for v in before], [v.name for v in after]
    lost = [name for name in names[0] if name not in names[1]]
    new = [name for name in names[1] if name not in names[0]]
    if lost or new:
        what = [f"lost the {kind} '{lost[0]}'"] if lost else []
        return " and ".join([*what, *([f"added the {kind} '{new[0]}'"] if new else [])])
    if names[0] != names[1]:
        return f"changed the order of the {kind}s"
    changes = (_other_type(kind, a, b) for a, b in zip(before, after, strict=True))
    return next((change for change in changes if change), "")


def _other_type(kind: str, before: ir.Value, after: ir.Value) -> str:
    if not isinstance(before.type, ir.TensorType):
        return ""
    old, new = before.dtype, after.dtype
    if old is not None and old != new:
        now = "nothing" if new is None else dtype_name(new)
        return f"changed the {kind} '{before.name}' from {dtype_name(old)} to {now}"
    if before.shape is None or after.shape is None:
        return ""
    if len(before.shape) != len(after.shape):
        return f"changed the rank of the {kind} '{before.name}' from {len(before.shape)} to {len(after.shape)}"
    return _other_dim(before, after) if kind == "input" else ""


def _other_dim(before: ir.Value, after: ir.Value) -> str:
    """A dimension that was fixed or open and is no longer; negative sizes are open."""
    assert before.shape is not None and after.shape is not None
    for axis, (old, new) in enumerate(zip(before.shape, after.shape, strict=True)):
        was, now = (d if isinstance(d, int) and d >= 0 else None for d in (old, new))
        if was != now:
            words = ["open" if d is None else str(d) for d in (was, now)]
            return f"changed dimension {axis} of the input '{before.name}' from {words[0]} to {words[1]}"
    return ""
