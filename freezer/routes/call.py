"""One call of a module: the values of forward's arguments, by name, and which of them are frozen."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils import _pytree as pytree

from freezer.errors import UsageError

_VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


@dataclass(frozen=True)
class Leaf:
    """One tensor or plain value inside an argument; `path` leads to it, `name` is its name as an input."""

    name: str
    argument: str
    path: tuple[Any, ...]
    value: Any
    frozen: bool

    @property
    def is_tensor(self) -> bool:
        """Whether the value is a tensor."""
        return isinstance(self.value, torch.Tensor)


class Call:
    """The arguments of one call, bound to forward's signature, in its order.

    arguments: values by name. frozen: the names that are frozen.
    """

    def __init__(self, signature: inspect.Signature, arguments: dict[str, Any], frozen: set[str]) -> None:
        variadic = next((p.name for p in signature.parameters.values() if p.kind is inspect.Parameter.VAR_KEYWORD), "")
        flat = {k: v for k, v in arguments.items() if k != variadic} | arguments.get(variadic, {})
        self._signature, self._variadic = signature, variadic
        self._leaves: list[Leaf] = []
        self._trees: dict[str, pytree.TreeSpec] = {}
        for name, value in flat.items():
            pairs, self._trees[name] = pytree.tree_flatten_with_path(value)
            for path, leaf in pairs:
                self._leaves.append(Leaf("_".join([name, *map(key_word, path)]), name, path, leaf, name in frozen))
        self._leaves = _named_apart(self._leaves)

    @property
    def leaves(self) -> list[Leaf]:
        """All tensors and plain values, in signature order."""
        return list(self._leaves)

    def renamed(self, leaves: Sequence[Leaf], names: Sequence[str] | None) -> Call:
        """The same call with other names for these leaves. Raises UsageError when their number does not fit."""
        old = [leaf.name for leaf in leaves]
        new = dict(zip(old, names or old, strict=False))
        if names is not None and (len(names) != len(old) or len(set(names)) != len(old)):
            raise UsageError(
                f"input_names must be {len(old)} different names, for {', '.join(old)}; it is {list(names)}"
            )
        result = copy.copy(self)
        result._leaves = _named_apart([replace(leaf, name=new.get(leaf.name, leaf.name)) for leaf in self._leaves])
        return result

    def build(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments with these values, one a leaf, in place of the call's own."""
        arguments, start = {}, 0
        for name, tree in self._trees.items():
            arguments[name] = pytree.tree_unflatten(list(values[start : start + tree.num_leaves]), tree)
            start += tree.num_leaves
        extra = {k: arguments.pop(k) for k in list(arguments) if k not in self._signature.parameters}
        if extra:
            arguments[self._variadic] = extra
        bound = inspect.BoundArguments(self._signature, arguments)
        return bound.args, bound.kwargs


def bind(
    module: torch.nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None,
    freeze: Mapping[str, Any],
    *,
    override: bool = False,
) -> Call:
    """The call module(*args, **kwargs) with the arguments of `freeze` frozen.

    override: a frozen value replaces an example of the same argument, which is otherwise an error.
    Raises UsageError for unknown names, two different values of one argument, or a missing argument.
    """
    signature = inspect.signature(module.forward)
    examples = given(module, args, kwargs)
    _check_names(signature, freeze)
    for name, value in freeze.items():
        if not override and name in examples and not _same(examples[name], value):
            raise UsageError(
                f"argument '{name}' has two values: {_show(examples[name])} as an example and {_show(value)} frozen; "
                "give one of them"
            )
    return Call(signature, _ordered(signature, {**examples, **freeze}), set(freeze))


def given(module: torch.nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments given as examples, by name. Raises UsageError when they do not fit forward's signature."""
    signature = inspect.signature(module.forward)
    try:
        bound = signature.bind_partial(*args, **(kwargs or {})).arguments
    except TypeError as error:
        raise UsageError(f"these example arguments do not fit forward{signature}: {error}") from error
    extra = {}
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            extra = bound.pop(parameter.name, {})
    return {**bound, **extra}


def _check_names(signature: inspect.Signature, freeze: Mapping[str, Any]) -> None:
    parameters = signature.parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return
    names = [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    for name in freeze:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"it has: {', '.join(names)}"
            raise UsageError(f"cannot freeze '{name}': forward{signature} has no such argument; {hint}")


def _ordered(signature: inspect.Signature, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments in signature order, those of **kwargs last. Raises UsageError when one is missing."""
    arguments = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            arguments[name] = {k: v for k, v in values.items() if k not in signature.parameters}
        elif name in values:
            arguments[name] = values[name]
        elif parameter.default is inspect.Parameter.empty and parameter.kind not in _VARIADIC:
            raise UsageError(f"argument '{name}' of forward{signature} has no value; give an example or freeze it")
    return arguments


def _same(a: Any, b: Any) -> bool:
    leaves_a, tree_a = pytree.tree_flatten(a)
    leaves_b, tree_b = pytree.tree_flatten(b)
    return tree_a == tree_b and all(map(_same_leaf, leaves_a, leaves_b))


def _same_leaf(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a is b or (a.dtype == b.dtype and torch.equal(a, b))
    return type(a) is type(b) and bool(a == b)


def _show(value: Any) -> str:
    if isinstance(value, torch.Tensor) and value.numel() > 1:
        return f"a tensor {str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    return repr(value)


def key_word(entry: Any) -> str:
    """The word for one step of a path: a key, an index or an attribute."""
    word = next((str(getattr(entry, a)) for a in ("key", "idx", "name") if hasattr(entry, a)), str(entry))
    return "".join(c if c.isalnum() else "_" for c in word)


def _named_apart(leaves: list[Leaf]) -> list[Leaf]:
    """The leaves with different names: an argument `x_0` beside element 0 of `x` gives x_0 and x_0_1."""
    names: set[str] = set()
    result = []
    for leaf in leaves:
        name, count = leaf.name, 0
        while name in names:
            count += 1
            name = f"{leaf.name}_{count}"
        names.add(name)
        result.append(replace(leaf, name=name))
    return result
