"""Statistics of a normalisation at inference go into its scale and shift."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite, again
from freezer.rules.known import constant, integer, only_user, stored
from freezer.rules.registry import on

_MEASURED = (ir.DataType.FLOAT, ir.DataType.DOUBLE)
_FIRST_OPSET = 9  # before, a normalisation might be by place, not by channel


@on("BatchNormalization", late=True)
def scale_and_shift_instead_of_statistics(node: ir.Node, facts: Facts) -> Answer:
    """BatchNormalization(x, s, b, m, v) is BatchNormalization(x, f, g, 0, 1 - epsilon): the same for all of a size.

    onnxruntime computes f = s / sqrt(v + epsilon) and g = b - m * f, then x * f + g; with the new statistics f and g
    come out as they go in. They are what it makes of 1 without a shift, and of 0.
    """
    arrays = _constants(node, facts)
    epsilon = float(np.float32(node.attributes["epsilon"].value if "epsilon" in node.attributes else 1e-5))
    if arrays is None or not _comes_out(arrays, epsilon) or _is_plain(arrays, epsilon):
        return None
    scale, _, _, variance = node.inputs[1:]
    size, dtype = arrays[0].size, arrays[0].dtype
    zeros, ones = (_full((1, size), n, dtype) for n in (0.0, 1.0))
    nothing, none, rest = (_full((size,), n, dtype) for n in (-0.0, 0.0, 1 - epsilon))
    factor = again(node, [ones, scale, nothing, nothing, variance], [])
    shift = again(node, [zeros, *node.inputs[1:]], [])
    flat = constant([size])
    f, g = (ir.Node("", "Reshape", [made.outputs[0], flat]) for made in (factor, shift))
    new = [zeros, ones, nothing, none, rest, flat]
    result = again(node, [node.inputs[0], f.outputs[0], g.outputs[0], none, rest], new)
    return Rewrite(result.outputs, [*factor.nodes, *shift.nodes, f, g, *result.nodes], result.initializers)


def _constants(node: ir.Node, facts: Facts) -> list[np.ndarray] | None:
    """Scale, shift, mean and variance of a normalisation at inference, if they are constants of its own."""
    dtype = facts.dtype(node.inputs[0])
    if len(node.outputs) > 1 or integer(node, "training_mode", 0) or facts.opset_imports.get("", 0) < _FIRST_OPSET:
        return None
    if dtype not in _MEASURED or facts.of(node.inputs[0]).static or any(facts.dtype(v) != dtype for v in node.inputs):
        return None
    arrays = [facts.array(v) for v in node.inputs[1:] if only_user(v)]
    found = [a for a in arrays if a is not None]
    return found if len(found) == len(node.inputs) - 1 else None


def _comes_out(arrays: list[np.ndarray], epsilon: float) -> bool:
    """Whether 1 * f + 0, 0 * f + g and 1 / sqrt(1 - epsilon + epsilon) are f, g and 1: a zero g is no -0.0."""
    scale, shift, mean, variance = arrays
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(variance + epsilon)
        finite = all(np.isfinite(a).all() for a in (factor, shift, mean * factor, shift - mean * factor))
        rest = np.full_like(scale, 1 - epsilon)
        return bool(finite and not np.signbit(shift[shift == 0]).any() and (rest + epsilon == 1).all())


def _is_plain(arrays: list[np.ndarray], epsilon: float) -> bool:
    """Whether there is nothing to put into scale and shift, or less to store as it is, since two are equal."""
    _, _, mean, variance = arrays
    done = not mean.any() and (variance + epsilon == 1).all()
    return bool(done) or len({a.tobytes() for a in arrays}) < len(arrays)


def _full(shape: tuple[int, ...], number: float, dtype: np.dtype) -> ir.Value:
    return stored(np.full(shape, number, dtype), ir.DataType.from_numpy(dtype))
