"""Random typed graphs: any subset of the inputs frozen, at once or in parts: the same outputs, bit for bit."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.bindings import bind
from freezer.canonical import fingerprint
from freezer.model_io import load, serialise, to_proto
from freezer.pipeline import specialise, start_worker
from tests.oracle.test_oracle import same, session
from tests.random_graphs.make import random_model

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 300


@pytest.fixture(scope="module")
def child():
    with start_worker() as worker:
        yield worker


def frozen(model, feed: dict[str, np.ndarray], names: list[str], child) -> ir.Model:
    source = load(model)
    return specialise(source, bind(source.model, {n: feed[n] for n in names}), worker=child).model


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
    first = names[: len(names) // 2]
    rest = [n for n in names if n not in first]
    for one, other in ((first, rest), (rest, first)):
        twice = frozen(frozen(model, feed, one, child), feed, other, child)
        assert same(expected, run(twice, feed)), (seed, one, other)
        assert fingerprint(twice) == fingerprint(once), (seed, one, other)
    again = frozen(once, feed, [], child)
    assert fingerprint(again) == fingerprint(once), (seed, names)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
def test_any_subset_of_inputs_can_be_frozen(child, seed):
    check(seed, child)


def test_most_random_models_run():
    """A generator whose models are all refused would test nothing."""
    assert sum(runnable(seed) is not None for seed in range(60)) >= 40


_PRINT = """
import sys
from freezer.pipeline import start_worker
from tests.random_graphs.test_random_graphs import digests
with start_worker() as child:
    print(digests(range(12), child))
"""


def digests(seeds, child) -> list[str]:
    """The SHA-256 of each residual's bytes, half of the inputs frozen."""
    found = []
    for seed in seeds:
        model, feed = random_model(seed)
        residual = frozen(model, feed, list(feed)[::2], child)
        found.append(hashlib.sha256(serialise(to_proto(residual))).hexdigest())
    return found


def test_the_same_bytes_in_every_run_and_with_every_hash_seed(child):
    wanted = digests(range(12), child)
    for seed in ("0", "1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", _PRINT]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        assert done.stdout.strip() == str(wanted), seed


def test_the_models_have_what_they_should():
    """Every kind of step comes up in models that run."""
    seen: Counter[str] = Counter()
    for seed in range(120):
        if (made := runnable(seed)) is not None:
            nodes = [made[0].graph.node, *(a.g.node for n in made[0].graph.node for a in n.attribute)]
            seen.update(node.op_type for body in nodes for node in body)
    wanted = {"If", "Loop", "Scan", "scaled", "chosen", "SequenceConstruct", "SequenceAt", "ConcatFromSequence"}
    assert all(seen[op] >= 5 for op in wanted), seen
