"""What ONNX's schemas say two spellings of one node have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import onnx
import onnx_ir as ir

from freezer.canonical.content import digest
from freezer.canonical.encode import attribute_bytes

# Measured in onnxruntime 1.32 on all pairs of special values: exchanging the first two operands changes no bit of the
# result (but the payload when both are NaN). Not Max and Min: they return the second of 0.0 and -0.0. A Sum or Mean
# of three is not associative, so that only its first two may change places.
_COMMUTATIVE = {
    "Add", "Mul", "Sum", "Mean", "Equal", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
}  # fmt: skip
_SYMMETRIC_BROADCAST = 7  # before this opset the second operand alone is broadcast

# The number of outputs of these chooses what they compute.
_COUNTED_OUTPUTS = {"BatchNormalization"}

# A runtime may have its own kernel for a function of these domains: its name is part of what it computes.
RUNTIME_DOMAINS = ("ai.onnx", "com.microsoft", "com.ms", "org.pytorch", "onnxruntime")


@dataclass(frozen=True)
class Law:
    """What a schema allows to be left unsaid."""

    defaults: dict[str, bytes] = field(default_factory=dict)  # attribute -> encoded default
    min_inputs: int = 0
    optional_outputs: frozenset[int] = frozenset()


@lru_cache(maxsize=4096)
def law(domain: str, op_type: str, version: int) -> Law:
    """The law of an operator; an empty one when onnx has no schema for it."""
    try:
        schema = onnx.defs.get_schema(op_type, version, domain)
    except onnx.defs.SchemaError:
        return Law()
    optional = onnx.defs.OpSchema.FormalParameterOption.Optional
    outputs = [i for i, out in enumerate(schema.outputs) if out.option == optional]
    return Law(
        defaults={name: _default(a) for name, a in schema.attributes.items() if a.default_value.type},
        min_inputs=schema.min_input,
        optional_outputs=frozenset([] if op_type in _COUNTED_OUTPUTS else outputs),
    )


def is_commutative(domain: str, op_type: str, version: int) -> bool:
    """May the first two operands change places, for every input?"""
    return domain == "" and op_type in _COMMUTATIVE and version >= _SYMMETRIC_BROADCAST


def named_by_runtime(domain: str) -> bool:
    """Does the name of a function in this domain mean something to a runtime?"""
    return domain == "" or domain.startswith(RUNTIME_DOMAINS)


def _default(attribute: onnx.defs.OpSchema.Attribute) -> bytes:
    return attribute_bytes(ir.serde.deserialize_attribute(attribute.default_value), digest)
