"""The module as the exporters see it: flat tensors in, flat tensors out, its own parameter names."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

from freezer.errors import UsageError
from freezer.naming import Names
from freezer.routes.call import Call, Leaf, key_word
from freezer.routes.untouched import untouched

_DROPPED = (bool, int, float, str, type(None), torch.SymInt, torch.SymFloat, torch.SymBool)


@dataclass
class Traced:
    """What an exporter gets.

    module: takes the tensors of `inputs` by position, returns a tuple of tensors. values: example
    values, one an input, a plain number where the leaf is one. outputs: names of the tensors returned.
    """

    module: nn.Module
    inputs: list[Leaf]
    values: list[Any]
    outputs: list[str]

    @property
    def names(self) -> list[str]:
        """Names of the inputs."""
        return [leaf.name for leaf in self.inputs]


def traced(module: nn.Module, call: Call, held: Callable[[Leaf], bool], outputs: list[str], *, buffers: bool) -> Traced:
    """The module with the leaves that `held` names as inputs and all others inside it.

    outputs: the names of the tensors that the module returns.
    buffers: tensors inside become buffers of the copy, so that a tracer sees what is done to them;
    otherwise they are plain values, which an exporter may look at and decide by.
    """
    leaves = call.leaves
    inputs = [leaf for leaf in leaves if held(leaf)]
    inside = {leaf.name: owned(leaf.value) for leaf in leaves if not held(leaf)}
    shell = _shell(module)
    keys = _add_buffers(shell, module, inside) if buffers else {}

    def forward(*values: Any) -> tuple[torch.Tensor, ...]:
        own = {name: shell._buffers[key] for name, key in keys.items()}
        given = {**inside, **own, **dict(zip([leaf.name for leaf in inputs], values, strict=True))}
        args, kwargs = call.build([given[leaf.name] for leaf in leaves])
        return tuple(tensors(module(*args, **kwargs)).values())

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    forward.__signature__ = inspect.Signature([inspect.Parameter(i.name, kind) for i in inputs])  # type: ignore[attr-defined]
    vars(shell)["forward"] = forward
    number = float_type(module, call)
    return Traced(shell, inputs, [_example(leaf.value, number) for leaf in inputs], outputs)


def float_type(module: nn.Module, call: Call) -> torch.dtype:
    """The type of a Python float as an input: float64 if any tensor here is, so that no digit is lost."""
    tensors_here = (*module.parameters(), *module.buffers(), *(leaf.value for leaf in call.leaves if leaf.is_tensor))
    double = any(t.dtype == torch.float64 for t in tensors_here)
    return torch.float64 if double else torch.get_default_dtype()


def _example(value: Any, number: torch.dtype) -> Any:
    return torch.tensor(value, dtype=number) if isinstance(value, float) else owned(value)


def _shell(module: nn.Module) -> nn.Module:
    """A shallow copy that shares parameters and submodules, so that their names stay, and has no hooks.

    The hooks are those of the module itself, which the shell calls. Parameters stay one dict with the
    module's: an exporter that swaps them in the shell swaps them in the module.
    """
    shell = copy.copy(module)
    for kind in (
        "_forward_hooks",
        "_forward_pre_hooks",
        "_forward_hooks_with_kwargs",
        "_forward_pre_hooks_with_kwargs",
    ):
        vars(shell)[kind] = type(vars(module)[kind])()
    return shell


def _add_buffers(shell: nn.Module, module: nn.Module, inside: dict[str, Any]) -> dict[str, str]:
    """Give the shell, not the module, these tensors as buffers; the key of each, by name.

    All buffers count as persistent until `untouched` restores them: the tracer knows only those.
    """
    taken = (vars(shell), shell._buffers, shell._modules, dict(shell.named_parameters()))
    names = Names(name for group in taken for name in group)
    keys = {name: names.fresh(name) for name, value in inside.items() if isinstance(value, torch.Tensor)}
    vars(shell)["_buffers"] = {**shell._buffers, **{key: inside[name] for name, key in keys.items()}}
    for submodule in (shell, *module.modules()):
        vars(submodule)["_non_persistent_buffers_set"] = set()
    return keys


def outputs_of(module: nn.Module, call: Call) -> dict[str, torch.Tensor]:
    """The tensors that the module itself returns for this call, by name; the module is left as it was."""
    args, kwargs = call.build([owned(leaf.value) for leaf in call.leaves])
    with untouched(module):
        return tensors(module(*args, **kwargs))


def tensors(result: Any) -> dict[str, torch.Tensor]:
    """The tensors in what a module returns, by name; numbers and None are left out.

    'output' for a lone tensor, 'output_0', ... for a tuple, the keys of a dict. Raises UsageError when
    something else is in it, or no tensor.
    """
    pairs, _ = pytree.tree_flatten_with_path(result)
    strange = [leaf for _, leaf in pairs if not isinstance(leaf, (torch.Tensor, *_DROPPED))]
    if strange:
        raise UsageError(f"the module returns a {type(strange[0]).__name__}; a model's outputs are tensors")
    named = {_output_name(path): leaf for path, leaf in pairs if isinstance(leaf, torch.Tensor)}
    if not named:
        raise UsageError("the module returns no tensor; a model needs an output")
    return named


def _output_name(path: Sequence[Any]) -> str:
    keyed = path and isinstance(path[0], pytree.MappingKey)
    return "_".join([*([] if keyed else ["output"]), *map(key_word, path)])


def owned(value: Any) -> Any:
    """A tensor's own copy without gradients: a module that works in place must not change the caller's."""
    return value.detach().clone() if isinstance(value, torch.Tensor) else value
