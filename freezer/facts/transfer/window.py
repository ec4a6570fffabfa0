"""How far a window slides: the spatial dims of convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape, at_least, exact_div, floor_div
from freezer.facts.transfer.attributes import Unclear, integers, text


@dataclass(frozen=True, slots=True)
class Window:
    """Attributes of a convolution or pool, one entry a spatial axis."""

    kernel: Shape
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]
    auto_pad: str

    def reach(self, axis: int) -> Dim:
        """Positions from the first to the last the kernel touches, both included."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def pads(self, axis: int) -> int:
        return self.begins[axis] + self.ends[axis]


def window_of(node: ir.Node, spatial: int, kernel: Shape | None) -> Window:
    """Its attributes, kernel_shape by default the weight's. Unclear if they do not fit the rank."""
    given = integers(node, "kernel_shape", None)
    size = given if given is not None else kernel
    auto_pad = text(node, "auto_pad", "NOTSET") or "NOTSET"
    ones = (1,) * spatial
    strides, dilations = integers(node, "strides", ones) or ones, integers(node, "dilations", ones) or ones
    pads = integers(node, "pads", ()) if auto_pad == "NOTSET" else ()
    pads = pads or (0,) * 2 * spatial
    if size is None or not len(size) == len(strides) == len(dilations) == spatial or len(pads) != 2 * spatial:
        raise Unclear("the window does not fit the rank")
    if min((*strides, *dilations), default=1) < 1:
        raise Unclear("a stride or dilation below 1")
    return Window(size, strides, dilations, pads[:spatial], pads[spatial:], auto_pad)


def convolved(window: Window, axis: int, dim: Dim) -> Dim | None:
    """Positions a kernel takes; runtimes refuse an input that is smaller than the kernel."""
    stride = window.strides[axis]
    if window.auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        return floor_div(dim + (stride - 1), stride)
    steps = floor_div(dim + window.pads(axis) - window.reach(axis), stride)
    found = None if steps is None else steps + 1
    return None if isinstance(found, int) and found < 1 else found


def pooled(window: Window, axis: int, dim: Dim, ceil: bool) -> Dim | None:
    """Positions of a pool's window; None where it may be larger than the input or end outside: runtimes differ."""
    stride = window.strides[axis]
    if window.auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        return floor_div(dim + (stride - 1), stride)
    reach = window.reach(axis) - window.pads(axis)
    if not at_least(dim, reach) and not (isinstance(reach, int) and reach <= 1):  # spatial dims are at least 1
        return None
    exact = exact_div(dim - reach, stride)
    if exact is not None:
        return exact + 1
    steps = floor_div(dim - reach, stride)
    if not ceil or steps is None:
        return None if steps is None else steps + 1
    inside = isinstance(dim, int) and isinstance(steps, int) and (steps + 1) * stride < dim + window.begins[axis]
    return steps + 2 if inside else None


def transposed(window: Window, axis: int, dim: Dim, extra: int) -> Dim | None:
    """Positions that a transposed convolution fills; `extra` is output_padding."""
    stride, reach = window.strides[axis], window.reach(axis) + extra
    if window.auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        return dim * stride if at_least(reach, stride) else None
    found = (dim - 1) * stride + reach - window.pads(axis)
    return None if isinstance(found, int) and found < 1 else found
