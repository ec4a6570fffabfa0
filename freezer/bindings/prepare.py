"""One value: what was given, checked against the input's type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from freezer.bindings.arrays import advice, as_tensor, dtype_name, is_literal, string_tensor
from freezer.bindings.dims import Shape, shape_of, shape_text
from freezer.bindings.fills import fill_array
from freezer.bindings.literals import Loss, literal_array, literal_shape
from freezer.bindings.raw import RawValue
from freezer.errors import UsageError

_NUMBERS = ("nan", "inf", "-inf", "infinity", "-infinity")
_FORMS = "not JSON, ones, zeros, full(x), arange or @file"


@dataclass
class Prepared:
    """A value for one input. sizes: its shape, None while it is a fill that takes the model's."""

    input: ir.Value
    raw: RawValue
    sizes: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        return self.input.name or ""

    @property
    def expects(self) -> Shape | None:
        return shape_of(self.input)

    def tensor(self, sizes: tuple[int, ...]) -> ir.TensorProtocol:
        """The tensor, of the model's dtype and that shape, which shares nothing with what was given."""
        dtype = dtype_of(self.input)
        try:
            tensor = _tensor(self.raw, dtype, sizes)
        except Loss as loss:
            raise refusal(self.input, str(loss)) from None
        tensor.name = self.name
        return tensor


def prepare(value: ir.Value, given: Any) -> Prepared:
    """Check dtype and rank of what is given for an input. Raises UsageError."""
    dtype = dtype_of(value)
    raw = given if isinstance(given, RawValue) else _raw(given)
    try:
        raw = _read_word(raw, dtype)
        sizes = _sizes(raw, dtype)
    except Loss as loss:
        raise refusal(value, str(loss)) from None
    expected = shape_of(value)
    if sizes is not None and expected is not None and len(sizes) != len(expected):
        raise refusal(value, f"has shape {shape_text(sizes)}{_reshape_hint(raw, sizes, expected)}")
    return Prepared(value, raw, sizes)


def dtype_of(value: ir.Value) -> ir.DataType:
    """An input's element type. Raises UsageError if it is not a tensor."""
    if isinstance(value.type, ir.TensorType):
        return value.type.dtype
    kinds = ((ir.SequenceType, "a sequence"), (ir.OptionalType, "an optional"), (ir.SparseTensorType, "sparse"))
    kind = next((words for type_, words in kinds if isinstance(value.type, type_)), "not a tensor")
    raise UsageError(f"cannot freeze '{value.name}': it is {kind}, and only tensors can be frozen")


def refusal(value: ir.Value, why: str) -> UsageError:
    """The error for a value that does not fit; `why` continues "the value"."""
    expected = f"{dtype_name(dtype_of(value))}, shape {shape_text(shape_of(value))}"
    return UsageError(f"cannot freeze '{value.name}': the model expects {expected}; the value {why}")


def _raw(given: Any) -> RawValue:
    if is_literal(given):
        text = repr(given)
        return RawValue("literal", given, text if len(text) <= 80 else f"{text[:77]}...")
    return RawValue("array", given, type(given).__name__)


def _read_word(raw: RawValue, dtype: ir.DataType) -> RawValue:
    """A word is a string for a string input, else one of the numbers that JSON has no form for."""
    if raw.kind != "word":
        return raw
    if dtype == ir.DataType.STRING:
        return RawValue("literal", raw.content, raw.text)
    word = raw.content.strip().lower()
    if dtype.is_floating_point() and word in _NUMBERS:
        return RawValue("literal", float(word), raw.text)
    if dtype in (ir.DataType.COMPLEX64, ir.DataType.COMPLEX128):
        try:
            return RawValue("literal", complex(word), raw.text)
        except ValueError:
            raise Loss(f"'{raw.content}' is not a complex number such as 1+2j") from None
    hint = f"; write {word}" if word in ("true", "false") else ""
    raise Loss(f"'{raw.content[:60]}' is {_FORMS}{hint}")


def _sizes(raw: RawValue, dtype: ir.DataType) -> tuple[int, ...] | None:
    if raw.kind in ("fill", "arange"):
        return raw.shape
    if raw.kind == "literal":
        return literal_shape(raw.content)
    tensor = as_tensor(raw.content)
    if tensor.dtype != dtype:
        raise Loss(f"has dtype {dtype_name(tensor.dtype)}: convert it with {advice(dtype)}")
    return tuple(int(d) for d in tensor.shape)  # type: ignore[arg-type]


def _tensor(raw: RawValue, dtype: ir.DataType, sizes: tuple[int, ...]) -> ir.TensorProtocol:
    if raw.kind == "array":
        tensor = as_tensor(raw.content)
        array = np.array(tensor.numpy())
    elif raw.kind == "literal":
        array = literal_array(raw.content, dtype)
    else:
        array = fill_array(raw, dtype, sizes)
    if dtype == ir.DataType.STRING:
        return string_tensor(array.reshape(-1).tolist(), array.shape)
    return ir.Tensor(array, dtype=dtype)


def _reshape_hint(raw: RawValue, sizes: tuple[int, ...], expected: Shape) -> str:
    ones = all(d == 1 or not isinstance(d, int) for d in expected)
    if raw.kind == "literal" and sizes == () and ones:
        return f": write {'[' * len(expected)}{raw.text.strip()}{']' * len(expected)}"
    if raw.kind == "array":
        return f": convert it with .reshape to {len(expected)} axes"
    return ""
