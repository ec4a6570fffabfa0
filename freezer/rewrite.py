"""What a rule answers. A rule never changes the graph; `passes/specialise.py` does, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Union

import onnx_ir as ir


@dataclass(slots=True)
class Rewrite:
    """The node goes; output i of it becomes outputs[i] (None: that output had no user).

    nodes: new nodes, in order, inserted before the old one. A new node may read the old node's inputs.
    initializers: new constants that the new nodes read, as values with a const_value.
    """

    outputs: list[ir.Value | None]
    nodes: list[ir.Node] = field(default_factory=list)
    initializers: list[ir.Value] = field(default_factory=list)


def again(node: ir.Node, inputs: Sequence[ir.Value | None], new: Sequence[ir.Value], *attributes: ir.Attr) -> Rewrite:
    """A node of one output once more, on other inputs. new: constants among them. attributes: in place of its own."""
    twin = ir.Node(node.domain, node.op_type, inputs, [*node.attributes.values(), *attributes])
    return Rewrite([twin.outputs[0]], [twin], list(new))


@dataclass(frozen=True, slots=True)
class Residual:
    """Why a node that this rule could have resolved stays."""

    reason: str


Answer = Union[Rewrite, Residual, None]
Rule = Callable[..., Answer]
