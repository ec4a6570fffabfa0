"""Random typed graphs: any subset of the inputs frozen, the outputs are the unfrozen model's, bit for bit."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.canonical import fingerprint
from freezer.model_io import load, serialise, to_proto
from freezer.pipeline import specialise, start_worker
from tests.oracle.test_oracle import same, session
from tests.random_graphs.make import random_model

EXAMPLES = 400


@pytest.fixture(scope="module")
def child():
    with start_worker() as worker:
        yield worker


def frozen(model, feed: dict[str, np.ndarray], names: list[str], child) -> ir.Model:
    bindings = SimpleNamespace(values={n: ir.tensor(feed[n]) for n in names}, dims={}, shapes={})
    return specialise(load(model), bindings, worker=child).model


def run(model: ir.Model, feed: dict[str, np.ndarray]) -> list[object]:
    residual = session(serialise(to_proto(model)))
    kept = {i.name for i in residual.get_inputs()}
    return residual.run(None, {n: v for n, v in feed.items() if n in kept})


def runnable(seed: int):
    """The model, its feed and its outputs; None where onnxruntime refuses it."""
    model, feed = random_model(seed)
    try:
        return model, feed, session(model.SerializeToString()).run(None, feed)
    except Exception:
        return None


def check(seed: int, child) -> None:
    made = runnable(seed)
    if made is None:
        return
    model, feed, expected = made
    rng = random.Random(seed)
    names = [n for n in feed if rng.random() < 0.6]
    once = frozen(model, feed, names, child)
    assert same(expected, run(once, feed)), (seed, names)
    half = names[: len(names) // 2]
    twice = frozen(frozen(model, feed, half, child), feed, [n for n in names if n not in half], child)
    assert same(expected, run(twice, feed)), (seed, half, names)
    again = frozen(once, feed, [], child)
    assert fingerprint(again) == fingerprint(once), (seed, names)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
def test_any_subset_of_inputs_can_be_frozen(child, seed):
    check(seed, child)


def test_most_random_models_run():
    """A generator whose models are all refused would test nothing."""
    assert sum(runnable(seed) is not None for seed in range(60)) >= 40
