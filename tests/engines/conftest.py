"""What the tests of engines share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from freezer.engines import ENGINES, start_engine
from freezer.evaluate.child import Child
from tests.engines.models import bad


@pytest.fixture(scope="session")
def engine_child() -> Iterator[Child]:
    """One process for engines that leave it alive."""
    with start_engine() as child:
        yield child


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch, engine_child: Child) -> None:
    """Engines run in that process: importing onnxsim anew takes longer than most tests."""
    monkeypatch.setattr("freezer.engines.run.start_engine", lambda limits: contextlib.nullcontext(engine_child))


@pytest.fixture
def with_bad(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Make an engine of tests/engines/bad.py one that there is; its name."""

    def add(name: str, fuses: bool = True) -> str:
        monkeypatch.setattr("freezer.engines.registry.ENGINES", (*ENGINES, bad(name, fuses)))
        return name

    return add
