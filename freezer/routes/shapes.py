"""Dynamic axes: as the caller names them, as each exporter wants them, as the model shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import onnx_ir as ir
import torch

from freezer.errors import UsageError
from freezer.model_io.walk import all_nodes
from freezer.routes.call import Leaf

Axes = dict[int, str]


def axes_of(leaves: Sequence[Leaf], dynamic_shapes: Mapping[str, Any] | None) -> dict[str, Axes]:
    """The names of the dynamic axes of each tensor, by the tensor's name.

    dynamic_shapes: argument name -> {axis: name} or a sequence of names and None; nested as the
    argument is. Raises UsageError for an unknown argument or a specification that does not fit.
    """
    unknown = set(dynamic_shapes or {}) - {leaf.argument for leaf in leaves}
    if unknown:
        raise UsageError(f"dynamic_shapes names '{min(unknown)}', which is no argument of this call")
    found = {leaf.name: _axes(leaf, _inner((dynamic_shapes or {}).get(leaf.argument), leaf.path)) for leaf in leaves}
    return {name: axes for name, axes in found.items() if axes}


def _inner(specification: Any, path: Sequence[Any]) -> Any:
    for entry in path:
        if specification is None:
            return None
        key = next(getattr(entry, a) for a in ("key", "idx", "name") if hasattr(entry, a))
        specification = specification.get(key) if isinstance(specification, Mapping) else specification[key]
    return specification


def _axes(leaf: Leaf, specification: Any) -> Axes:
    if not specification or not leaf.is_tensor:
        return {}
    pairs = specification.items() if isinstance(specification, Mapping) else enumerate(specification)
    axes: dict[int, Any] = {axis: getattr(dim, "__name__", dim) for axis, dim in pairs if dim is not None}
    rank = leaf.value.dim()
    if any(not isinstance(a, int) or not 0 <= a < rank or not isinstance(n, str) for a, n in axes.items()):
        raise UsageError(
            f"dynamic_shapes of '{leaf.name}' must map axes 0..{rank - 1} to names; it is {specification!r}"
        )
    return axes


def export_dims(values: Sequence[Any], axes: Sequence[Axes]) -> tuple[Any, ...]:
    """What torch.export wants, one a value: an axis with a name is dynamic, and so is a plain int."""
    dynamic = torch.export.Dim.DYNAMIC
    return tuple(
        dynamic if type(v) is int else dict.fromkeys(a, dynamic) or None for v, a in zip(values, axes, strict=True)
    )


def name_symbols(model: ir.Model, axes: Mapping[str, Axes]) -> None:
    """Give the symbols of the inputs their names, wherever they occur, formulas included."""
    names: dict[str, str] = {}
    for value in model.graph.inputs:
        for axis, name in axes.get(value.name or "", {}).items():
            symbol = value.shape[axis] if value.shape is not None else None
            if isinstance(symbol, ir.SymbolicDim) and symbol.value:
                names.setdefault(symbol.value, name)
    if not names:
        return
    pattern = re.compile(r"(?<![\w.])(" + "|".join(map(re.escape, names)) + r")(?![\w.])")
    for value in {*model.graph.inputs, *model.graph.outputs, *(v for n in all_nodes(model.graph) for v in n.outputs)}:
        if value.shape is not None:
            value.shape = ir.Shape([_renamed(dim, pattern, names) for dim in value.shape])


def _renamed(dim: int | ir.SymbolicDim, pattern: re.Pattern[str], names: dict[str, str]) -> int | str | None:
    if isinstance(dim, int):
        return dim
    return None if dim.value is None else pattern.sub(lambda m: names[m[0]], dim.value)


def forget_made_up_dims(model: ir.Model) -> None:
    """Output dims other than numbers and the inputs' symbols become unknown: their text differs between traces."""
    known = {d.value for v in model.graph.inputs if v.shape for d in v.shape if isinstance(d, ir.SymbolicDim)}
    for value in model.graph.outputs:
        if value.shape is not None:
            value.shape = ir.Shape([d if isinstance(d, int) or d.value in known else None for d in value.shape])
