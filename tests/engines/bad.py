"""Engines that do what an engine must not do. Each reads a file and writes another, or does not."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import numpy_helper


def copy(source: str, target: str) -> None:
    """A good one: it changes nothing."""
    shutil.copyfile(source, target)


def die(source: str, target: str) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def sleep(source: str, target: str) -> None:
    time.sleep(60)


def fail(source: str, target: str) -> None:
    raise RuntimeError("no kernel\nfor this")


def leave(source: str, target: str) -> None:
    sys.exit(0)


def nothing(source: str, target: str) -> None:
    """Writes no file."""


def noise(source: str, target: str) -> None:
    Path(target).write_bytes(bytes(range(64)))


def flood(source: str, target: str) -> None:
    """More than a file may hold."""
    with open(target, "wb") as file:
        file.truncate(1 << 40)


def changing(edit: Callable[[onnx.ModelProto], None]) -> Callable[[str, str], None]:
    """An engine that makes one change."""

    def engine(source: str, target: str) -> None:
        model = onnx.load(source)
        edit(model)
        onnx.save(model, target)

    return engine


def _dangling(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "nowhere"


def _unknown_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Nonsense"


def _outside(model: onnx.ModelProto) -> None:
    """A weight in a file beside the result."""
    tensor = model.graph.initializer.add(name="w", dims=[1], data_type=onnx.TensorProto.INT8)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="bound.onnx")
    tensor.external_data.add(key="length", value="1")


def _large(model: onnx.ModelProto) -> None:
    model.graph.initializer.add(name="ballast", dims=[9000], data_type=onnx.TensorProto.INT8, raw_data=bytes(9000))


def _reordered(model: onnx.ModelProto) -> None:
    first, second = (onnx.ValueInfoProto.FromString(v.SerializeToString()) for v in model.graph.input)
    model.graph.input[0].CopyFrom(second)
    model.graph.input[1].CopyFrom(first)


def _renamed(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = model.graph.node[-1].output[0] = "out"


def _doubles(model: onnx.ModelProto) -> None:
    """The first input becomes float64, and is cast."""
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    name = model.graph.input[0].name
    for node in model.graph.node:
        for index, value in enumerate(node.input):
            if value == name:
                node.input[index] = "single"
    cast = onnx.helper.make_node("Cast", [name], ["single"], to=onnx.TensorProto.FLOAT)
    nodes = [cast, *model.graph.node]
    copies = [onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def _fixed(model: onnx.ModelProto) -> None:
    dim = model.graph.input[0].type.tensor_type.shape.dim[0]
    dim.ClearField("dim_param")
    dim.dim_value = 3


def _moved(factor: float) -> Callable[[onnx.ModelProto], None]:
    """Scales every constant."""

    def edit(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            array = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array((array * factor).astype(array.dtype), tensor.name))

    return edit


dangling, unknown_operator, outside, large = map(changing, (_dangling, _unknown_operator, _outside, _large))
reordered, renamed, doubles, fixed = map(changing, (_reordered, _renamed, _doubles, _fixed))
lost = changing(lambda model: model.graph.input.pop())
nudged, wrong = changing(_moved(1 + 1e-6)), changing(_moved(1.5))
