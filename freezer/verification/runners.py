"""What runs a model: onnxruntime, or onnx's reference evaluator where that cannot. Child side."""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Protocol

import numpy as np
import onnx
import onnxruntime as ort

from freezer.verification.copies import Copy

Feed = dict[str, Any]
_PLAIN = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}  # TensorProto types that numpy has itself


class Runner(Protocol):
    """inputs: names that may be fed. defaults: those of them that need not be."""

    engine: str
    inputs: list[str]
    defaults: list[str]
    outputs: list[str]

    def run(self, feed: Feed, seconds: float) -> list[Any]:
        """The outputs; stops with an error after about `seconds`."""


class OrtRunner:
    """A session: one thread, no prepacking, which alone would move results by an ulp. arena: reuse memory as usual."""

    engine = f"onnxruntime {ort.__version__}"

    def __init__(self, copy: Copy, *, optimised: bool = False, arena: bool = True) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        level = ort.GraphOptimizationLevel
        options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
        options.enable_cpu_mem_arena = options.enable_mem_pattern = arena
        options.add_session_config_entry("session.disable_prepacking", "1")
        if copy.external:
            options.add_external_initializers(list(copy.external), list(copy.external.values()))
        self._session = ort.InferenceSession(copy.data, options, providers=["CPUExecutionProvider"])
        self.defaults = [i.name for i in self._session.get_overridable_initializers()]
        self.inputs = [i.name for i in self._session.get_inputs()] + self.defaults
        self.outputs = [o.name for o in self._session.get_outputs()]
        self._types = {i.name: _element_type(i) for i in copy.proto.graph.input}
        self._exotic = any(_is_exotic(v) for v in (*copy.proto.graph.input, *copy.proto.graph.output))

    def run(self, feed: Feed, seconds: float) -> list[Any]:
        options = ort.RunOptions()
        options.log_severity_level = 4
        timer = threading.Timer(seconds, setattr, (options, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            if not self._exotic:
                return self._session.run(None, feed, options)
            values = {name: self._value(name, array) for name, array in feed.items()}
            return [_array(v) for v in self._session.run_with_ort_values(None, values, options)]
        finally:
            timer.cancel()

    def _value(self, name: str, array: np.ndarray) -> ort.OrtValue:
        array = np.ascontiguousarray(array).reshape(array.shape)
        if self._types[name] in _PLAIN:
            return ort.OrtValue.ortvalue_from_numpy(array)
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array, self._types[name])


class ReferenceRunner:
    """onnx's reference evaluator: slow, complete, and not the deployment's bits."""

    engine = f"onnx reference {onnx.__version__}"
    defaults: list[str]

    def __init__(self, copy: Copy) -> None:
        from onnx.reference import ReferenceEvaluator

        if copy.external:
            raise ValueError("the reference evaluator does not run models with external data")
        self._evaluator = ReferenceEvaluator(copy.proto)
        self.outputs = [o.name for o in copy.proto.graph.output]
        self.inputs = [i.name for i in copy.proto.graph.input]
        initializers = {t.name for t in copy.proto.graph.initializer}
        self.defaults = [name for name in self.inputs if name in initializers]

    def run(self, feed: Feed, seconds: float) -> list[Any]:
        with np.errstate(all="ignore"):
            results = self._evaluator.run(None, feed)
        return [np.asarray(r) if isinstance(r, np.generic) else r for r in results]


def _element_type(value: onnx.ValueInfoProto) -> int:
    return value.type.tensor_type.elem_type


def _is_exotic(value: onnx.ValueInfoProto) -> bool:
    """A tensor of a type that onnxruntime's Python cannot turn into numpy, such as bfloat16."""
    return value.type.HasField("tensor_type") and _element_type(value) not in _PLAIN


def _array(value: ort.OrtValue) -> Any:
    """The content of any output, bfloat16 and float8 included, which OrtValue.numpy refuses."""
    element = value.element_type() if value.is_tensor() else 0
    if element in _PLAIN or not value.is_tensor():
        return value.numpy()
    dtype = onnx.helper.tensor_dtype_to_np_dtype(element)
    raw = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
    return np.frombuffer(raw, dtype).reshape(value.shape()).copy()
