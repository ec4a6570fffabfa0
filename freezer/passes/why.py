"""Reasons in words."""

from __future__ import annotations

import onnx_ir as ir

from freezer.evaluate.batch import reads
from freezer.facts.table import known

_MOST_STEPS = 2000


def live_inputs(value: ir.Value | None, most: int = 3) -> str:
    """The live inputs a value depends on, in words: "the live inputs 'a', 'b'"."""
    if value is None:
        return "nothing"
    names = _live(value)
    if not names:
        return "values computed at run time"
    shown = ", ".join(f"'{n}'" for n in names[:most]) + (", ..." if len(names) > most else "")
    return f"the live input{'s' if len(names) > 1 else ''} {shown}"


def _live(value: ir.Value) -> list[str]:
    found: dict[str, None] = {}
    seen, stack = {value}, [value]
    while stack and len(seen) < _MOST_STEPS:
        current = stack.pop()
        node = current.producer()
        if node is None and known(current) is None:
            found[current.name or ""] = None
        fresh = [v for v in (reads(node) if node is not None else []) if v not in seen]
        seen.update(fresh)
        stack.extend(fresh)
    return list(found)
