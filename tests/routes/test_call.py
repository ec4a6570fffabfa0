"""Binding example and frozen arguments to a module's signature."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from freezer.errors import UsageError
from freezer.routes.call import bind


class Module(nn.Module):
    def forward(self, x: Tensor, scale: Any = 1.0, *, pair: Any = None, bias: Any = 0.0) -> Tensor:
        return x * scale + bias


class Open(nn.Module):
    def forward(self, x: Tensor, *more: Tensor, **extra: Tensor) -> Tensor:
        return x


def names(*args: Any, freeze: dict[str, Any], module: nn.Module | None = None, **kwargs: Any) -> list[tuple[str, bool]]:
    return [(leaf.name, leaf.frozen) for leaf in bind(module or Module(), args, kwargs, freeze).leaves]


def test_leaves_come_in_signature_order() -> None:
    assert names(1, bias=3, freeze={"scale": 2}) == [("x", False), ("scale", True), ("bias", False)]


def test_elements_are_named_after_their_argument() -> None:
    freeze = {"pair": (1, {"deep key": [2, 3]})}
    expected = ["x", "pair_0", "pair_1_deep_key_0", "pair_1_deep_key_1"]
    assert [name for name, _ in names(0, freeze=freeze)] == expected


def test_names_of_elements_stay_apart() -> None:
    found = names(torch.ones(1), x_0=1, freeze={}, module=Open())
    assert found == [("x", False), ("x_0", False)]
    found = names((7,), x_0=1, freeze={}, module=Open())
    assert [name for name, _ in found] == ["x_0", "x_0_1"]


def test_variadic_arguments_are_rebuilt() -> None:
    call = bind(Open(), (1, 2, 3), {"a": 4}, {"b": 5})
    assert [leaf.name for leaf in call.leaves] == ["x", "more_0", "more_1", "a", "b"]
    assert call.build([leaf.value * 10 for leaf in call.leaves]) == ((10, 20, 30), {"a": 40, "b": 50})


def test_keyword_only_arguments_are_rebuilt() -> None:
    call = bind(Module(), (1,), {"pair": (2, 3)}, {"scale": 4})
    assert call.build([leaf.value for leaf in call.leaves]) == ((1, 4), {"pair": (2, 3)})


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"cannot freeze 'sacle'.*did you mean 'scale'"):
        bind(Module(), (1,), {}, {"sacle": 2})


def test_an_unknown_example_is_an_error() -> None:
    with pytest.raises(UsageError, match="do not fit"):
        bind(Module(), (1,), {"nothing": 2}, {})


def test_a_missing_argument_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"'x'.*has no value"):
        bind(Module(), (), {}, {"scale": 2})


@pytest.mark.parametrize(
    ("example", "frozen"),
    [(1.0, 2.0), (1, 1.0), (torch.zeros(2), torch.ones(2)), (torch.zeros(2), torch.zeros(2).double()), ((1, 2), (1,))],
)
def test_two_values_of_one_argument_are_an_error(example: Any, frozen: Any) -> None:
    with pytest.raises(UsageError, match="argument 'scale' has two values"):
        bind(Module(), (1, example), {}, {"scale": frozen})


@pytest.mark.parametrize("value", [1.5, None, torch.arange(3), (1, torch.ones(2))])
def test_the_same_value_twice_is_one(value: Any) -> None:
    assert names(1, value, freeze={"scale": value})[0] == ("x", False)


def test_a_frozen_value_may_replace_an_example() -> None:
    call = bind(Module(), (1, 2.0), {}, {"scale": 3.0}, override=True)
    assert call.build([leaf.value for leaf in call.leaves]) == ((1, 3.0), {})


def test_renaming_needs_as_many_names_as_leaves() -> None:
    call = bind(Module(), (1, 2), {}, {})
    assert [leaf.name for leaf in call.renamed(call.leaves, ["a", "b"]).leaves] == ["a", "b"]
    with pytest.raises(UsageError, match="2 different names"):
        call.renamed(call.leaves, ["a"])
    with pytest.raises(UsageError, match="2 different names"):
        call.renamed(call.leaves, ["a", "a"])
