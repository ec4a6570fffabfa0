"""Which nodes give the same outputs for the same inputs."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts

NONDETERMINISTIC = frozenset(
    {
        ("", "Bernoulli"), ("", "Multinomial"), ("", "RandomNormal"), ("", "RandomNormalLike"), ("", "RandomUniform"),
        ("", "RandomUniformLike"), ("com.microsoft", "BiasDropout"), ("com.microsoft", "BitmaskBiasDropout"),
        ("com.microsoft", "BitmaskDropout"), ("com.microsoft", "Sampling"),
    }
)  # fmt: skip
KNOWN_DOMAINS = frozenset({"", "ai.onnx.ml", "com.microsoft"})


def is_deterministic(node: ir.Node, facts: Facts) -> bool:
    """False for random ops, for Dropout that may be training, and for domains we know nothing of."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    if domain not in KNOWN_DOMAINS or (domain, node.op_type) in NONDETERMINISTIC:
        return False
    return domain != "" or node.op_type != "Dropout" or _is_inference(node, facts)


def _is_inference(node: ir.Node, facts: Facts) -> bool:
    """Dropout trains by default before opset 7, never in 7 to 11, and as its third input says from 12 on."""
    opset = facts.opset_imports.get("", 0)
    if opset >= 12:
        mode = node.inputs[2] if len(node.inputs) > 2 else None
        return mode is None or facts.of(mode).known_elements == (False,)
    is_test = node.attributes.get("is_test")
    return opset >= 7 or (is_test is not None and is_test.value == 1)
