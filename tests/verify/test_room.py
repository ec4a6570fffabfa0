"""A model larger than memory is not run, and the verdict says so."""

from __future__ import annotations

import numpy as np
import onnx

from freezer.bindings import bind
from freezer.evaluate.child import Limits
from freezer.model_io import load
from freezer.verification import verify

TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[2] x, float scale) => (float[2] y) { y = Mul (x, scale) }"""


def test_a_model_larger_than_memory_is_not_run(tmp_path):
    model = onnx.parser.parse_model(TEXT)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1 << 20, np.float32), "w"))
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.data")
    source = load(tmp_path / "m.onnx")
    verdict = verify(source, source.model, bind(source.model), limits=Limits(memory=1 << 20))
    assert verdict.status == "unverified" and verdict.loads_optimised is None
    assert verdict.message.startswith("not verified: the model has 0.004 GB of weights, and 0.001 GB of memory may be")
    assert "--no-verify" in verdict.message and "freezer verify OUT --against MODEL" in verdict.message
