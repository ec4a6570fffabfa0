"""Where a model stores tensors: initializers and attributes, in subgraphs and functions too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass

import onnx_ir as ir

from freezer.model_io.walk import graphs

Put = Callable[[ir.TensorProtocol], None]


@dataclass(slots=True)
class Slot:
    """A stored tensor, and how to store another in its place."""

    tensor: ir.TensorProtocol
    put: Put


def slots(model: ir.Model) -> Iterator[Slot]:
    """Every stored tensor of a model, in a fixed order."""
    for graph in graphs(model):
        yield from (_initializer(v) for v in graph.initializers.values() if v.const_value is not None)
        for node in graph:
            for attribute in list(node.attributes.values()):
                yield from _attribute(attribute, node.attributes)
    for function in model.functions.values():
        for attribute in list(function.attributes.values()):
            yield from _attribute(attribute, function.attributes)


def _initializer(value: ir.Value) -> Slot:
    assert value.const_value is not None

    def put(tensor: ir.TensorProtocol) -> None:
        value.const_value = tensor

    return Slot(value.const_value, put)


def _attribute(attribute: ir.Attr, home: MutableMapping[str, ir.Attr]) -> Iterator[Slot]:
    if attribute.is_ref() or attribute.value is None:
        return
    if attribute.type == ir.AttributeType.TENSOR:
        yield Slot(attribute.as_tensor(), lambda t: home.update({attribute.name: ir.AttrTensor(attribute.name, t)}))
    elif attribute.type == ir.AttributeType.TENSORS:
        for index, tensor in enumerate(attribute.as_tensors()):
            yield Slot(tensor, lambda t, i=index: _put_item(home, attribute.name, i, t))  # type: ignore[misc]


def _put_item(home: MutableMapping[str, ir.Attr], name: str, index: int, tensor: ir.TensorProtocol) -> None:
    items = list(home[name].as_tensors())
    items[index] = tensor
    home[name] = ir.AttrTensors(name, items)


@contextmanager
def replaced(places: Iterable[tuple[Slot, ir.TensorProtocol]]) -> Iterator[None]:
    """The model with other tensors in some slots; the old ones are back afterwards."""
    done = []
    try:
        for slot, tensor in places:
            done.append(slot)
            slot.put(tensor)
        yield
    finally:
        for slot in done:
            slot.put(slot.tensor)
