"""The child's side: evaluates small models and infers types. Runs in a process that may die.

Imported by `Child("freezer.evaluate.worker")`; nothing here may be imported by the parent.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

Answer = tuple[dict[str, Any], list[Any]]
_STRING = onnx.TensorProto.STRING


def run(header: dict[str, Any], buffers: list[bytearray]) -> Answer:
    """Evaluate a model without inputs. Answers the wanted outputs, or the runtime's message."""
    data = bytes(buffers.pop())
    try:
        try:
            session = _session(data)
            feed: dict[str, ort.OrtValue] = {}
        except ort.capi.onnxruntime_pybind11_state.Fail:
            session, feed = _fed(data)
        values = session.run_with_ort_values(header["wanted"], feed)
    except Exception as error:  # onnxruntime raises a class for each status
        return {"error": _text(error), "unsupported": type(error).__name__ == "NotImplemented"}, []
    return _tensors(values, header["largest"])


def reference(header: dict[str, Any], buffers: list[bytearray]) -> Answer:
    """The same by onnx's reference evaluator, for what onnxruntime has no kernel for."""
    from onnx.reference import ReferenceEvaluator

    try:
        model = onnx.ModelProto.FromString(bytes(buffers.pop()))
        arrays = ReferenceEvaluator(model).run(header["wanted"], {})
        protos = [onnx.numpy_helper.from_array(np.asarray(a)) for a in arrays]
    except Exception as error:  # whatever a kernel written in Python raises
        return {"error": _text(error), "unsupported": True}, []
    described = [{"dtype": p.data_type, "shape": list(p.dims)} for p in protos]
    return {"tensors": described}, [p.raw_data for p in protos]


def infer(header: dict[str, Any], buffers: list[bytearray]) -> Answer:
    """Types of one node's outputs by onnx's own inference.

    buffers: NodeProto, then a TypeProto for each of header["types"], then a TensorProto for each of header["data"].
    """
    node = onnx.NodeProto.FromString(bytes(buffers[0]))
    count = len(header["types"])
    types = {n: onnx.TypeProto.FromString(bytes(b)) for n, b in zip(header["types"], buffers[1:], strict=False)}
    data = {n: onnx.TensorProto.FromString(bytes(b)) for n, b in zip(header["data"], buffers[1 + count :], strict=True)}
    try:
        imports = {d: v for d, v in header["opset"]}
        schema = onnx.defs.get_schema(node.op_type, imports[node.domain], node.domain)
        opsets = [onnx.helper.make_opsetid(d, v) for d, v in imports.items()]
        found = onnx.shape_inference.infer_node_outputs(
            schema, node, types, data, opset_imports=opsets, ir_version=header["ir_version"]
        )
    except Exception as error:  # no schema, or inference refuses the node
        return {"error": str(error), "outputs": []}, []
    return {"outputs": list(found)}, [t.SerializeToString() for t in found.values()]


def _text(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def _session(data: bytes) -> ort.InferenceSession:
    return ort.InferenceSession(data, _options(), providers=["CPUExecutionProvider"])


def _fed(data: bytes) -> tuple[ort.InferenceSession, dict[str, ort.OrtValue]]:
    """The model with its constants as inputs of unknown shape.

    onnxruntime's inference refuses some models at load (a Range of one-element vectors) that its kernels run.
    """
    model = onnx.ModelProto.FromString(data)
    constants = list(model.graph.initializer)
    del model.graph.initializer[:]
    for tensor in constants:
        entry = model.graph.input.add(name=tensor.name)
        entry.type.tensor_type.elem_type = tensor.data_type
    feed = {t.name: ort.OrtValue.ortvalue_from_numpy(onnx.numpy_helper.to_array(t)) for t in constants}
    return _session(model.SerializeToString()), feed


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def _tensors(values: list[ort.OrtValue], largest: int) -> Answer:
    described: list[dict[str, Any]] = []
    raw: list[Any] = []
    for value in values:
        if not value.is_tensor() or value.element_type() == _STRING:
            described.append(_unstorable(value))
            continue
        size = value.tensor_size_in_bytes()
        described.append({"dtype": value.element_type(), "shape": value.shape(), "too_large": size > largest})
        raw.append(b"" if size > largest else _content(value, size))
    return {"tensors": described}, raw


def _unstorable(value: ort.OrtValue) -> dict[str, Any]:
    if not value.is_tensor():
        return {"dtype": 0, "shape": []}
    return {"dtype": _STRING, "shape": value.shape(), "strings": value.numpy().reshape(-1).tolist()}


def _content(value: ort.OrtValue, size: int) -> bytes:
    """A copy of the bytes of a tensor of any element type, numpy's or not."""
    return ctypes.string_at(value.data_ptr(), size) if size else b""


COMMANDS = {"run": run, "reference": reference, "infer": infer}
