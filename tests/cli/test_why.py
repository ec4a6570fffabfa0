"""freezer why OUT NAME, with a trace and without one."""

from __future__ import annotations

import onnx
import pytest

from tests.cli.run import freezer

TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[N] x, float scale, bool flag) => (float[N] y) {
   [half] h = Exp (scale)
   [choose] c = If (flag) <
      then_branch = t () => (float[N] a) { [inner] a = Mul (x, h) },
      else_branch = e () => (float[N] b) { [other] b = Neg (x) }
   >
   [last] y = Abs (c)
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("why")
    (folder / "m.onnx").write_bytes(onnx.parser.parse_model(TEXT).SerializeToString())
    sets = ("--set", "scale=0.5", "--set", "flag=true", "--no-verify", "--trace", folder / "t.json")
    done = freezer("freeze", folder / "m.onnx", "-o", folder / "out.onnx", *sets)
    assert done.returncode == 0, done.stderr
    return folder


def why(folder, name, *arguments):
    return freezer("why", folder / "out.onnx", name, *arguments)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("choose", "the source's If choose was inlined: inline_if at 'choose'"),
        ("other", "the source's Neg other in choose/else_branch was removed: it was not taken"),
        ("half", "the source's Exp half was folded"),
        ("x", "x is an input, float32 [N], read by inner"),
        ("scale", "scale was an input, frozen to 0.5"),
        ("y", "last is an Abs: it depends on the live input 'x'"),
    ],
)
def test_with_a_trace_it_answers_for_the_source_too(folder, name, said):
    done = why(folder, name, "--trace", folder / "t.json")
    assert done.returncode == 0 and said in done.stdout, done.stderr


def test_a_constant_names_the_nodes_behind_it(folder):
    name = onnx.load(folder / "out.onnx").graph.initializer[0].name
    done = why(folder, name, "--trace", folder / "t.json")
    assert "is a constant, float32 [], " in done.stdout and "read by inner" in done.stdout
    assert "computed from the source's half" in done.stdout


def test_without_a_trace_the_file_alone_answers(folder):
    assert why(folder, "last").stdout == "last is an Abs: it depends on the live input 'x'\n"
    done = why(folder, "half")
    assert done.returncode == 2 and "has no node or value 'half'" in done.stderr


def test_an_unknown_name_gets_a_close_one(folder):
    done = why(folder, "lost")
    assert done.returncode == 2 and "did you mean 'last'?" in done.stderr


def test_what_is_no_trace_is_refused(folder):
    done = why(folder, "last", "--trace", folder / "out.onnx")
    assert done.returncode == 1 and "is no trace" in done.stderr


def test_the_trace_of_another_file_is_refused(folder):
    (folder / "other.onnx").write_bytes(onnx.parser.parse_model(TEXT.replace("last", "end")).SerializeToString())
    sets = ("--set", "scale=0.5", "--set", "flag=true", "--no-verify", "--trace", folder / "other.json")
    assert freezer("freeze", folder / "other.onnx", "-o", folder / "other_out.onnx", *sets).returncode == 0
    done = why(folder, "last", "--trace", folder / "other.json")
    assert done.returncode == 2 and "is of another file" in done.stderr and "has no node 'end'" in done.stderr
