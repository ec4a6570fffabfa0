"""Sampling of images and of signals."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, at_least, floor_div
from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim
from freezer.facts.transfer.attributes import integer
from freezer.facts.transfer.broadcast import agreed


@transfer("GridSample")
def grid_sample(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[N, C, ...] at the places of a grid [N, ..., 2 or 3]."""
    x, grid = facts.of(node.inputs[0]), facts.shape(node.inputs[1])
    if x.shape is None or grid is None or len(x.shape) != len(grid) or len(grid) < 3:
        return [Fact(x.dtype)]
    return [Fact(x.dtype, (agreed([x.shape[0], grid[0]]), x.shape[1], *grid[1:-1]))]


@transfer("RoiAlign")
def roi_align(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[regions, C, output_height, output_width]."""
    x, regions = facts.of(node.inputs[0]), facts.shape(node.inputs[1])
    size = (integer(node, "output_height", 1), integer(node, "output_width", 1))
    if x.shape is None or len(x.shape) != 4 or not regions or min(size) < 0:
        return None
    return [Fact(x.dtype, (regions[0], x.shape[1], *size))]


@transfer("STFT")
def stft(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[batch, frames, bins, 2]."""
    signal, output = facts.of(node.inputs[0]), node.outputs[0]
    if signal.shape is None or len(signal.shape) < 2:
        return [Fact(signal.dtype)]
    length, step = _frame_length(node, facts), facts.ints(node.inputs[1])
    frames: Dim | None = None
    bins: Dim | None = None
    if length is not None and length > 0:
        bins = length // 2 + 1 if integer(node, "onesided", 1) else length
        if step is not None and len(step) == 1 and step[0] > 0 and at_least(signal.shape[1], length):
            steps = floor_div(signal.shape[1] - length, step[0])
            frames = None if steps is None else steps + 1
    dims = (signal.shape[0], frames, bins, 2)
    return [Fact(signal.dtype, tuple(unknown_dim(output, i) if d is None else d for i, d in enumerate(dims)))]


def _frame_length(node: ir.Node, facts: Facts) -> int | None:
    """The fourth operand, else the length of the window."""
    window, given = (*node.inputs, None, None)[2:4]
    if given is not None:
        found = facts.ints(given)
        return found[0] if found is not None and len(found) == 1 else None
    shape = facts.shape(window)
    return shape[0] if shape and isinstance(shape[0], int) else None
