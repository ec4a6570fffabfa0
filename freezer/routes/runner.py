"""The child's side of comparing with torch: runs a model once, as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from freezer.verification.copies import make_copy
from freezer.verification.runners import OrtRunner


def run(header: dict[str, Any], buffers: Sequence[bytearray]) -> tuple[dict[str, Any], list[bytes]]:
    """Run buffers[0], a model, on the TensorProtos in buffers[1:], named by header["names"].

    The answer: a TensorProto an output, or {"error"} when onnxruntime does not load or run it.
    """
    tensors = [numpy_helper.to_array(onnx.TensorProto.FromString(bytes(b))) for b in buffers[1:]]
    feed = dict(zip(header["names"], tensors, strict=True))
    try:
        runner = OrtRunner(make_copy(bytes(buffers[0]), {}, {}))
        results = runner.run({k: v for k, v in feed.items() if k in runner.inputs}, header["seconds"])
    except Exception as error:  # whatever onnxruntime says is the answer
        return {"error": " ".join(str(error).split())[:400]}, []
    return {}, [numpy_helper.from_array(np.asarray(r)).SerializeToString() for r in results]


COMMANDS = {"run": run}
