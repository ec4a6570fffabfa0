"""The fuzzer's judge: the unfrozen mutant against the frozen one, in a process that may die."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from freezer.verification.copies import seed_random_nodes

SECONDS = 2.0
_M_PERTURB = -6  # malloc.h


def judge(header: dict[str, Any], buffers: Sequence[bytearray]) -> tuple[dict[str, Any], list[bytes]]:
    """{"verdict"}: "equal", "unjudged" (the mutant does not run, or not the same twice), "unloadable" or what is wrong.

    buffers: the mutant, the frozen one, then a TensorProto for each name in header["names"].
    """
    protos = [onnx.TensorProto.FromString(bytes(b)) for b in buffers[2:]]
    feed = {n: onnx.numpy_helper.to_array(p) for n, p in zip(header["names"], protos, strict=True)}
    try:
        _fill_memory(0x55)
        expected = _run(bytes(buffers[0]), feed)
        _fill_memory(0xAA)
        stable = same(expected, _run(bytes(buffers[0]), feed))
    except Exception:
        return {"verdict": "unjudged"}, []
    if not stable:
        return {"verdict": "unjudged"}, []
    try:
        found = _run(bytes(buffers[1]), feed)
    except Exception as error:
        # onnxruntime infers shapes when it loads a model, and then refuses what its kernels run: verification says so.
        if "ShapeInferenceError" in str(error):
            return {"verdict": "unloadable"}, []
        return {"verdict": f"the frozen model fails: {' '.join(str(error).split())[:200]}"}, []
    return {"verdict": "equal" if same(expected, found) else "the frozen model's outputs differ"}, []


def _fill_memory(byte: int) -> None:
    """What memory holds that nobody wrote to: onnxruntime gives some of it out for broken models."""
    ctypes.CDLL(None).mallopt(_M_PERTURB, byte)


def _run(data: bytes, feed: dict[str, np.ndarray]) -> list[Any]:
    model = onnx.ModelProto.FromString(data)
    seed_random_nodes(model)
    options, run = ort.SessionOptions(), ort.RunOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = run.log_severity_level = 4
    options.add_session_config_entry("session.disable_prepacking", "1")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    timer = threading.Timer(SECONDS, setattr, (run, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        names = {i.name for i in (*session.get_inputs(), *session.get_overridable_initializers())}
        return session.run(None, {n: v for n, v in feed.items() if n in names}, run)
    finally:
        timer.cancel()


def same(a: Any, b: Any) -> bool:
    """Whether two results are equal in every bit."""
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if a is None or b is None or isinstance(a, dict):
        return repr(a) == repr(b)
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype != y.dtype or x.shape != y.shape:
        return False
    return x.tolist() == y.tolist() if x.dtype == object else x.tobytes() == y.tobytes()


COMMANDS = {"judge": judge}
