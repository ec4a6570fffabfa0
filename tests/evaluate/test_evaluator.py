"""Nodes that fail or kill the worker stay in the graph, each with its reason; the others are folded."""

from __future__ import annotations

import numpy as np
import pytest

from freezer.errors import ChildError
from freezer.evaluate.child import Child, Limits
from tests.passes.frozen import freeze, ops, reasons

HEAD = '<ir_version: 10, opset_import: ["": 18]>\n'


def test_a_node_that_refuses_its_input_stays(worker):
    text = (
        HEAD
        + """g (float[4] a, int64[1] i, float[N] x) => (float[N] y, float[1] z) {
       b = Exp (a)
       p = Gather (b, i)
       z = Neg (p)
       s = ReduceMax <keepdims = 0> (b)
       y = Mul (x, s)
    }"""
    )
    result = freeze(text, {"a": [1, 2, 3, 4], "i": [9]}, worker)
    assert ops(result) == ["Gather", "Neg", "Mul"] and "out of data bounds" in reasons(result)


def test_a_node_that_kills_the_worker_stays(worker):
    """INT64_MIN / -1 raises SIGFPE in onnxruntime 1.32."""
    text = (
        HEAD
        + """g (int64[300] a, int64[300] b, int64[300] x) => (int64[300] y) {
       q = Div (a, b)
       y = Add (x, q)
    }"""
    )
    lowest = np.full(300, np.iinfo(np.int64).min)
    result = freeze(text, {"a": lowest, "b": np.full(300, -1)}, worker)
    assert ops(result) == ["Div", "Add"] and "SIGFPE" in reasons(result)


def test_one_fatal_node_among_many_costs_only_itself(worker):
    lines = [f"e{i} = Exp (a{i})\n y{i} = Mul (x, e{i})" for i in range(20)]
    inputs = ", ".join(f"float[64] a{i}" for i in range(20))
    outputs = ", ".join(f"float[64] y{i}" for i in range(20))
    text = HEAD + f"g ({inputs}, int64[300] p, int64[300] q, float[64] x) => ({outputs}, int64[300] z) {{\n"
    text += "\n".join(lines) + "\n z = Div (p, q)\n}"
    values = {f"a{i}": np.full(64, (i + 1) / 10) for i in range(20)}
    values |= {"p": np.full(300, np.iinfo(np.int64).min), "q": np.full(300, -1)}
    assert ops(freeze(text, values, worker)) == ["Mul"] * 20 + ["Div"]


def test_random_nodes_are_never_evaluated(worker):
    text = HEAD + "g (float[3] a, float[3] x) => (float[3] y) { r = RandomNormalLike (a)  y = Add (x, r) }"
    assert ops(freeze(text, {"a": [1, 2, 3]}, worker)) == ["RandomNormalLike", "Add"]


def test_bfloat16_is_folded_by_the_reference_or_stays(worker):
    text = HEAD + "g (bfloat16[3] a, float[3] x) => (float[3] y) { b = Cast <to = 1> (a)  y = Add (x, b) }"
    assert ops(freeze(text, {"a": [1, 2, 3]}, worker)) == ["Add"]


def test_a_child_that_dies_is_reported_and_started_again():
    with Child("tests.evaluate.deeds", Limits(wall=30)) as child:
        with pytest.raises(ChildError, match="SIGSEGV"):
            child.call("die", {})
        assert child.call("echo", {"x": 1})[0] == {"x": 1}


def test_a_child_that_hangs_is_stopped():
    with Child("tests.evaluate.deeds") as child, pytest.raises(ChildError, match="stopped after"):
        child.call("hang", {}, wall=0.5)


def test_a_child_cannot_write_files(tmp_path):
    with Child("tests.evaluate.deeds") as child:
        assert child.call("write", {"path": str(tmp_path / "canary")})[0] == {"written": 0}
    assert not (tmp_path / "canary").exists() or (tmp_path / "canary").stat().st_size == 0


def test_a_child_cannot_take_all_memory():
    with Child("tests.evaluate.deeds", Limits(memory=1 << 30)) as child:
        assert child.call("allocate", {"nbytes": 8 << 30})[0] == {"failed": "MemoryError"}


def test_what_onnxruntime_has_no_kernel_for_is_folded_by_the_reference(worker):
    text = (
        HEAD
        + """g (bfloat16[3] a, float[3] x) => (float[3] y) {
       s = Add (a, a)
       b = Cast <to = 1> (s)
       y = Add (x, b)
    }"""
    )
    assert ops(freeze(text, {"a": [1, 2, 3]}, worker)) == ["Add"]


def test_nothing_larger_than_the_limit_is_made(worker):
    text = (
        HEAD
        + """g (int64[2] size, float[N] x) => (float[N] y) {
       big = ConstantOfShape (size)
       sum = ReduceSum <keepdims = 0> (big)
       y = Mul (x, sum)
    }"""
    )
    result = freeze(text, {"size": [100000, 100000]}, worker)
    assert ops(result) == ["ConstantOfShape", "ReduceSum", "Mul"]
    assert "larger than" in reasons(result)


def test_an_endless_loop_on_static_data_stays(worker):
    text = (
        HEAD
        + """g (int64 trips, float s, float[N] x) => (float[N] y) {
       t = Loop (trips, , s) <body = b (int64 i, bool c, float v) => (bool c2, float w) {
          c2 = Identity (c)
          w = Sin (v)
       }>
       y = Mul (x, t)
    }"""
    )
    result = freeze(text, {"trips": 1 << 50, "s": 0.5}, worker)
    assert ops(result)[0] == "Loop" and "iterations would make" in reasons(result)


class Killed(Child):
    """A worker that something outside kills as often as `times` says, each time that it is asked for a command."""

    command, times = "", 0

    def call(self, command, *arguments):
        if command == self.command and self.times:
            self.times -= 1
            self._start().kill()
        return super().call(command, *arguments)


@pytest.fixture(scope="module")
def killed():
    with Killed("freezer.evaluate.worker") as child:
        yield child


FOLDS = "g (float[300] a, float[300] x) => (float[300] y) { e = Exp (a)  y = Add (x, e) }"
ASKS = "g (float[2,3,3] x) => (int64[1] s) { d = Det (x)  s = Shape (d) }"


@pytest.mark.parametrize(("times", "left"), [(1, ["Add"]), (2, ["Exp", "Add"])])
def test_a_worker_that_was_killed_is_asked_once_more(killed, times, left):
    killed.command, killed.times = "run", times
    result = freeze(HEAD + FOLDS, {"a": np.ones(300)}, killed)
    assert ops(result) == left and ("SIGKILL" in reasons(result)) == (times > 1)


@pytest.mark.parametrize(("times", "left"), [(1, []), (2, ["Det", "Shape"])])
def test_types_that_the_worker_did_not_tell_are_noted(killed, times, left):
    killed.command, killed.times = "infer", times
    result = freeze(HEAD + ASKS, {}, killed)
    assert ops(result) == [*left, "Constant"][: len(left) or 1]
    assert result.log.notes == ["types of 1 nodes are not known: the child process died (SIGKILL)"][: times - 1]
