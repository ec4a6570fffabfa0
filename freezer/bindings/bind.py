"""Checks what is to be frozen against the model, and makes tensors of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import onnx_ir as ir

from freezer.bindings.dims import Dims, Shape, is_symbol, shape_of, shape_text
from freezer.bindings.names import did_you_mean
from freezer.bindings.prepare import Prepared, dtype_of, prepare, refusal
from freezer.errors import UsageError


@dataclass
class Bindings:
    """What is frozen.

    values: input -> tensor of exactly the model's dtype. dims: symbol -> size, given or inferred.
    shapes: input -> its shape then, for every tensor input of known rank. notes: what was inferred, in words.
    origins: input -> how its value was given, for those that the user gave. given_dims, given_shapes: as the user
    gave them.
    """

    values: dict[str, ir.TensorProtocol] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    given_dims: dict[str, int] = field(default_factory=dict)
    given_shapes: dict[str, tuple[int | None, ...]] = field(default_factory=dict)


def bind(
    model: ir.Model,
    values: Mapping[str, Any] | None = None,
    dims: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int | None]] | None = None,
    freeze_defaults: bool = False,
) -> Bindings:
    """What freezing these inputs and sizes means for this model; the model is not changed.

    values: input -> Python scalar or nested list (converted where nothing is lost), array, onnx.TensorProto, onnx_ir or
    torch tensor (never converted), or RawValue. dims: symbol -> size. shapes: input -> sizes, None keeps one.
    freeze_defaults: inputs with an initializer are frozen to it, unless `values` has another value.
    Raises UsageError for what does not fit: the message names the input, what was expected and what to do.
    """
    binder = _Binder(model, dims or {})
    for name, sizes in (shapes or {}).items():
        binder.give_shape(name, sizes)
    for name, given in (values or {}).items():
        binder.give_value(name, given)
    if freeze_defaults:
        binder.give_defaults()
    return binder.result()


class _Binder:
    def __init__(self, model: ir.Model, dims: Mapping[str, int]) -> None:
        self._inputs = {v.name or "": v for v in model.graph.inputs}
        self._shapes = {name: shape_of(v) for name, v in self._inputs.items() if _is_tensor(v)}
        self._prepared: list[Prepared] = []
        self._said: set[str] = set()  # symbols that a note names
        self._dims = Dims(_symbols(model, dims))
        self._dims.give(dims)
        self._bindings = Bindings(given_dims=dict(dims))

    def give_shape(self, name: str, sizes: Sequence[int | None]) -> None:
        value = self._input(name, "bind the shape of")
        for size in sizes:
            if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 1 << 63):
                raise UsageError(f"cannot bind the shape of '{name}': {size!r} is not an integer from 0 to 2^63 - 1")
        dtype_of(value)
        expected = self._shapes[name] or (None,) * len(sizes)
        if len(expected) != len(sizes):
            raise UsageError(
                f"cannot bind the shape of '{name}': the model expects shape {shape_text(expected)}, "
                f"not {shape_text(tuple(sizes))}"
            )
        self._bindings.given_shapes[name] = tuple(sizes)
        self._unify(name, expected, sizes, f"the shape {shape_text(tuple(sizes))} of '{name}'")

    def give_value(self, name: str, given: Any) -> None:
        prepared = prepare(self._input(name, "freeze"), given)
        self._bindings.origins[name] = prepared.raw.text
        self._prepared.append(prepared)
        if prepared.sizes is not None:
            self._take_shape(prepared.input, prepared.sizes)

    def give_defaults(self) -> None:
        for name, value in self._inputs.items():
            if value.const_value is None or name in self._bindings.origins:
                continue
            self._bindings.values[name] = value.const_value
            if _is_tensor(value):
                self._take_shape(value, value.const_value.shape.numpy())

    def result(self) -> Bindings:
        self._dims.settle()
        for prepared in self._prepared:
            if prepared.sizes is None:
                prepared.sizes = self._size_fill(prepared)
            self._bindings.values[prepared.name] = prepared.tensor(prepared.sizes)
        self._bindings.dims = dict(self._dims.bound)
        self._note_inferred()
        for name, shape in self._shapes.items():
            if shape is not None:
                self._bindings.shapes[name] = self._dims.resolve(shape)
        return self._bindings

    def _input(self, name: str, what: str) -> ir.Value:
        if name not in self._inputs:
            raise UsageError(f"cannot {what} '{name}': the model has no such input{did_you_mean(name, self._inputs)}")
        return self._inputs[name]

    def _take_shape(self, value: ir.Value, sizes: Sequence[int]) -> None:
        name = value.name or ""
        expected = self._shapes[name] or (None,) * len(sizes)
        for dim, size in zip(expected, sizes, strict=True):
            if isinstance(dim, int) and dim != size:
                raise refusal(value, f"has shape {shape_text(tuple(sizes))}{self._given_shape(name)}")
        self._unify(name, expected, sizes, f"'{name}' {shape_text(tuple(sizes))}")

    def _given_shape(self, name: str) -> str:
        shape = self._bindings.given_shapes.get(name)
        return "" if shape is None else f", and its shape was given as {shape_text(shape)}"

    def _unify(self, name: str, expected: Shape, sizes: Sequence[int | None], reason: str) -> None:
        news = self._dims.unify(expected, sizes, reason)
        self._said.update(news)
        if news:
            bound = ", ".join(f"{s}={self._dims.bound[s]}" for s in dict.fromkeys(news))
            self._bindings.notes.append(f"{name} {shape_text(tuple(sizes))} binds {bound}")
        # A named dim keeps its name, so that a contradiction found later can still name it.
        fixed = (d if is_symbol(d) or s is None else s for d, s in zip(expected, sizes, strict=True))
        self._shapes[name] = tuple(fixed)

    def _size_fill(self, prepared: Prepared) -> tuple[int, ...]:
        """The shape of ones, zeros, full(x) or arange, from the model."""
        shape = self._shapes[prepared.name]
        text = prepared.raw.text.strip()
        if shape is None:
            raise refusal(prepared.input, f"'{text}' needs a shape: write {text}[1,64] with the sizes you mean")
        resolved = self._dims.resolve(shape)
        free = [d for d in resolved if not isinstance(d, int)]
        if not free:
            return resolved  # type: ignore[return-value]
        names = [d for d in free if is_symbol(d)]
        written = f"{text}[{','.join(str(d) if isinstance(d, int) else '1' for d in resolved)}]"
        unknown = " and ".join(f"'{n}'" for n in dict.fromkeys(names)) or "a dimension without a name"
        option = (
            f"--dim {shlex.quote(f'{names[0]}=1')}"
            if names
            else f"--shape {prepared.name}={written[len(text) + 1 : -1]}"
        )
        raise refusal(prepared.input, f"'{text}' needs the size of {unknown}: use {option} or {written}")

    def _note_inferred(self) -> None:
        for name, size in self._dims.bound.items():
            if name not in self._bindings.given_dims and name not in self._said:
                self._bindings.notes.append(f"{name} is {size}: {self._dims.reasons[name]}")


def _is_tensor(value: ir.Value) -> bool:
    return isinstance(value.type, ir.TensorType)


def _symbols(model: ir.Model, wanted: Mapping[str, int]) -> set[str]:
    """The named dims of inputs and outputs, and of other values if a wanted name is not among those."""
    interface = [*model.graph.inputs, *model.graph.outputs]
    names = {str(d) for v in interface for d in shape_of(v) or () if is_symbol(d)}
    if not names >= set(wanted):
        inner = (v for node in model.graph for v in node.outputs)
        names.update(str(d) for v in inner for d in shape_of(v) or () if d in wanted and is_symbol(d))
    return names
