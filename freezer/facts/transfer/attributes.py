"""Reading a node's attributes. One that cannot be read raises Unclear: the facts do not tell."""

from __future__ import annotations

from typing import TypeVar

import onnx_ir as ir

from freezer.facts.table import Facts

Default = TypeVar("Default")
_ELEMENT_TYPES = frozenset(d.value for d in ir.DataType if d != ir.DataType.UNDEFINED)


class Unclear(ValueError):
    """Nothing can be said of the node's outputs; `infer` answers None."""


def _read(node: ir.Node, name: str, kind: ir.AttributeType) -> object:
    attribute = node.attributes.get(name)
    if attribute is None:
        return None
    if attribute.is_ref() or attribute.type != kind or attribute.value is None:
        raise Unclear(f"attribute {name!r} of {node.op_type} is not a plain {kind.name}")
    return attribute.value


def integer(node: ir.Node, name: str, default: Default) -> int | Default:
    """An INT attribute; `default` if absent."""
    found = _read(node, name, ir.AttributeType.INT)
    return default if found is None else found  # type: ignore[return-value]


def integers(node: ir.Node, name: str, default: Default) -> tuple[int, ...] | Default:
    """An INTS attribute; `default` if absent."""
    found = _read(node, name, ir.AttributeType.INTS)
    return default if found is None else tuple(found)  # type: ignore[arg-type]


def number(node: ir.Node, name: str, default: Default) -> float | Default:
    """A FLOAT attribute; `default` if absent."""
    found = _read(node, name, ir.AttributeType.FLOAT)
    return default if found is None else found  # type: ignore[return-value]


def numbers(node: ir.Node, name: str, default: Default) -> tuple[float, ...] | Default:
    """A FLOATS attribute; `default` if absent."""
    found = _read(node, name, ir.AttributeType.FLOATS)
    return default if found is None else tuple(found)  # type: ignore[arg-type]


def text(node: ir.Node, name: str, default: Default) -> str | Default:
    """A STRING attribute; `default` if absent."""
    found = _read(node, name, ir.AttributeType.STRING)
    return default if found is None else found  # type: ignore[return-value]


def tensor(node: ir.Node, name: str) -> ir.TensorProtocol | None:
    """A TENSOR attribute, None if absent."""
    return _read(node, name, ir.AttributeType.TENSOR)  # type: ignore[return-value]


def dtype(node: ir.Node, name: str, default: Default) -> ir.DataType | Default:
    """An INT attribute that names an element type; `default` if absent, Unclear if there is no such type."""
    found = integer(node, name, None)
    if found is not None and found not in _ELEMENT_TYPES:
        raise Unclear(f"no element type {found}")
    return default if found is None else ir.DataType(found)


def opset(facts: Facts) -> int:
    """The version of ONNX's own operators that the model imports."""
    imports = facts.opset_imports
    return imports.get("") or imports.get("ai.onnx") or 1


def axis_of(axis: int, rank: int) -> int:
    """The axis counted from the front; Unclear if there is no such axis."""
    if not -rank <= axis < rank:
        raise Unclear(f"no axis {axis} in rank {rank}")
    return axis + rank if axis < 0 else axis


def axes_of(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Axes counted from the front, in the order given; Unclear if one is missing or double."""
    found = tuple(axis_of(axis, rank) for axis in axes)
    if len(set(found)) != len(found):
        raise Unclear("an axis is given twice")
    return found
