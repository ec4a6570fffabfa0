"""freeze() with each engine: bound by freezer, folded by the engine, judged like freezer's own result."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import onnx
import pytest

import freezer
from freezer.engines import ENGINES, NATIVE, Engine, chosen_engine, tolerances
from freezer.engines.registry import FUSED
from freezer.errors import EngineError, LimitError, UsageError, VerificationError
from freezer.options import Options
from tests.engines.models import VALUES, convolution, scaled

OTHERS = [e.name for e in ENGINES if e.name != NATIVE]
pytestmark = pytest.mark.usefixtures("one_process")


def names(values) -> list[str]:
    return [v.name for v in values]


KEEPING = [name for name in OTHERS if name != "onnxslim"]


@pytest.mark.parametrize("where", ["engine", "then"])
def test_onnxslim_drops_an_input_that_nothing_reads(where: str) -> None:
    with pytest.raises(EngineError, match="'onnxslim' changed the interface: it lost the input 'unused'"):
        freezer.freeze(scaled(), VALUES, **{where: "onnxslim"})
    frozen = freezer.freeze(convolution(), {"training": False}, **{where: "onnxslim"})
    assert frozen.report.verification["status"] == "close"


@pytest.mark.parametrize("engine", KEEPING)
def test_an_engine_folds(engine: str) -> None:
    frozen = freezer.freeze(scaled(), VALUES, engine=engine)
    # onnxscript evaluates Exp with numpy, whose last bits depend on the processor
    allowed = {"equal", "close"} if engine == "onnxscript" else {"equal"}
    assert frozen.report.verification["status"] in allowed
    model = frozen.model
    assert names(model.graph.input) == ["x", "unused"] and names(model.graph.output) == ["y"]
    assert {n.op_type for n in model.graph.node} - {"Constant"} == {"Add", "Mul", "Sigmoid"}
    assert [o.domain for o in model.opset_import] == [""]
    metadata = {p.key: p.value for p in model.metadata_props}
    assert metadata["author"] == "somebody" and engine in metadata["freezer.0.options"]
    assert f"folded by {engine} {chosen_engine(engine).version}" in frozen.report.notes


@pytest.mark.parametrize("engine", KEEPING)
def test_an_engine_after_freezer(engine: str) -> None:
    frozen = freezer.freeze(scaled(), VALUES, then=engine)
    assert frozen.report.verification["status"] == "equal"
    assert names(frozen.model.graph.input) == ["x", "unused"]
    assert f"then by {engine} {chosen_engine(engine).version}" in frozen.report.notes


def test_fusing_needs_the_tolerance_that_the_report_states() -> None:
    frozen = freezer.freeze(convolution(), {"training": False}, then="onnxruntime")
    assert [n.op_type for n in frozen.model.graph.node] == ["Conv"]
    verdict = frozen.report.verification
    assert verdict["status"] == "close" and verdict["equal"] is None and verdict["tolerance"] == FUSED
    assert 0 < verdict["outputs"][0]["max_rel"] <= FUSED["float32"]
    assert verdict["message"].startswith("equal within 1e-05 (float32) of each output's largest value, at most ")


def test_no_tolerance_refuses_what_fusing_moved() -> None:
    with pytest.raises(VerificationError, match="'onnxruntime' changed the model: output 'y' differs"):
        freezer.freeze(convolution(), {"training": False}, then="onnxruntime", tolerance=0.0)


def test_external_data_reaches_an_engine_inline(tmp_path: Path, with_bad) -> None:
    """No path of the model does: the file beside it is gone from the copy."""
    model = convolution()
    onnx.save(model, tmp_path / "in.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    frozen = freezer.freeze(tmp_path / "in.onnx", {"training": False}, engine=with_bad("copy"))
    frozen.save(tmp_path / "out.onnx")
    written = onnx.load(tmp_path / "out.onnx", load_external_data=False)
    assert all(t.data_location == onnx.TensorProto.DEFAULT for t in written.graph.initializer)
    assert frozen.report.verification["status"] == "equal"


def test_a_model_too_large_for_one_file_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freezer.model_io.saving.LARGEST_INLINE", 100)
    with pytest.raises(LimitError, match=r"engines get models as one file, of less than 2 GB: .* use --engine native"):
        freezer.freeze(convolution(), {"training": False}, engine="onnxslim")


def test_a_result_can_be_verified_again_with_its_tolerance() -> None:
    fused = freezer.freeze(convolution(), {"training": False}, then="onnxruntime").model
    assert freezer.verify(convolution(), fused, {"training": False}, tolerance=1e-5).status == "close"
    assert freezer.verify(convolution(), fused, {"training": False}).status == "different"


def test_dims_and_shapes_are_bound_for_an_engine(with_bad) -> None:
    frozen = freezer.freeze(scaled(), VALUES, dims={"n": 3}, engine=with_bad("copy"))
    assert [d.dim_value for d in frozen.model.graph.input[0].type.tensor_type.shape.dim] == [3, 4]
    frozen = freezer.freeze(scaled(), VALUES, shapes={"x": [5, None]}, engine=with_bad("copy"))
    assert [d.dim_value for d in frozen.model.graph.input[0].type.tensor_type.shape.dim] == [5, 4]


def test_dead_inputs_can_be_pruned_after_an_engine(with_bad) -> None:
    frozen = freezer.freeze(scaled(), VALUES, engine=with_bad("copy"), prune_inputs=True)
    assert names(frozen.model.graph.input) == ["x"]


def test_the_callers_model_stays_as_it_is() -> None:
    model = scaled()
    before = model.SerializeToString()
    freezer.freeze(model, VALUES, engine="graphsurgeon")
    assert model.SerializeToString() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "onnxsimm"}, "unknown engine 'onnxsimm'; did you mean 'onnxsim'"),
        ({"then": "what"}, "unknown engine 'what'; there are native, onnxsim,"),
        ({"engine": "onnxslim", "relaxed": True}, "drop --relaxed"),
        ({"tolerance": 2.0}, "from 0 to 1; not 2.0"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        freezer.freeze(scaled(), VALUES, **options)


def test_what_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in ("onnxsim", "graphsurgeon", "onnxslim", "onnxscript"):
        message = f"engine '{name}' is not installed: pip install 'onnx-freezer[{name}]'"
        with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
            chosen_engine(name)


def test_every_extra_is_declared() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    for engine in ENGINES:
        assert not engine.extra or f'{engine.extra} = ["{engine.package}>=' in text


def test_versions_need_no_import() -> None:
    assert Engine("x", "a:b", "no_such_module", "no-such-package").version == ""
    assert all(e.installed and e.version for e in ENGINES)


def test_tolerances_are_of_the_engines_that_are_named() -> None:
    assert tolerances(Options()) is None and tolerances(Options(engine="graphsurgeon")) is None
    assert tolerances(Options(then="onnxslim")) == tolerances(Options(engine="onnxsim")) == FUSED
    assert tolerances(Options(tolerance=1e-3)) == dict.fromkeys(FUSED, 1e-3)
    assert np.isclose(FUSED["float32"], 1e-5)
