"""What became of each node, and why what is there is there."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import onnx
import pytest

import freezer
from freezer.errors import ModelError, UsageError
from freezer.report.trace import Trace
from tests.test_floors import ROOT

TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[N] x, float scale, bool flag) => (float[N] y)
<float one = {1.0}>
{
   [half] h = Exp (scale)
   [twice] d = Add (h, h)
   [choose] c = If (flag) <
      then_branch = t () => (float[N] a) { [inner] a = Mul (x, d) },
      else_branch = e () => (float[N] b) { [other] b = Neg (x) }
   >
   [same] i = Mul (c, one)
   [last] y = Abs (i)
}
"""


@pytest.fixture(scope="module")
def frozen():
    return freezer.freeze(onnx.parser.parse_model(TEXT), {"scale": 0.5, "flag": True}, verify=False)


def test_every_node_of_the_source_has_a_fate(frozen):
    fates = {name: fate.fate for name, fate in frozen.trace.nodes.items()}
    assert fates == {
        "half": "folded", "twice": "folded", "choose": "inlined", "inner": "inlined", "other": "removed",
        "same": "removed", "last": "kept",
    }  # fmt: skip


def test_a_fate_says_why_and_into_what(frozen):
    nodes = frozen.trace.nodes
    assert nodes["inner"].scope == "choose/then_branch" and nodes["inner"].into == ["inner"]
    assert nodes["other"].why == "it was not taken: inline_if at 'choose'"
    assert nodes["same"].why == "drop_one at 'same'"
    assert nodes["half"].into == list(frozen.trace.constants) and len(frozen.trace.constants) == 1


def test_a_constant_knows_what_it_was_computed_from(frozen):
    assert list(frozen.trace.constants.values()) == [["twice", "half"]]


def test_a_node_that_stayed_says_what_it_depends_on(frozen):
    assert frozen.trace.reasons["last"] == "it depends on the live input 'x'"


def test_a_trace_is_read_as_it_was_written(frozen, tmp_path):
    frozen.trace.write(tmp_path / "trace.json")
    assert Trace.read(tmp_path / "trace.json") == frozen.trace


def test_what_is_no_trace_is_refused(tmp_path):
    (tmp_path / "no.json").write_text('{"nodes": 1}')
    with pytest.raises(ModelError, match="is no trace"):
        Trace.read(tmp_path / "no.json")
    with pytest.raises(UsageError, match="cannot read the trace"):
        Trace.read(tmp_path / "none.json")


def test_silero_is_accounted_for():
    source = ROOT / "fixtures" / "third_party" / "silero_vad_v6.onnx"
    trace = freezer.freeze(source, {"sr": 16000}, verify=False).trace
    counts = Counter(fate.fate for fate in trace.nodes.values())
    assert sum(counts.values()) == 689 and counts["inlined"] > 25 and counts["folded"] > 20
    assert trace.nodes["If_0"].fate == "inlined"


def why(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "freezer", "why", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("last", "last is an Abs: it depends on the live input 'x'"),
        ("y", "last is an Abs: it depends on the live input 'x'"),
        ("half", "the source's Exp half was folded: evaluated"),
        ("other", "the source's Neg other in choose/else_branch was removed: it was not taken"),
    ],
)
def test_why(frozen, tmp_path, name, said):
    frozen.save(tmp_path / "out.onnx")
    frozen.trace.write(tmp_path / "trace.json")
    assert said in why(str(tmp_path / "out.onnx"), name, "--trace", str(tmp_path / "trace.json")).stdout


def test_a_name_that_is_not_there_gets_a_suggestion(frozen, tmp_path):
    frozen.save(tmp_path / "out.onnx")
    done = why(str(tmp_path / "out.onnx"), "lasst")
    assert done.returncode == 2 and "did you mean 'last'?" in done.stderr
