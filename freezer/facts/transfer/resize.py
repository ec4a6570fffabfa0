"""Resize, Upsample, DepthToSpace, SpaceToDepth."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from freezer.facts.dims import Dim, Shape, floor_div
from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim, unknown_shape
from freezer.facts.transfer.attributes import axes_of, integer, integers, numbers, opset, text
from freezer.facts.transfer.target import target_shape

_EXACT = 1 << 20  # a product below this is exact in float32 when the scale is a whole number


@transfer("Resize", "Upsample")
def resize(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """To the sizes given, or by known scales. Crops and kept aspect ratios are left to others."""
    x, output = facts.of(node.inputs[0]), node.outputs[0]
    if x.shape is None:
        return [Fact(x.dtype)]
    if text(node, "coordinate_transformation_mode", "") == "tf_crop_and_resize":
        return [Fact(x.dtype, unknown_shape(output, len(x.shape)))]
    if text(node, "keep_aspect_ratio_policy", "stretch") != "stretch":
        return None
    given = integers(node, "axes", None)
    axes = tuple(range(len(x.shape))) if given is None else axes_of(given, len(x.shape))
    dims = _resized(node, facts, [x.shape[a] for a in axes])
    shape = list(x.shape)
    for place, axis in enumerate(axes):
        dim = dims[place] if dims is not None else None
        shape[axis] = unknown_dim(output, axis) if dim is None else dim
    return [Fact(x.dtype, tuple(shape))]


def _resized(node: ir.Node, facts: Facts, dims: list[Dim]) -> list[Dim | None] | None:
    sizes = node.inputs[3] if len(node.inputs) > 3 else None
    if sizes is not None:
        shape = target_shape(node.outputs[0], sizes, facts)
        return list(shape) if shape is not None and len(shape) == len(dims) else None
    scales = _scales(node, facts)
    if scales is None or len(scales) != len(dims):
        return None
    return [_scaled(d, s) for d, s in zip(dims, scales, strict=True)]


def _scales(node: ir.Node, facts: Facts) -> tuple[float, ...] | None:
    if node.op_type == "Upsample" and opset(facts) < 9:
        return numbers(node, "scales", None)
    place = 1 if node.op_type == "Upsample" or opset(facts) < 11 else 2
    array = facts.array(node.inputs[place], 1 << 10) if len(node.inputs) > place else None
    return None if array is None else tuple(float(s) for s in array.reshape(-1))


def _scaled(dim: Dim, scale: float) -> Dim | None:
    """dim * scale rounded down, where float32 and exact arithmetic agree on it."""
    if not math.isfinite(scale) or scale <= 0:
        return None
    if scale == int(scale):
        return dim * int(scale) if scale < _EXACT else None
    if not isinstance(dim, int):
        parts = 1 / scale
        return floor_div(dim, int(parts)) if parts in (2, 4, 8, 16, 32) else None
    single, double = math.floor(np.float32(scale) * np.float32(dim)), math.floor(scale * dim)
    return double if single == double else None


@transfer("DepthToSpace")
def depth_to_space(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[N, C, H, W] to [N, C / b², H * b, W * b]."""
    x, block = facts.of(node.inputs[0]), integer(node, "blocksize", 0)
    if x.shape is None or len(x.shape) != 4 or block < 1:
        return None
    n, c, h, w = x.shape
    return [Fact(x.dtype, _blocks(node.outputs[0], n, floor_div(c, block * block), h * block, w * block))]


@transfer("SpaceToDepth")
def space_to_depth(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[N, C, H, W] to [N, C * b², H / b, W / b]."""
    x, block = facts.of(node.inputs[0]), integer(node, "blocksize", 0)
    if x.shape is None or len(x.shape) != 4 or block < 1:
        return None
    n, c, h, w = x.shape
    return [Fact(x.dtype, _blocks(node.outputs[0], n, c * (block * block), floor_div(h, block), floor_div(w, block)))]


def _blocks(output: ir.Value, *dims: Dim | None) -> Shape:
    return tuple(unknown_dim(output, i) if d is None else d for i, d in enumerate(dims))
