"""A graph in the making: what may be read so far, with its type and shape."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32, I64, BOOL = np.float32, np.int64, np.bool_
TYPES = {F32: TensorProto.FLOAT, I64: TensorProto.INT64, BOOL: TensorProto.BOOL}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, float("inf"), float("-inf"), float("nan"), 1e-40]
SHAPES = [(), (1,), (3,), (2, 3), (1, 3), (2, 1), (2, 3, 1)]


@dataclass
class Maker:
    """Builds one graph; `values` are (name, dtype, shape) of what may be read."""

    rng: random.Random
    depth: int = 0
    values: list[tuple[str, type, tuple[int, ...]]] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    prefix: str = "v"
    count: int = 0
    steps: list[Callable[[Maker], None]] = field(default_factory=list)

    def name(self) -> str:
        self.count += 1
        return f"{self.prefix}{self.count}"

    def pick(self, *dtypes: type, rank: int | None = None) -> tuple[str, type, tuple[int, ...]] | None:
        fitting = [v for v in self.values if v[1] in dtypes and (rank is None or len(v[2]) == rank)]
        return self.rng.choice(fitting) if fitting else None

    def constant(self, array: np.ndarray) -> str:
        name = self.name()
        if self.rng.random() < 0.5:
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name)))
        else:
            self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op: str, inputs: list[str], dtype: type, shape: tuple[int, ...], **attributes) -> None:
        name = self.name()
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self.values.append((name, dtype, shape))

    def step(self) -> None:
        """One more random node."""
        self.rng.choice(self.steps)(self)


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None
