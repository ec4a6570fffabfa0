"""A factory named on the command line: what it returns, with the values given there."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx_ir as ir
import torch
from onnx_ir.tensor_adapters import from_torch_dtype

from freezer.bindings import RawValue
from freezer.bindings.fills import fill_array
from freezer.errors import UsageError
from freezer.routes.call import given
from freezer.routes.exporters import OPSET

_NONE = {"none", "None", "null"}


@dataclass(frozen=True)
class Made:
    """What a factory returned: a module, example arguments, and what it freezes itself."""

    module: torch.nn.Module
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    freeze: Mapping[str, Any] = field(default_factory=dict)
    dynamic_shapes: Mapping[str, Any] | None = None
    opset: int = OPSET


def make(place: str) -> Made:
    """Call the factory of 'package.module:factory' or 'path/to/file.py:factory', with a fixed random seed.

    It returns (module, args) or (module, args, kwargs), or an object with the attributes of `Made`.
    Raises UsageError when there is no such factory, or it raises or returns something else.
    """
    name, _, factory = place.rpartition(":")
    if not name:
        raise UsageError(f"'{place}' must be MODULE:FACTORY or path/to/file.py:FACTORY")
    function = getattr(_module(name), factory, None)
    if not callable(function):
        raise UsageError(f"'{name}' has no function '{factory}'")
    torch.manual_seed(0)
    try:
        return _made(place, function())
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"the factory '{place}' raised {type(error).__name__}: {error}") from error


def _module(name: str) -> ModuleType:
    """Import by name, or a file by its path; the current folder counts, as for python -m."""
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    try:
        if not name.endswith(".py"):
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module
    except Exception as error:  # whatever importing somebody's file raises
        raise UsageError(f"cannot import '{name}': {type(error).__name__}: {error}") from error


def _made(place: str, result: Any) -> Made:
    if isinstance(result, tuple) and result and isinstance(result[0], torch.nn.Module) and len(result) <= 3:
        return Made(result[0], *result[1:])
    if isinstance(getattr(result, "module", None), torch.nn.Module):
        return Made(**{name: getattr(result, name) for name in Made.__dataclass_fields__ if hasattr(result, name)})
    raise UsageError(f"the factory '{place}' must return (module, args) or (module, args, kwargs), not {result!r:.80}")


def frozen_values(made: Made, values: Mapping[str, RawValue]) -> dict[str, Any]:
    """The factory's frozen arguments and these, converted to what the argument's example is.

    Raises UsageError for a value that does not convert.
    """
    examples = {**given(made.module, made.args, made.kwargs), **made.freeze}
    return {**made.freeze, **{name: _value(name, raw, examples.get(name)) for name, raw in values.items()}}


def _value(name: str, raw: RawValue, example: Any) -> Any:
    if raw.kind == "word":
        return None if raw.content in _NONE else raw.content
    try:
        return _tensor(raw, example) if _is_tensor(raw, example) else _plain(raw.content, example)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"cannot freeze '{name}': {raw.text}: {error}") from error


def _is_tensor(raw: RawValue, example: Any) -> bool:
    """Whether to make a tensor: the example is one, or there is none and the value is no plain number."""
    return (
        isinstance(example, torch.Tensor)
        or raw.kind != "literal"
        or (example is None and isinstance(raw.content, list))
    )


def _plain(content: Any, example: Any) -> Any:
    if isinstance(content, list):
        return type(example)(content) if isinstance(example, (tuple, list)) else content
    return float(content) if isinstance(example, float) and isinstance(content, int) else content


def _tensor(raw: RawValue, example: Any) -> torch.Tensor:
    """A tensor of the example's type and, for one element, shape."""
    dtype = example.dtype if isinstance(example, torch.Tensor) else None
    shape = tuple(example.shape) if isinstance(example, torch.Tensor) else ()
    if raw.kind in ("fill", "arange"):
        wanted = dtype or torch.get_default_dtype()
        filled = ir.DataType.DOUBLE if wanted.is_floating_point else from_torch_dtype(wanted)
        return torch.tensor(fill_array(raw, filled, shape if raw.shape is None else raw.shape), dtype=wanted)
    content = raw.content.numpy() if isinstance(raw.content, ir.TensorProtocol) else raw.content
    tensor = torch.tensor(content, dtype=dtype)
    return tensor.reshape(shape) if dtype is not None and tensor.numel() == 1 == example.numel() else tensor
