"""What all tests of the trace route share."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from freezer.evaluate.child import Child


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes a second or more; all of them take minutes")


@pytest.fixture(scope="session", autouse=True)
def one_registry() -> None:
    """torch builds its table of operators anew in every export: half of the time of a small one."""
    registry: Any = pytest.importorskip("torch.onnx._internal.exporter._registration").ONNXRegistry
    registry.from_torchlib = staticmethod(functools.lru_cache(registry.from_torchlib))


@pytest.fixture(scope="session")
def runner() -> Iterator[Child]:
    from freezer.routes.torch_outputs import start_runner

    with start_runner() as child:
        yield child
