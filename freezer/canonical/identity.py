"""The canonical form of a model, and its fingerprint.

Two models have the same canonical form if they are the same graph: the same interface (names, types, shapes and
defaults of inputs, names, types and shapes of outputs), operators, attributes, wiring, opset versions and constants,
every bit. What does not count: names inside, the order of nodes, attributes that say the default, how and where
constants are stored and how often, documentation, metadata, value_info (the types that bodies of control flow
declare, too), what no output depends on, the order of operands where the operation commutes.

Nodes that compute the same are not merged: to compute twice is another graph than to compute once.
"""

from __future__ import annotations

import onnx_ir as ir

from freezer.canonical.build import build_model
from freezer.canonical.content import Contents
from freezer.canonical.form import canonical_form


def canonicalize(model: ir.Model) -> ir.Model:
    """A new model: the canonical form. The input stays as it is; weights are shared, not copied.

    Two models of the same form give the same bytes when saved in the same way.
    Raises ModelError for broken graphs, LimitError for graphs too symmetric to be put into order.
    """
    return build_model(canonical_form(model, Contents()))


def fingerprint(model: ir.Model) -> str:
    """The SHA-256, in hex, of the canonical form; equal exactly when the canonical models are.

    Weights are read in pieces, never held. Raises ModelError and LimitError, as canonicalize.
    """
    return canonical_form(model, Contents()).fingerprint()
