"""What is known of a node's outputs from what is known of its inputs, one op family a file."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.determinism import is_deterministic
from freezer.facts.fact import UNKNOWN, Fact
from freezer.facts.registry import TRANSFERS
from freezer.facts.table import Facts
from freezer.facts.transfer import (  # noqa: F401 (importing registers)
    arithmetic,
    attention,
    cast,
    constant,
    conv,
    elementwise,
    gather,
    joining,
    layout,
    logic,
    ml,
    normalise,
    product,
    quantise,
    random_ops,
    recurrent,
    reduce,
    reshape,
    resize,
    select,
    sequence,
    slicing,
    vision,
)

# Hostile ranks, axes and sizes surface as one of these; arithmetic here has no side effects to undo.
_GIVE_UP = (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError)


def infer(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Facts of all outputs of a node, also of absent ones; None where its op is not known or the inputs do not tell.

    `static` is set where every input is static and the op is deterministic; nodes with bodies are not for this.
    """
    domain = node.domain
    function = TRANSFERS.get(("" if domain == "ai.onnx" else domain, node.op_type))
    if function is None:
        return None
    try:
        found = function(node, facts)
    except _GIVE_UP:
        return None
    if found is None:
        return None
    count = len(node.outputs)
    if len(found) != count:
        found = (found + [UNKNOWN] * count)[:count]
    static = _is_static(node, facts)
    return [f if f.static == static else _with_static(f, static) for f in found]


def _is_static(node: ir.Node, facts: Facts) -> bool:
    for value in node.inputs:
        if value is not None and not facts.of(value).static:
            return False
    return is_deterministic(node, facts)


def _with_static(fact: Fact, static: bool) -> Fact:
    return Fact(fact.dtype, fact.shape, fact.elements, static, fact.low, fact.high, fact.type)
