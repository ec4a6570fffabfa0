"""What onnxruntime does with -0.0 where there was 0.0: the laws that rules/zero_sign.py builds on."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from freezer.rules import zero_sign

SHAPE = (1, 2, 4, 4)
OTHERS = {
    "Concat": [np.ones(SHAPE, np.float32)],
    "MatMul": [np.ones((4, 3), np.float32)],
    "Gemm": [np.ones((4, 3), np.float32), np.zeros(3, np.float32)],
    "Conv": [np.ones((3, 2, 2, 2), np.float32), np.zeros(3, np.float32)],
    "ConvTranspose": [np.ones((2, 3, 2, 2), np.float32)],
    "Where": [np.array([True, False, True, True])],
    "Expand": [np.array([2, 2, 4, 4])],
    "Gather": [np.array([1, 0])],
    "Pad": [np.array([0, 0, 1, 0, 0, 0, 0, 1])],
    "Reshape": [np.array([-1, 4])],
    "Slice": [np.array([0]), np.array([3]), np.array([3])],
    "Tile": [np.array([1, 1, 2, 1])],
    "Unsqueeze": [np.array([0])],
    "QuantizeLinear": [np.float32(0.1), np.uint8(3)],
}  # fmt: skip
ELEMENTWISE = np.array([0.0, -0.0, 1.5, np.inf], np.float32)
TWO = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
ATTRIBUTES = {
    "Concat": {"axis": 1},
    "Gather": {"axis": 1},
    "Transpose": {"perm": [0, 2, 3, 1]},
    "Split": {"num_outputs": 2},
}


def run(op: str, index: int, x: np.ndarray, others: list[np.ndarray]) -> list[np.ndarray]:
    names = [f"c{i}" for i in range(len(others))]
    inputs = [*names[:index], "x", *names[index:]]
    count = {"Split": 2, "DynamicQuantizeLinear": 3}.get(op, 1)
    outputs = [helper.make_empty_tensor_value_info(f"y{i}") for i in range(count)]
    node = helper.make_node(op, inputs, [f"y{i}" for i in range(count)], **ATTRIBUTES.get(op, {}))
    constants = [numpy_helper.from_array(np.asarray(c), n) for c, n in zip(others, names, strict=True)]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)]
    model = helper.make_model(
        helper.make_graph([node], "g", given, outputs, constants),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=10,
    )  # fmt: skip
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(
        None, {"x": x}
    )


def cases() -> list[tuple[str, int]]:
    carriers = [(op, i) for op, where in zero_sign._CARRIERS.items() for i in (where or (0,))]
    return (
        carriers
        + [(op, 1) for op in TWO if zero_sign._CARRIERS.get(op, 0) is None]
        + [(op, 0) for op in sorted(zero_sign._BLIND)]
    )


@pytest.mark.parametrize(("op", "index"), cases())
def test_signs_of_zeros_change_no_more_than_signs_of_zeros(op, index):
    generator = np.random.default_rng(7)
    shape = (4, 4) if op == "Gemm" else SHAPE
    x = generator.choice(np.array([0.0, -0.0, 1.5, -2.0, np.inf, np.nan], np.float32), shape)
    flipped = np.where(x == 0, -x, x)
    others = OTHERS.get(op, [ELEMENTWISE] if op in TWO else [])
    if op == "Where":
        others = [OTHERS[op][0], ELEMENTWISE]
    for a, b in zip(run(op, index, x, others), run(op, index, flipped, others), strict=True):
        if op not in zero_sign._BLIND:
            a, b = (np.where(v == 0, np.float32(0), v) for v in (a, b))
        assert a.tobytes() == b.tobytes()
