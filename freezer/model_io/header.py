"""What a model says of itself: its IR version and the operator sets it imports."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from freezer.errors import ModelError

_LARGEST_VERSION = (1 << 31) - 1


def check_header(model: onnx.ModelProto) -> None:
    """Raise ModelError for versions that cannot be, or that the installed onnx does not know.

    Imports of one domain become one: 'ai.onnx' is '', and the last import counts, as onnxruntime reads them.
    """
    if not model.ir_version or not model.HasField("graph"):
        raise ModelError("the file is not an ONNX model: it has no IR version or no graph")
    if not 0 < model.ir_version <= onnx.IR_VERSION:
        raise ModelError(f"the model has IR version {model.ir_version}; onnx {_known(onnx.IR_VERSION)}")
    if not model.opset_import:
        if model.ir_version >= 3:
            raise ModelError("the model imports no operator set")
        model.opset_import.add(domain="", version=1)
    _settle_imports(model, "the model")
    for function in model.functions:
        _settle_imports(function, f"function '{function.name}'")


def _settle_imports(owner: onnx.ModelProto | onnx.FunctionProto, what: str) -> None:
    versions = {("" if o.domain == "ai.onnx" else o.domain): o.version for o in owner.opset_import}
    _check_versions(versions, what)
    del owner.opset_import[:]
    for domain, version in versions.items():
        owner.opset_import.add(domain=domain, version=version)


def _check_versions(versions: Mapping[str, int], what: str) -> None:
    for domain, version in versions.items():
        if isinstance(domain, bytes):
            raise ModelError(f"{what} imports a domain whose name is not UTF-8 text")
        if not 0 < version <= _LARGEST_VERSION:
            raise ModelError(f"{what} imports opset {version} of '{domain or 'ai.onnx'}'; expected 1 or more")
    newest = onnx.defs.onnx_opset_version()
    if versions.get("", 0) > newest:
        raise ModelError(f"{what} imports opset {versions['']} of 'ai.onnx'; onnx {_known(newest)}")


def _known(newest: int) -> str:
    return f"{onnx.__version__} knows up to {newest}: install a newer onnx"
