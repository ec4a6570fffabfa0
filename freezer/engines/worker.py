"""The child's side of an engine: folds one file into another, and looks at the result.

Imported by `Child("freezer.engines.worker")`; nothing here may be imported by the parent.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from typing import Any

Answer = tuple[dict[str, Any], list[Any]]


def fold(header: dict[str, Any], _: list[bytearray]) -> Answer:
    """Run the adapter header["fold"] in header["folder"]; {"error"} or {}, and {"peak"}: bytes of memory."""
    os.chdir(header["folder"])
    os.environ["TMPDIR"] = tempfile.tempdir = header["folder"]
    module, _name, function = header["fold"].partition(":")
    try:
        getattr(importlib.import_module(module), function)(header["source"], header["target"])
    except BaseException as error:  # a library may even ask Python to exit
        return {"error": text_of(error), "peak": peak_bytes()}, []
    return {"peak": peak_bytes()}, []


def check(header: dict[str, Any], _: list[bytearray]) -> Answer:
    """What the ONNX checker, then onnxruntime, say against the file header["path"]; {"error"} or {}."""
    import onnx
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        onnx.checker.check_model(header["path"])
        ort.InferenceSession(header["path"], options, providers=["CPUExecutionProvider"])
    except Exception as error:  # each library has its own classes
        return {"error": text_of(error).replace(header["path"], "it")}, []
    return {}, []


def text_of(error: BaseException) -> str:
    """An error in one line of bounded length."""
    text = " ".join(str(error).split())
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."


def peak_bytes() -> int | None:
    """The most memory that this process, or one it waited for, ever held; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    return max(_own_peak() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, children)


def _own_peak() -> int:
    """Linux: getrusage also counts the parent's memory at the fork; this does not."""
    try:
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) * 1024


COMMANDS = {"fold": fold, "check": check}
