"""How a transfer function says which ops it is for.

A transfer function computes what is known of a node's outputs from what is known of its inputs,
without evaluating anything large. It may only state what holds for every feed.
"""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir

from freezer.facts.fact import Fact
from freezer.facts.table import Facts

Transfer = Callable[[ir.Node, Facts], "list[Fact] | None"]
TRANSFERS: dict[tuple[str, str], Transfer] = {}


def transfer(*ops: str, domain: str = "") -> Callable[[Transfer], Transfer]:
    """Register a function for op types of one domain. It answers None when it cannot tell (yet)."""

    def register(function: Transfer) -> Transfer:
        TRANSFERS.update({(domain, op): function for op in ops})
        return function

    return register
