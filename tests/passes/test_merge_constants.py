"""Equal constants become one, but for those that a node writes over."""

from __future__ import annotations

import onnx

import freezer

TRAINS = """
<ir_version: 10, opset_import: ["": 18]>
g (float[N,3,2] x) => (float[N,3,2] y)
<float[3] scale = {1, 1, 1}, float[3] shift = {0, 0, 0}, float[3] mean = {0, 0, 0}, float[3] variance = {1, 1, 1}>
{
   y, m, v = BatchNormalization <training_mode = 1> (x, scale, shift, mean, variance)
}
"""


def test_a_training_normalisation_keeps_constants_of_its_own():
    result = freezer.freeze(onnx.parser.parse_model(TRAINS))
    assert result.report.verification["status"] == "equal"
    assert len(result.model.graph.initializer) == 4


def test_other_equal_constants_become_one():
    result = freezer.freeze(onnx.parser.parse_model(TRAINS.replace("y, m, v", "y").replace("_mode = 1", "_mode = 0")))
    assert result.report.verification["status"] == "equal"
    assert len(result.model.graph.initializer) == 2
