"""The adapters: each reads a self-contained model that freezer wrote, and writes what its library makes of it.

Child side: they may raise anything, crash or hang. Each library is used as its own documentation shows.
"""

from __future__ import annotations


def onnxsim(source: str, target: str) -> None:
    """onnxsim.simplify; its own check of the result counts."""
    import onnx
    from onnxsim import simplify

    model, passed = simplify(onnx.load(source))
    if not passed:
        raise ValueError("its own check of the simplified model failed")
    onnx.save(model, target)


def graphsurgeon(source: str, target: str) -> None:
    """import_onnx, fold_constants, cleanup, toposort. Files of IR version 4 and later only."""
    import onnx
    import onnx_graphsurgeon as gs

    graph = gs.import_onnx(onnx.load(source))
    graph.fold_constants().cleanup(remove_unused_graph_inputs=False).toposort()
    onnx.save(gs.export_onnx(graph), target)


def onnxruntime(source: str, target: str) -> None:
    """The offline optimisation of level "basic": what does not depend on the machine."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = target
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def onnxslim(source: str, target: str) -> None:
    """onnxslim.slim."""
    import onnx
    from onnxslim import slim

    onnx.save(slim(onnx.load(source)), target)


def onnxscript(source: str, target: str) -> None:
    """onnxscript.optimizer.optimize."""
    import onnx
    from onnxscript import optimizer

    onnx.save(optimizer.optimize(onnx.load(source)), target)
