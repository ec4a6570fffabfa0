"""How a rule says which nodes it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer

Law = Callable[[ir.Node, Facts], Answer]


class Rule(Protocol):
    """A law with the op types it is tried on.

    `relaxed` ones change bits and need --relaxed; `late` ones wait until what is static is evaluated.
    """

    __name__: str
    ops: tuple[str, ...]
    domain: str
    relaxed: bool
    late: bool

    def __call__(self, node: ir.Node, facts: Facts) -> Answer: ...


def on(*ops: str, domain: str = "", relaxed: bool = False, late: bool = False) -> Callable[[Law], Rule]:
    """Declare the op types of one domain that a law is tried on."""

    def declare(law: Law) -> Rule:
        law.ops, law.domain, law.relaxed, law.late = ops, domain, relaxed, late  # type: ignore[attr-defined]
        return law  # type: ignore[return-value]

    return declare
