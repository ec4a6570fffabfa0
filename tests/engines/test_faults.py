"""An engine that does what it must not is reported as exactly that, and nothing is passed on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import freezer
from freezer.engines import Outcome, attempt
from freezer.engines.run import LIMITS
from freezer.errors import EngineError, VerificationError
from freezer.evaluate.child import Child
from freezer.model_io import load, save
from tests.engines.models import VALUES, bad, scaled

FAULTS = {
    "fail": ("failed", "RuntimeError: no kernel for this"),
    "leave": ("failed", "SystemExit: 0"),
    "nothing": ("failed", "it wrote no model"),
    "flood": ("failed", "File too large"),
    "noise": ("invalid", ""),
    "dangling": ("invalid", "reads 'nowhere', which nothing in the model defines"),
    "unknown_operator": ("invalid", "Nonsense"),
    "outside": ("invalid", "it keeps data in other files"),
    "large": ("grew", "bytes, where 5,000 are allowed"),
    "lost": ("interface", "lost the input 'flag'"),
    "reordered": ("interface", "changed the order of the inputs"),
    "renamed": ("interface", "lost the output 'y' and added the output 'out'"),
    "doubles": ("interface", "changed the input 'x' from float32 to float64"),
    "fixed": ("interface", "changed dimension 0 of the input 'x' from open to 3"),
}
SMALL = """
<ir_version: 8, opset_import: ["": 17]>
small (float[n, 4] x, bool flag) => (float[n, 4] y) { y = Neg(x) }
"""


def written(folder: Path, text: str = SMALL) -> Path:
    import onnx.parser

    return save(load(onnx.parser.parse_model(text)).model, folder / "bound.onnx").path


def tried(name: str, folder: Path, child: Child | None = None, seconds: float = 60) -> Outcome:
    path = written(folder)
    return attempt(bad(name), path, load(path).model, 5000, replace(LIMITS, wall=seconds), child)


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str, tmp_path: Path, engine_child: Child) -> None:
    kind, reason = FAULTS[name]
    outcome = tried(name, tmp_path, engine_child)
    assert outcome.fault == kind and reason in outcome.reason
    assert str(outcome.error()).startswith(f"engine '{name}' ") and "\n" not in str(outcome.error())


def test_one_that_changes_nothing_has_no_fault(tmp_path: Path, engine_child: Child) -> None:
    outcome = tried("copy", tmp_path, engine_child)
    assert not outcome.fault and outcome.model is not None
    assert [n.op_type for n in outcome.model.graph] == ["Neg"]
    assert outcome.nbytes == (tmp_path / "bound.onnx").stat().st_size and outcome.peak_bytes and outcome.seconds > 0


def test_a_crash_names_the_signal(tmp_path: Path) -> None:
    outcome = tried("die", tmp_path)
    assert (outcome.fault, outcome.model, outcome.peak_bytes) == ("crashed", None, None)
    assert "SIGSEGV" in str(outcome.error())


def test_a_hanging_engine_is_stopped(tmp_path: Path) -> None:
    outcome = tried("sleep", tmp_path, seconds=1)
    assert outcome.fault == "hung" and "did not end: the child process was stopped after 1 s" in str(outcome.error())


def test_a_fault_that_the_source_has_too_is_not_the_engines(tmp_path: Path, engine_child: Child) -> None:
    """No checker knows the operator, neither before nor after."""
    path = written(tmp_path, SMALL.replace("Neg(x)", "Nonsense(x)"))
    assert attempt(bad("copy"), path, load(path).model, 5000, child=engine_child).fault == ""


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("name", ["dangling", "lost", "large", "die"])
@pytest.mark.parametrize("where", ["engine", "then"])
def test_nothing_is_passed_on(name: str, where: str, with_bad) -> None:
    with pytest.raises(EngineError, match=f"engine '{name}' .*nothing was written"):
        freezer.freeze(scaled(), VALUES, verify=False, **{where: with_bad(name)})


@pytest.mark.usefixtures("one_process")
def test_growth_can_be_allowed(with_bad) -> None:
    frozen = freezer.freeze(scaled(), VALUES, engine=with_bad("large"), max_growth=10_000)
    assert frozen.report.verification["status"] == "equal"
    assert any(t.name == "ballast" for t in frozen.model.graph.initializer)


@pytest.mark.usefixtures("one_process")
def test_a_wrong_result_is_refused_and_names_the_engine(with_bad) -> None:
    with pytest.raises(VerificationError, match="engine 'wrong' changed the model: output 'y' differs"):
        freezer.freeze(scaled(), VALUES, engine=with_bad("wrong"))
