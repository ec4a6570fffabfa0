"""Every onnx backend case that onnxruntime runs: freeze each input, and all; the outputs may not change a bit.

The oracle is the unfrozen model's own output at ORT_DISABLE_ALL. Excluded: cases that onnxruntime cannot
run unfrozen (no kernel for the op, type or opset); the last test asserts how many are left.
"""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest

from freezer.model_io import load, serialise, to_proto
from freezer.pipeline import specialise, start_worker
from tests.oracle.cases import Case, made_in_memory, shipped, variants

SHARDS = 64
LEAST_VARIANTS = 4890  # of which none may differ


@lru_cache(maxsize=1)
def all_cases() -> list[Case]:
    return made_in_memory() + shipped()


@pytest.fixture(scope="module")
def worker():
    with start_worker() as child:
        yield child


def session(data: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_prepacking", "1")
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def unfrozen(case: Case) -> list[object] | None:
    """The outputs of the model as it is; None if onnxruntime cannot run it."""
    try:
        return session(case.model.SerializeToString()).run(None, case.feed)
    except Exception:
        return None


def frozen(case: Case, names: list[str], worker) -> list[object]:
    types = {e.name: ir.DataType(e.type.tensor_type.elem_type) for e in case.model.graph.input}
    values = {n: as_tensor(case.feed[n], types[n]) for n in names}
    bindings = SimpleNamespace(values=values, dims={}, shapes={})
    result = specialise(load(case.model), bindings, worker=worker)
    residual = session(serialise(to_proto(result.model)))
    kept = {i.name for i in residual.get_inputs()}
    assert not kept & set(names)
    outputs = [o.name for o in case.model.graph.output]
    return residual.run(outputs, {n: v for n, v in case.feed.items() if n in kept})


def as_tensor(value, dtype: ir.DataType) -> ir.TensorProtocol:
    if dtype == ir.DataType.STRING:
        content = [s.encode() if isinstance(s, str) else s for s in value.reshape(-1)]
        return ir.StringTensor(np.array(content, object).reshape(value.shape), shape=ir.Shape(value.shape))
    return ir.Tensor(value, dtype=dtype)


def same(a: object, b: object) -> bool:
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if a is None or b is None or isinstance(a, dict):
        return repr(a) == repr(b)
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype != y.dtype or x.shape != y.shape:
        return False
    return x.tolist() == y.tolist() if x.dtype == object else x.tobytes() == y.tobytes()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_frozen_equals_unfrozen(shard, worker):
    different = []
    for case in all_cases()[shard::SHARDS]:
        expected = unfrozen(case)
        if expected is not None:
            different += [(case.name, n) for n in variants(case) if not same(expected, frozen(case, n, worker))]
    assert not different


def test_nothing_is_left_out_by_mistake():
    ran = [c for c in all_cases() if unfrozen(c) is not None]
    assert sum(1 for c in ran for _ in variants(c)) >= LEAST_VARIANTS
